"""A sentence for each mistake in a contract: the field, its value, and what to write instead."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from noria.common.messages import nearest
from noria.contracts.cross_checks import DisagreementError
from noria.contracts.error_messages import VALUE_TYPES, in_words, one_of, sentence
from noria.contracts.field_paths import dotted_path, known_fields, path_of
from noria.contracts.field_types import Section
from noria.contracts.partial_validation import PartialModel

#: What a value of a shape that does not fit is described by; a union has one for each branch.
SHAPES = ("literal_error", *VALUE_TYPES)


def error_sentences(error: ValidationError, document: Any, model: type[Section]) -> list[str]:
    """One sentence for each mistake: the field, its value, and what to write instead.

    Mistakes of single fields come first, then what valid fields contradict.
    """
    schema = model.model_json_schema()
    told: dict[str, list[dict[str, Any]]] = {}
    lines: list[str] = []
    for item in map(dict, error.errors(include_url=False)):
        told.setdefault(dotted_path(path_of(item, document)), []).append(item)
    for field, items in told.items():
        lines += _of_field(field, items, _deeper(field, told), schema)
    rescue = PartialModel()
    if isinstance(document, Mapping):
        rescue.section(model, document)
    for path, found in rescue.found:
        place = ".".join(part for part in (dotted_path(path), found.field) if part)
        lines.append(f"{place}: {found.message}" if place else found.message)
    return list(dict.fromkeys(lines))


def _deeper(field: str, told: Mapping[str, Any]) -> bool:
    """Whether a part of the field has a mistake, so that the field has the shape that was meant."""
    return any(other.startswith((f"{field}.", f"{field}[")) for other in told)


def _of_field(
    field: str, items: Sequence[dict[str, Any]], deeper: bool, schema: dict[str, Any]
) -> list[str]:
    """The sentences of one field; the branches of a union make one together."""
    kept = [i for i in items if not isinstance(_cause(i), DisagreementError)]
    if deeper:
        kept = [item for item in kept if item["type"] not in SHAPES]
    if len(kept) > 1 and all(item["type"] in SHAPES for item in kept):
        return [f"{field}: {_of_union(kept)}"]
    return [f"{_place(field, item)}: {_sentence(item, schema)}" for item in kept]


def _cause(item: Mapping[str, Any]) -> Any:
    return item.get("ctx", {}).get("error")


def _place(field: str, item: Mapping[str, Any]) -> str:
    place = field or "contract"
    return f"{place}.kind" if item["type"].startswith("union_tag") else place


def _sentence(item: dict[str, Any], schema: dict[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return f"is not a field of the contract; {_nearest(item['loc'], schema)}"
    if item["type"] in ("model_type", "model_attributes_type"):
        return _no_section(item, schema)
    return sentence(item)


def _no_section(item: dict[str, Any], schema: dict[str, Any]) -> str:
    fields = ", ".join(sorted(known_fields(item["loc"], schema)))
    remedy = f"its fields are {fields}" if fields else "write for example {name: value}"
    given = "is empty" if item["input"] is None else f"{in_words(item['input'])} is no mapping"
    return f"{given}; {remedy}"


def _of_union(items: Sequence[dict[str, Any]]) -> str:
    """Tell a value that fits no branch: a known word that is near, else what all of them take."""
    value = items[0]["input"]
    words = [item for item in items if item["type"] == "literal_error"]
    others = [VALUE_TYPES[item["type"]] for item in items if item["type"] in VALUE_TYPES]
    if not words:
        takes = f"{', '.join(others[:-1])} or {others[-1]}"
        return f"{in_words(value)} cannot stand here; write {takes}"
    choices = one_of(words[0], others)
    if "list_type" in {item["type"] for item in items} and isinstance(value, str):
        return f"{choices}; write for example [{value}]"
    return choices


def _nearest(location: tuple[Any, ...], schema: dict[str, Any]) -> str:
    """Suggest the nearest known name beside the one that is not known."""
    names = sorted(known_fields(location[:-1], schema))
    close = nearest(str(location[-1]), names)
    if close:
        return f"did you mean '{close}'?"
    return f"the fields there are {', '.join(names)}" if names else "leave it out"
