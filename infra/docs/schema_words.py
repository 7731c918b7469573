"""A JSON Schema's types, limits and defaults in words."""

import json
from collections.abc import Iterable
from typing import Any

DURATION = r"^\d+(\.\d+)?[smhdw]$"
SIMPLE = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}
BELOW = "see below"  # a section has defaults of its own
Json = dict[str, Any]


def type_of(node: Json) -> str:
    """What may be written in a field."""
    return _either(_kind(one) for one in node.get("anyOf", [node]) if not _is_null(one))


def default_of(node: Json) -> str:
    """What holds where the field is left out; a description may say it better than a null."""
    if "default" not in node:
        return BELOW
    value = node["default"]
    if value in (None, [], {}):
        return "optional"
    if isinstance(value, dict):
        return BELOW
    text = value if isinstance(value, str) else json.dumps(value)
    return f"default `{text.replace(chr(34), '')}`"


def _either(kinds: Iterable[str]) -> str:
    """Each kind once; where any number may stand, so may a whole one."""
    found = dict.fromkeys(kinds)
    for name in ("number", "numbers"):
        if name in found:
            found.pop(f"whole {name}", None)
    return " or ".join(found)


def _is_null(node: Json) -> bool:
    return node.get("type") == "null"


def _kind(node: Json) -> str:
    if "$ref" in node or "discriminator" in node:
        return "mapping"
    if "enum" in node:
        return "one of " + ", ".join(f"`{one}`" for one in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if node["type"] == "array":
        return f"list of {_plural(node['items'])}"
    if node["type"] == "object":
        return "mapping"
    if node.get("pattern") == DURATION:
        return "duration"
    return SIMPLE[node["type"]] + _limits(node)


def _plural(items: Json) -> str:
    kinds = [_kind(one) for one in items.get("anyOf", [items])]
    plurals = {"text": "texts", "mapping": "mappings", "number": "numbers",
               "whole number": "whole numbers"}  # fmt: skip
    return _either(plurals.get(kind, kind) for kind in kinds)


def _limits(node: Json) -> str:
    """The bounds of a number, or the pattern of a text."""
    if "pattern" in node:
        return f" like `{node['pattern']}`"
    bounds = (
        ("above", "exclusiveMinimum"), ("from", "minimum"),
        ("below", "exclusiveMaximum"), ("to", "maximum"),
    )  # fmt: skip
    told = [f"{word} {node[name]:,}" for word, name in bounds if name in node]
    return " " + " ".join(told).replace(" below", ", below") if told else ""
