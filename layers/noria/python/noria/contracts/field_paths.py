"""Where a mistake is in a contract's document, and which names are known there."""

import re
from collections.abc import Mapping, Sequence
from typing import Any


def path_of(item: Mapping[str, Any], document: Any) -> list[Any]:
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


def dotted_path(path: Sequence[Any]) -> str:
    """A place as people write it: sources[0].join.on."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def known_fields(location: Sequence[Any], schema: dict[str, Any]) -> set[str]:
    """The names known at a place of the contract, read from its JSON Schema."""
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
    # A branch of a union, as pydantic names it: Fill, or function-after[_agrees(), Fill].
    branch = {"$ref": f"#/$defs/{re.sub(r'^.*, |[]]$', '', str(part))}"}
    if branch in node.get("anyOf", []):
        return branch
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
