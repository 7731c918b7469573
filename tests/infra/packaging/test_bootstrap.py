"""Setting up: what a newcomer's machine may lack is named, and the lock names no host."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.packaging import bootstrap
from infra.packaging.assets import ROOT

LOCKS = [ROOT / "requirements.lock", *sorted((ROOT / "layers").glob("*/requirements.txt"))]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    blocks = re.split(r"^(?=[^\s#])", lock.read_text(), flags=re.M)
    requirements = [block for block in blocks if block.strip() and not block.startswith("#")]
    assert requirements
    for block in requirements:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_a_lock_names_no_host(lock: Path) -> None:
    assert not re.search(r"https?://|--index|--find-links| @ ", lock.read_text())


def test_layers_have_the_versions_of_the_lock() -> None:
    locked = _pins(ROOT / "requirements.lock")
    layers = LOCKS[1:]
    assert layers
    for lock in layers:
        assert _pins(lock) <= locked, lock


def test_an_old_python_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (9, 9))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit):
        bootstrap.run_with_new_enough_python()
    message = capsys.readouterr().err
    assert "too old" in message
    assert "apt install python3" in message


def test_a_missing_venv_module_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "BIN", tmp_path)
    monkeypatch.setitem(bootstrap.sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit):
        bootstrap.make_venv()
    assert re.search(r"apt install python3\.\d+-venv", capsys.readouterr().err)


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert {"setup", "demo", "test", "check", "bench", "synth", "deploy"} <= set(targets)
    assert set(re.findall(r"make ([a-z-]+)", listed)) == set(targets)


def _pins(lock: Path) -> set[str]:
    return set(re.findall(r"^([\w.-]+==[^\s;]+)", lock.read_text(), flags=re.M))
