"""Arguments that several commands share."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands.errors import UsageMistakeError

StackName = Annotated[str, typer.Argument(metavar="STACK", help="The stack: its contract's name.")]
Local = Annotated[
    bool, typer.Option("--local", help="On the cloud that `noria local up` runs, not on AWS.")
]


def json_object(text: str, what: str) -> dict[str, Any]:
    """Parse a JSON object given as text, or as @FILE."""
    if text.startswith("@"):
        path = Path(text[1:])
        if not path.is_file():
            raise UsageMistakeError(f"{what}: there is no file '{path}'")
        text = path.read_text(encoding="utf-8")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageMistakeError(f"{what} is not JSON ({error}): write an object") from error
    if not isinstance(found, dict):
        raise UsageMistakeError(f"{what} is a JSON object, not {type(found).__name__}")
    return found


def source_files(given: list[str], what: str = "--data") -> dict[str, list[Path]]:
    """Parse SOURCE=FILE arguments; a source may have several files."""
    found: dict[str, list[Path]] = {}
    for item in given:
        name, equals, file = item.partition("=")
        if not (equals and name and file):
            raise UsageMistakeError(f"{what} '{item}': write SOURCE=FILE")
        path = Path(file).expanduser()
        if not path.is_file():
            raise UsageMistakeError(f"{what} '{item}': there is no file '{path}'")
        found.setdefault(name, []).append(path)
    return found
