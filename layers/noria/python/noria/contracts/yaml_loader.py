"""How a contract's YAML is read: booleans are true and false alone, no key is given twice."""

import re
from pathlib import Path
from typing import Any

import yaml

from noria.errors import ContractError


class Loader(yaml.SafeLoader):
    """YAML with only true and false as booleans, so that on, no and y stay text.

    A key that is given twice is an error, as the first one's value would be lost.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        first: dict[str, yaml.Mark] = {}
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "<<"
            if name != "<<" and name in first:
                raise yaml.constructor.ConstructorError(
                    None, None,
                    f"'{name}' is given twice, first in line {first[name].line + 1}; keep one",
                    key.start_mark,
                )  # fmt: skip
            first[name] = key.start_mark
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)


def read_document(path: Path) -> Any:
    """Read a YAML file; ContractError with the line where it is none, or cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ContractError(f"no contract at '{path}'; check the path") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ContractError(
            f"'{path}' is not a YAML file: line {line} holds bytes that are no UTF-8 text; name "
            "the contract, or save it as UTF-8"
        ) from error
    except OSError as error:
        reason = str(error.strerror).lower()
        raise ContractError(f"'{path}' cannot be read: {reason}; name a YAML file") from error
    return _parsed(text, path)


def _parsed(text: str, path: Path) -> Any:
    wrong = f"'{path}' is not a YAML file:"
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ContractError(f"{wrong} {_sentence(error, text)}") from error
    except yaml.reader.ReaderError as error:
        line, found = text[: error.position].count("\n") + 1, error.character
        code = found if isinstance(found, int) else ord(found)
        raise ContractError(
            f"{wrong} line {line} holds the character #x{code:02x}, which no text "
            "has; name the contract, or delete it"
        ) from error
    except RecursionError as error:
        raise ContractError(f"{wrong} it is nested too deeply; write it flatter") from error
    except ValueError as error:  # a date such as 2013-02-30, a wrong number after a tag
        raise ContractError(f"{wrong} {error}; put the value in quotes") from error


def _sentence(error: yaml.MarkedYAMLError, text: str) -> str:
    """Tell a syntax error in one line: where, what, and what it mostly comes from."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    written = (text.splitlines() or [""])[min(line, text.count("\n") + 1) - 1 : line]
    problem = " ".join(str(error.problem or error.context).split())
    return f"line {line}: {problem}{_remedy(problem, written[0] if written else '')}"


def _remedy(problem: str, written: str) -> str:
    if "given twice" in problem:
        return ""
    if "\t" in written:
        return "; indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "; put a text with a colon in quotes, and indent fields of one section alike"
    return "; check brackets, quotes and indentation there"
