"""A built asset stays what was built, whoever imports from it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.packaging import assets, frozen
from infra.packaging.assets import functions_asset
from infra.packaging.frozen import ForeignFileError


def listed(folder: Path) -> set[Path]:
    """Everything below a folder."""
    found = set(folder.rglob("*"))
    assert found
    return found


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An asset with one package, built into a cache of its own."""
    monkeypatch.setattr(assets, "CACHE", tmp_path)
    return build()


def build() -> Path:
    def write(folder: Path) -> None:
        (folder / "package").mkdir()
        (folder / "package" / "__init__.py").write_text("VALUE = 1\n")
        (folder / "package" / "inner.py").write_text("VALUE = 2\n")

    return assets._cached("thing", write)


def taken_again() -> Path:
    """The asset as another process takes it."""
    frozen.taken.cache_clear()
    return build()


def test_import_in_a_plain_process_leaves_no_file(module: Path) -> None:
    """GIVEN any Python, root's included, and no option THEN no bytecode comes into the asset."""
    before = listed(module)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-c", "import package.inner; print(package.inner.VALUE)"],
        env=plain | {"PYTHONPATH": str(module)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "2\n"
    assert listed(module) == before
    assert taken_again() == module


def test_import_of_the_real_functions_leaves_no_file() -> None:
    functions = functions_asset().path
    before = listed(functions)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    subprocess.run(
        [sys.executable, "-c", "import functions.shift_canary"], check=True,
        env=plain | {"PYTHONPATH": str(functions)}, cwd="/",
    )  # fmt: skip
    assert listed(functions) == before


def test_everything_is_read_only(module: Path) -> None:
    modes = {path.stat().st_mode & 0o777 for path in (*listed(module), module, module.parent)}
    assert modes == {0o444, 0o555}


@pytest.mark.parametrize("name", ["package/foreign.pyc", "package/inner.py"])
def test_foreign_file_and_changed_file_are_noticed(module: Path, name: str) -> None:
    file = module / name
    for path in (file, file.parent):
        if path.exists():
            path.chmod(0o755)
    file.write_text("something else")
    with pytest.raises(ForeignFileError, match=rf"{name}' is not as it was built.*rm -r"):
        taken_again()


def test_missing_file_is_noticed(module: Path) -> None:
    (module / "package").chmod(0o755)
    (module / "package" / "inner.py").unlink()
    with pytest.raises(ForeignFileError, match=r"inner\.py"):
        taken_again()


def test_an_asset_without_a_listing_is_not_trusted(module: Path) -> None:
    module.parent.chmod(0o755)
    (module.parent / frozen.LISTING).unlink()
    with pytest.raises(ForeignFileError, match="and 3 more is not as it was built"):
        taken_again()
