"""Built assets stay what was built: read-only, barred to bytecode, and checked when taken again.

A root process writes whatever the modes say, so modes are not enough: Python finds a file where it
would make its folder of bytecode, and whoever takes the asset compares it with its listing.
"""

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path

from noria.errors import NoriaError

LISTING = "listing.json"
CONTENT = "content"
BYTECODE = "__pycache__"
FILE, FOLDER = 0o444, 0o555  # Lambda wants assets readable by everybody


class ForeignFileError(NoriaError):
    """A built asset holds what its build did not make, or lacks what it did."""


def freeze(asset: Path) -> None:
    """Make what is built in `asset`/content read-only, and write its listing beside it."""
    content = asset / CONTENT
    _bar_bytecode(content)
    (asset / LISTING).write_text(json.dumps(_listing(content)))
    for path in (*content.rglob("*"), content, asset / LISTING):
        path.chmod(FOLDER if path.is_dir() else FILE | (path.stat().st_mode & 0o111))


@functools.cache
def taken(asset: Path) -> Path:
    """The content of a frozen asset, checked once in a process; raises `ForeignFileError`."""
    content, listing = asset / CONTENT, asset / LISTING
    built = json.loads(listing.read_text()) if listing.exists() else {}
    found = _listing(content)
    changed = sorted(name for name in {*built, *found} if built.get(name) != found.get(name))
    if changed:
        more = f" and {len(changed) - 1:,} more" if len(changed) > 1 else ""
        raise ForeignFileError(
            f"'{content / changed[0]}'{more} is not as it was built; to have it built again: "
            f"chmod -R u+w '{asset}' && rm -r '{asset}'"
        )
    return content


def _listing(content: Path) -> dict[str, int]:
    """The size of each file by its path, -1 for a folder."""
    return dict(_entries(str(content), "")) if content.is_dir() else {}


def _entries(folder: str, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:  # Path.rglob takes three times as long
        for entry in entries:
            if entry.is_dir():
                yield f"{prefix}{entry.name}", -1
                yield from _entries(entry.path, f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}", entry.stat().st_size


def _bar_bytecode(content: Path) -> None:
    """Put an empty file where Python would make a folder, wherever there is no bytecode yet."""
    for folder in {module.parent for module in content.rglob("*.py")}:
        if not (folder / BYTECODE).exists():
            (folder / BYTECODE).touch()
