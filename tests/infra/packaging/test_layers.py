"""The layers: what they hold imports, and what is built is neither built twice nor half built."""

import itertools
import json
import struct
import subprocess
import sys
import threading
from pathlib import Path

import grimp
import pytest

from infra.constructs.stages import ENDPOINT
from infra.lifecycle import STAGES
from infra.packaging import assets
from infra.packaging.assets import ROOT, build_layers, build_runtime
from infra.packaging.layers import LAYERS, LEFT_OUT, Platform
from infra.packaging.slimming import trim_elf

FUNCTIONS = sorted(file.stem for file in (ROOT / "functions").glob("[a-z]*.py"))
ROWS = {row.name: row for row in (*STAGES, ENDPOINT)}

# Imported where a contract names a unit, which Transform alone converts.
LAZY = {"pint"}

# As on Lambda: the function's code, its layers, the standard library, the runtime; nothing else.
IMPORT_THERE = """
import importlib, json, sys
before, after, modules = json.loads(sys.argv[1])
sys.path[:] = [*before, *(path for path in sys.path if "site-packages" not in path), *after]
for module in modules:
    importlib.import_module(module)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def import_there(layer: str, modules: list[str]) -> set[str]:
    """Import modules with a layer and the runtime alone; returns the packages that this loaded."""
    layers = build_layers(Platform.HOST)
    before = [assets.functions_asset().path, *(layers[n] / "python" for n in (layer, "noria"))]
    after = [build_runtime() / "python"]
    argument = json.dumps([[*map(str, before)], [*map(str, after)], modules])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", IMPORT_THERE, argument],
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("layer", LAYERS)
def test_what_a_layer_promises_to_preload_imports(layer: str) -> None:
    promised = (build_layers(Platform.HOST)[layer] / "preload.txt").read_text().split()
    assert {module.partition(".")[0] for module in promised} <= import_there(layer, promised)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_function_imports_with_its_layer_alone(layer: str) -> None:
    handlers = [f"functions.{name}" for name in FUNCTIONS if ROWS[name].layer == layer]
    assert "functions" in import_there(layer, handlers)


def test_every_handler_is_a_row_and_every_row_has_its_handler() -> None:
    assert set(FUNCTIONS) == set(ROWS)


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Who imports whom, where it is only when it is needed included."""
    return grimp.build_graph("functions", "noria", include_external_packages=True)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_function_imports_what_its_layer_lacks(layer: str, imports: grimp.ImportGraph) -> None:
    brought = {name: _modules(path) for name, path in build_layers(Platform.HOST).items()}
    lacking = set().union(*brought.values()) - brought[layer] - brought["noria"]
    lacking -= {*_modules(build_runtime()), *LAZY}
    known = lacking & imports.modules
    assert known, f"layer {layer} brings all that any function imports"
    names = [name for name in FUNCTIONS if ROWS[name].layer == layer]
    assert names
    for name, package in itertools.product(names, sorted(known)):
        chain = imports.find_shortest_chain(f"functions.{name}", package)
        assert chain is None, " -> ".join(chain)


def test_lambda_layers_hold_what_host_layers_hold() -> None:
    there, here = build_layers(Platform.LAMBDA), build_layers(Platform.HOST)
    for name in LAYERS:
        assert _packages(there[name]) == _packages(here[name])
        assert not _packages(there[name]) & LEFT_OUT.get(name, set())


def test_lambda_layers_are_for_its_processor() -> None:
    libraries = [
        library for name in LAYERS for library in build_layers(Platform.LAMBDA)[name].rglob("*.so*")
    ]
    assert libraries
    assert {struct.unpack_from("<H", _head(file), 18)[0] for file in libraries} == {0xB7}


def test_what_is_built_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_layers(Platform.HOST)
    monkeypatch.setattr(assets, "install_layer", _refuse)
    assert build_layers(Platform.HOST) == first


def test_a_broken_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "CACHE", tmp_path)
    monkeypatch.setattr(assets, "install_layer", _refuse)
    with pytest.raises(RuntimeError, match="built again"):
        build_layers(Platform.HOST)
    assert list(tmp_path.iterdir()) == []


def test_two_builders_at_once_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "CACHE", tmp_path)
    together = threading.Barrier(2)
    built: list[Path] = []

    def build(folder: Path) -> None:
        (folder / "content").write_text("same")
        together.wait(timeout=10)

    workers = [
        threading.Thread(target=lambda: built.append(assets._cached("thing", build)))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert built == [tmp_path / "thing" / "content"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]


def test_trimming_leaves_other_files_alone(tmp_path: Path) -> None:
    file = tmp_path / "script.so"
    file.write_text("no ELF")
    trim_elf(file)
    assert file.read_text() == "no ELF"


def _packages(layer: Path) -> set[str]:
    infos = (layer / "python").glob("*.dist-info")
    return {info.name.split("-")[0].lower() for info in infos}


def _modules(layer: Path) -> set[str]:
    """The names that can be imported from a layer."""
    entries = [entry for entry in (layer / "python").iterdir() if "-" not in entry.name]
    return {entry.name.partition(".")[0] for entry in entries} - {"bin", "__pycache__"}


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(20)


def _refuse(*_: object, **__: object) -> None:
    raise RuntimeError("built again")
