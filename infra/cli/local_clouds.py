"""The files by which commands find the local clouds of this checkout, one per cloud."""

import json
import os
import re
from pathlib import Path
from typing import Any

from infra.cli.errors import DEFAULT, UsageMistakeError
from noria.errors import NoriaError

NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


class CloudNameError(NoriaError):
    """A name under which no local cloud is up, or one is already."""


def file_of(name: str, usual: Path) -> Path:
    """The file of a cloud: the usual one for the default cloud, one beside it for others."""
    if not NAME.fullmatch(name):
        raise UsageMistakeError(
            f"'{name}' is no name of a local cloud: lower case, digits and hyphens, a letter first"
        )
    return usual if name == DEFAULT else usual.with_name(f"{usual.stem}-{name}{usual.suffix}")


def is_up(file: Path) -> bool:
    """Whether a file's cloud is up: the process that wrote it still runs."""
    try:
        process = json.loads(file.read_text()).get("process")
    except (OSError, ValueError):
        return False
    return process is None or _runs(int(process))


def read_cloud(name: str, usual: Path) -> dict[str, Any]:
    """Where a cloud is and what it holds; CloudNameError where it is not up."""
    file = file_of(name, usual)
    if is_up(file):
        document: dict[str, Any] = json.loads(file.read_text())
        return document
    others = names_up(usual)
    if not others:
        option = "" if name == DEFAULT else f" --name {name}"
        raise CloudNameError(f"no local cloud is up: start one with `noria local up{option}`")
    chosen = ", ".join(f"--local {other}" for other in others)
    raise CloudNameError(f"no local cloud '{name}' is up; choose one that is: {chosen}")


def names_up(usual: Path) -> list[str]:
    """The names of the clouds that are up."""
    return [name for name in names_noted(usual) if is_up(file_of(name, usual))]


def names_noted(usual: Path) -> list[str]:
    """The names of the clouds that are up, or ended without a word."""
    files = sorted(usual.parent.glob(f"{usual.stem}-*{usual.suffix}"))
    names = [file.stem.removeprefix(f"{usual.stem}-") for file in files]
    return [DEFAULT, *filter(NAME.fullmatch, names)]


def refuse_second(name: str, usual: Path) -> None:
    """Refuse to start a cloud under a name that another one has."""
    if is_up(file_of(name, usual)):
        raise CloudNameError(
            f"a local cloud '{name}' is up already: use it, end it, or start another one with "
            "`noria local up --name NAME`"
        )


def write_cloud(name: str, usual: Path, document: dict[str, Any]) -> Path:
    """Note where this process's cloud is."""
    refuse_second(name, usual)  # another may have come up meanwhile
    file = file_of(name, usual)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**document, "process": os.getpid()}, indent=2))
    return file


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True
