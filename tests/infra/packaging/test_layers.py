"""The layers: what they hold imports, and what is built is neither built twice nor half built."""

import itertools
import json
import struct
import subprocess
import sys
import time
from pathlib import Path

import grimp
import pytest

from infra.constructs.experiment_tracking import TRACKER
from infra.constructs.stages import ENDPOINT
from infra.lifecycle import STAGES
from infra.packaging import assets
from infra.packaging.assets import ROOT, build_layers, build_runtime
from infra.packaging.layers import LAYERS, LEFT_OUT, Platform
from infra.packaging.slimming import trim_elf

FUNCTIONS = sorted(file.stem for file in (ROOT / "functions").glob("[a-z]*.py"))
ROWS = {row.name: row for row in (*STAGES, ENDPOINT, TRACKER)}

# Imported inside the one function that needs it: where a contract names a unit, which Transform
# alone converts, and where words are hashed, which training alone does.
LAZY = {"noria.core.column_types.units": "pint", "noria.core.features.word_hashing": "sklearn"}

# As on Lambda: the function's code, its layers, the standard library, the runtime; nothing else.
IMPORT_THERE = """
import importlib, json, sys
before, after, modules = json.loads(sys.argv[1])
sys.path[:] = [*before, *(path for path in sys.path if "site-packages" not in path), *after]
for module in modules:
    importlib.import_module(module)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

# Builds into a cache of its own, until it may end.
BUILD_THERE = """
import pathlib, sys, time
from infra.packaging import assets, locks
root = pathlib.Path(sys.argv[1])
assets.CACHE, locks.LOCKS = root / "assets", root / "locks"
def build(folder):
    print("builds", flush=True)
    while not (root / "may end").exists():
        time.sleep(0.01)
print("comes", flush=True)
print(assets._cached("thing", build))
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
    graph = grimp.build_graph("functions", "noria", include_external_packages=True)
    for importer, imported in LAZY.items():
        graph.remove_import(importer=importer, imported=imported)
    return graph


@pytest.mark.parametrize("layer", LAYERS)
def test_no_function_imports_what_its_layer_lacks(layer: str, imports: grimp.ImportGraph) -> None:
    brought = {name: _modules(path) for name, path in build_layers(Platform.HOST).items()}
    lacking = set().union(*brought.values()) - brought[layer] - brought["noria"]
    lacking -= {*_modules(build_runtime())}
    known = lacking & imports.modules
    assert known, f"layer {layer} brings all that any function imports"
    names = [name for name in FUNCTIONS if ROWS[name].layer == layer]
    assert names
    found = [
        imports.find_shortest_chain(f"functions.{name}", package)
        for name, package in itertools.product(names, sorted(known))
    ]
    assert [" -> ".join(chain) for chain in found if chain] == []


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


class Builder:
    """Another process, about to build into a cache below `root`."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-c", BUILD_THERE, str(root)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.line() == "comes"

    def line(self) -> str:
        """The next line that it says."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip()

    def rest(self) -> list[str]:
        """What else it says until its end."""
        with self._process as process:
            assert process.stdout is not None
            return process.stdout.read().splitlines()

    def kill(self) -> None:
        """End it in the midst of its work."""
        with self._process as process:
            process.kill()


def test_two_processes_at_once_build_once(tmp_path: Path) -> None:
    """GIVEN two test workers in a fresh clone THEN one builds and the other waits for it."""
    builders = [Builder(tmp_path) for _ in range(2)]
    time.sleep(0.3)
    (tmp_path / "may end").touch()
    thing = str(tmp_path / "assets" / "thing" / "content")
    assert sorted((builder.rest() for builder in builders), key=len) == [[thing], ["builds", thing]]
    assert [path.name for path in (tmp_path / "assets").iterdir()] == ["thing"]


def test_a_builder_that_died_keeps_nobody_waiting(tmp_path: Path) -> None:
    died = Builder(tmp_path)
    assert died.line() == "builds"
    died.kill()
    (tmp_path / "may end").touch()
    assert Builder(tmp_path).rest() == ["builds", str(tmp_path / "assets" / "thing" / "content")]


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
