"""A sentence for each mistake in a contract: the field, its value, and what to write instead."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from noria.contracts.sources import SOURCE_KINDS


def describe(error: ValidationError, document: Any, schema: dict[str, Any]) -> list[str]:
    """One sentence for each mistake: the field, its value, and what to write instead.

    `schema` is the contract's JSON Schema: it knows the names that were meant.
    """
    told: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        field, message = _describe(dict(item), document, schema)
        told.setdefault(field, []).append(message)
    return [f"{field}: {' or '.join(messages)}" for field, messages in told.items()]


def _describe(item: dict[str, Any], document: Any, schema: dict[str, Any]) -> tuple[str, str]:
    field = _format_path(_path(item, document)) or "contract"
    if item["type"] == "missing":
        return field, "is missing; add it"
    if item["type"] == "extra_forbidden":
        return field, f"is not a field of the contract; {_nearest(item['loc'], schema)}"
    if item["type"] == "union_tag_not_found":
        return f"{field}.kind", f"is missing; add one of {', '.join(SOURCE_KINDS)}"
    if item["type"] == "union_tag_invalid":
        kinds = ", ".join(SOURCE_KINDS)
        return f"{field}.kind", f"'{item['ctx']['tag']}' is no kind of source; use one of {kinds}"
    message, value = str(item["msg"]).removeprefix("Value error, "), item.get("input")
    told = isinstance(value, dict | list) or repr(value) in message
    shown = "" if told else f" (given: {value!r})"
    return field, f"{message[:1].lower()}{message[1:]}{shown}"


def _path(item: dict[str, Any], document: Any) -> list[Any]:
    """The place of a mistake in the document, without pydantic's names for a union's branches."""
    path: list[Any] = []
    node = document
    for part in item["loc"]:
        if _is_in(node, part):
            node = node[part]
            path.append(part)
    return [*path, item["loc"][-1]] if item["type"] == "missing" else path


def _is_in(node: Any, part: Any) -> bool:
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node)
    return isinstance(node, Mapping) and part in node


def _format_path(path: list[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _nearest(location: tuple[Any, ...], schema: dict[str, Any]) -> str:
    """Suggest the nearest known name beside the one that is not known."""
    names = sorted(_fields_at(location[:-1], schema))
    close = get_close_matches(str(location[-1]), names, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"the fields there are {', '.join(names)}"


def _fields_at(location: tuple[Any, ...], schema: dict[str, Any]) -> set[str]:
    """The names known at a place of the contract, read from the models themselves."""
    node: dict[str, Any] = schema
    for part in location:
        node = _step(node, part, schema["$defs"])
    return set(_resolve(node, schema["$defs"]).get("properties", {}))


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    options = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
    if options:
        node = next((option for option in options if "$ref" in option), options[0])
    reference = node.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = definitions[reference] if reference else node
    return found


def _step(node: dict[str, Any], part: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    node = _resolve(node, definitions)
    if isinstance(part, int):
        item: dict[str, Any] = node.get("items", {})
        return item
    mapping = node.get("discriminator", {}).get("mapping", {})
    if part in mapping:
        return {"$ref": mapping[part]}
    step: dict[str, Any] = node.get("properties", {}).get(
        part, node.get("additionalProperties", {})
    )
    return step if isinstance(step, dict) else {}
