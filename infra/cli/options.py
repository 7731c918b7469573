"""Arguments that several commands share."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.errors import UsageMistakeError

StackName = Annotated[str, typer.Argument(metavar="STACK", help="The stack: its contract's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Local = Annotated[
    str | None,
    typer.Option(
        "--local",
        metavar="[NAME]",
        help="On the cloud that `noria local up` runs (that of a NAME: `--name`), not on AWS.",
    ),
]


def json_object(text: str, what: str) -> dict[str, Any]:
    """Parse a JSON object given as text, or as @FILE."""
    if text.startswith("@"):
        path = Path(text[1:]).expanduser()
        text, what = file_text(path, what), f"{what} '{path}'"
    found = parsed_json(text, what)
    if not isinstance(found, dict):
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(found), repr(found))
        raise UsageMistakeError(
            f'{what} is {kind}; write a JSON object such as {{"only": "features"}}'
        )
    return found


def parsed_json(text: str, what: str) -> Any:
    """Parse JSON; UsageMistakeError says where it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        told = error.msg[:1].lower() + error.msg[1:]
        quotes = "; JSON takes double quotes" if "'" in text and '"' not in text else ""
        raise UsageMistakeError(
            f"{what} is not JSON: line {error.lineno}, column {error.colno}: {told}{quotes}"
        ) from error


def file_text(path: Path, what: str) -> str:
    """Read a file that is named in an argument; UsageMistakeError where it cannot be."""
    refuse_absent(path, what)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageMistakeError(f"{what}: '{path}' is no text in UTF-8") from error
    except OSError as error:
        raise UsageMistakeError(f"{what}: '{path}' cannot be read: {error.strerror}") from error


def refuse_absent(path: Path, what: str) -> None:
    """Refuse what is no file."""
    if path.is_dir():
        raise UsageMistakeError(f"{what}: '{path}' is a folder; name a file in it")
    if not path.is_file():
        raise UsageMistakeError(f"{what}: there is no file '{path}'; check the path")


def source_files(given: list[str], what: str = "--data") -> dict[str, list[Path]]:
    """Parse SOURCE=FILE arguments; a source may have several files."""
    found: dict[str, list[Path]] = {}
    for item in given:
        name, equals, file = item.partition("=")
        if not (equals and name and file):
            raise UsageMistakeError(f"{what} '{item}': write SOURCE=FILE")
        path = Path(file).expanduser()
        refuse_absent(path, f"{what} '{item}'")
        _refuse_double(path, found.setdefault(name, []), f"{what} '{item}'")
        found[name].append(path)
    return found


def _refuse_double(path: Path, others: list[Path], what: str) -> None:
    """Two files of one name would take each other's place below incoming/."""
    double = next((one for one in others if one.name == path.name and one != path), None)
    if double is not None:
        raise UsageMistakeError(f"{what}: '{double}' has the same name; rename one of them")
