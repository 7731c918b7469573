"""The contract's own words for what pydantic finds wrong with a value."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from noria.common.messages import counted, nearest
from noria.contracts.field_types import NAME_PATTERN, SOURCE_PATTERN, ZONE_PATTERN
from noria.contracts.sources import SHEET_PATTERN, SOURCE_KINDS, URL_PATTERN

Item = Mapping[str, Any]
LONGEST = 60  # characters of a value that are shown

VALUE_TYPES = {
    "string_type": "a text", "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "int_parsing_size": "a whole number",
    "float_type": "a number", "float_parsing": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false", "list_type": "a list",
    "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping",
    "datetime_type": "a time", "datetime_parsing": "a time",
    "datetime_from_date_parsing": "a time",
}  # fmt: skip
PATTERNS = {
    NAME_PATTERN: "write lower case, digits and hyphens, a letter first, 2 to 41 characters, such "
    "as late-flights",
    SOURCE_PATTERN: "write lower case, digits and underscores, a letter first, such as "
    "flight_plans",
    ZONE_PATTERN: "write an IANA time zone such as Europe/Berlin",
    URL_PATTERN: "write an address that begins with https://",
    SHEET_PATTERN: "write the sheet's id, which stands between /d/ and the next slash of its "
    "address",
}


def in_words(value: Any) -> str:
    """A value as the contract writes it, cut where it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, date):
        return f"the date {value}"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}...{text[-1]}"


def sentence(item: Item) -> str:
    """What is wrong with a value, and what to write instead."""
    if item["input"] is None and item["type"] in VALUE_TYPES:
        return f"is empty; write {VALUE_TYPES[item['type']]}"
    found = _name if item["loc"][-1:] == ("[key]",) else _SENTENCES.get(item["type"])
    if found is not None:
        return found(item)
    message = str(item["msg"]).removeprefix("Value error, ")
    value = item.get("input")
    told = isinstance(value, dict | list) or repr(value) in message
    return f"{message[:1].lower()}{message[1:]}" + ("" if told else f" (given: {in_words(value)})")


def one_of(item: Item, others: Sequence[str] = ()) -> str:
    """Tell a word that is none of the known ones, the nearest of them and all of them."""
    value, choices = item["input"], re.findall(r"'([^']*)'", item["ctx"]["expected"])
    takes = [*(f"'{choice}'" for choice in choices), *others]
    if isinstance(value, str) and (close := _meant(value, choices)) is not None:
        return f"{in_words(value)} is not known; did you mean '{close}'? ({_listed(takes)})"
    return f"{in_words(value)} is not known; write {_listed(takes)}"


def _meant(value: str, choices: Sequence[str]) -> str | None:
    """The choice that a spelling is near to; blanks and hyphens are as good as underscores."""
    return nearest(re.sub(r"[\s-]+", "_", value.strip()), choices)


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _missing(item: Item) -> str:
    return "is missing; add it"


def _kind_missing(item: Item) -> str:
    return f"is missing; add one of {', '.join(SOURCE_KINDS)}"


def _kind_unknown(item: Item) -> str:
    kind = item["ctx"]["tag"]
    close = _meant(kind, SOURCE_KINDS)
    meant = f"did you mean '{close}'? " if close else ""
    return f"'{kind}' is no kind of source; {meant}use one of {', '.join(SOURCE_KINDS)}"


def _text(item: Item) -> str:
    value = item["input"]
    scalar = not isinstance(value, list | Mapping)
    quoted = f", in quotes: '{str(value).lower() if isinstance(value, bool) else value}'"
    return f"{in_words(value)} is no text; write one{quoted if scalar else ''}"


def _number(item: Item) -> str:
    kind = VALUE_TYPES[item["type"]]
    meant = _number_meant(item["input"])
    whole = meant is not None and float(meant).is_integer()
    fits = meant is not None and (kind == "a number" or whole)
    instead = f"write {meant}" if fits else "write one"
    return f"{in_words(item['input'])} is no {kind.removeprefix('a ')}; {instead}"


def _number_meant(value: Any) -> str | None:
    """A number as YAML takes it, of one with a percent sign or separators of thousands."""
    text = str(value).strip()
    if match := re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*%", text, re.ASCII):
        return f"{float(match[1]) / 100:g}"
    if re.fullmatch(r"-?\d{1,3}(?:[,_' ]\d{3})+(?:\.\d+)?", text, re.ASCII):
        return re.sub(r"[,_' ]", "", text)
    return None


def _boolean(item: Item) -> str:
    return f"{in_words(item['input'])} is neither true nor false; write one of them"


def _list(item: Item) -> str:
    value = item["input"]
    if isinstance(value, Mapping):
        return "is a mapping and no list; begin each entry with a hyphen"
    return f"{in_words(value)} is no list; write for example [{value}]"


def _mapping(item: Item) -> str:
    return f"{in_words(item['input'])} is no mapping; write for example {{name: value}}"


def _time(item: Item) -> str:
    return f"{in_words(item['input'])} is no time; write for example 2026-11-24T00:00:00Z"


def _pattern(item: Item) -> str:
    remedy = PATTERNS.get(item["ctx"]["pattern"], "write it as the schema says")
    return f"{in_words(item['input'])} does not fit; {remedy}"


def _short(item: Item) -> str:
    least = item["ctx"]["min_length"]
    if not item["input"]:
        return f"{in_words(item['input'])} is empty; write {counted(least, 'character')} at least"
    return f"{in_words(item['input'])} is too short; write {counted(least, 'character')} at least"


def _long(item: Item) -> str:
    return (
        f"{in_words(item['input'])} has {len(item['input']):,} characters; write "
        f"{item['ctx']['max_length']:,} at most"
    )


def _few(item: Item) -> str:
    return f"{in_words(item['input'])} is too little; give at least {item['ctx']['min_length']}"


def _many(item: Item) -> str:
    return f"has {len(item['input'])} entries; give {item['ctx']['max_length']} at most"


def _finite(item: Item) -> str:
    return f"{in_words(item['input'])} is no finite number; write one"


def _bound(name: str, wrong: str, words: str) -> Callable[[Item], str]:
    def tell(item: Item) -> str:
        value, limit = item["input"], item["ctx"][name]
        meant = f"; did you mean {value / 100:g}?" if _in_percent(value, limit) else ""
        return f"{in_words(value)} is {wrong}; write {words.format(f'{limit:,g}')}{meant}"

    return tell


def _in_percent(value: Any, limit: Any) -> bool:
    return isinstance(value, int | float) and limit == 1 and 1 < value <= 100


def _name(item: Item) -> str:
    wrong = "is no name" if isinstance(item["input"], str) else "is no text"
    return f"{in_words(item['input'])} {wrong}; write the name of a column, in quotes"


def _endless(item: Item) -> str:
    return "refers to itself; write it out"


_SENTENCES: dict[str, Callable[[Item], str]] = {
    "missing": _missing, "union_tag_not_found": _kind_missing, "union_tag_invalid": _kind_unknown,
    "literal_error": one_of, "string_type": _text, "list_type": _list, "dict_type": _mapping,
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size",
                     "float_type", "float_parsing"), _number),
    **dict.fromkeys(("bool_type", "bool_parsing"), _boolean),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing"), _time),
    "string_pattern_mismatch": _pattern, "string_too_short": _short, "string_too_long": _long,
    "too_short": _few, "too_long": _many, "finite_number": _finite, "invalid_key": _name,
    "greater_than": _bound("gt", "too small", "more than {}"),
    "greater_than_equal": _bound("ge", "too small", "{} at least"),
    "less_than": _bound("lt", "too large", "less than {}"),
    "less_than_equal": _bound("le", "too large", "{} at most"), "recursion_loop": _endless,
}  # fmt: skip
