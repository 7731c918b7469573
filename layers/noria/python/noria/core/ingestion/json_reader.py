"""JSON: an array of objects, or one object per line, as plain columns."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

import pandas as pd

from noria.core.ingestion.file_table import NESTED, FileTable
from noria.core.ingestion.raw_text import LARGEST_WHOLE, check_names, decoded
from noria.core.ingestion.schema_unification import to_table
from noria.errors import DataError

CONTENT: tuple[str, ...] = ()
"""What `archives.recognised` says of such files: nothing, as they are text."""
KINDS = {"int": "a number", "float": "a number", "str": "a text", "list": "an array",
         "bool": "true or false", "NoneType": "null"}  # fmt: skip
LONG = re.compile(r"(-?\d{16,})\.0+(?![\deE])")
REMEDY = "write one object per line, or one array of objects"


def read_json(content: bytes, name: str, exact: Collection[str] = ()) -> FileTable:
    """Read JSON, whose values have types already: an array of objects, or one object per line.

    NaN is a missing value. Columns with nested values are left out. Raises DataError for what is no
    JSON, other records, unreadable values, bad names and no records.
    """
    text = decoded(content, name).strip()
    found = _array(text, name) if text.startswith("[") else _lines(text, name)
    if not found:
        raise DataError(f"{name} holds no records: add the data")
    names = list(dict.fromkeys(column for record in found for column in record))
    if not names:
        raise DataError(f"{name} holds {len(found)} records without fields: name their values")
    check_names([column.strip() for column in names], name)
    for column in names:
        _check_writable([column], name, column.encode(errors="replace").decode())
    nested = [column for column in names
              if any(isinstance(record.get(column), dict | list) for record in found)]  # fmt: skip
    columns = {
        column.strip(): _column([record.get(column) for record in found], name, column.strip())
        for column in names
        if column not in nested
    }
    left_out = {column.strip(): NESTED for column in nested}
    return FileTable(to_table(pd.DataFrame(columns)), left_out=left_out)


def _array(text: str, name: str) -> list[dict[str, Any]]:
    records = _loaded(text, name)
    return [_record(item, f"{name}, record {number}") for number, item in enumerate(records, 1)]


def _lines(text: str, name: str) -> list[dict[str, Any]]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) == 1:
        _refuse_wrapped(_loaded(text, f"{name}, line 1"), name)
    return [
        _record(_loaded(line, f"{name}, line {number}"), f"{name}, line {number}")
        for number, line in lines
    ]


def _loaded(text: str, place: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=lambda pairs: _unrepeated(pairs, place),
            parse_float=_exact if LONG.search(text) else None,
        )
    except (ValueError, RecursionError) as error:  # too long a number is a plain ValueError
        raise DataError(f"{place} is not valid JSON ({error}): {REMEDY}") from error


def _exact(text: str) -> float | int:
    """A whole number that is written with a fraction of zeros, 12345678901234567890.0, as one."""
    number = float(text)
    written = LONG.fullmatch(text)
    return int(written[1]) if written and abs(number) >= LARGEST_WHOLE else number


def _unrepeated(pairs: list[tuple[str, Any]], place: str) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        field = Counter(field for field, _ in pairs).most_common(1)[0][0]
        raise DataError(f"{place} has field {field!r} more than once: keep one")
    return record


def _record(item: Any, place: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise DataError(f"{place} is {KINDS[type(item).__name__]} and no object: {REMEDY}")
    return item


def _refuse_wrapped(item: Any, name: str) -> None:
    """A service's answer often holds its records in a field."""
    for field, value in item.items() if isinstance(item, dict) else ():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            raise DataError(
                f"{name} is one object whose field {field!r} holds {len(value)} records: "
                "give that array alone"
            )


def _column(values: list[Any], name: str, title: str) -> pd.Series:
    """Keep numbers and booleans; a column of mixed JSON values becomes text."""
    values = [None if value != value else value for value in values]  # NaN is not itself
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bool) for value in present):
        return pd.Series(values, dtype="object" if len(present) < len(values) else "bool")
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool)
                  for value in present)  # fmt: skip
    if numeric and not present:
        return pd.Series([None] * len(values), dtype="object")
    if numeric and _fits(values, present):
        whole = len(present) == len(values) and all(isinstance(value, int) for value in present)
        return pd.Series(values, dtype="int64" if whole else "float64")
    texts = [None if value is None else _text(value) for value in values]
    _check_writable(texts, name, title)
    return pd.Series(texts, dtype="str")


def _fits(values: list[Any], present: list[Any]) -> bool:
    """Whether every whole number is kept as it is: as an integer, or where floats count by one."""
    whole = [value for value in present if isinstance(value, int)]
    if len(whole) == len(values):
        return all(-(2**63) <= value < 2**63 for value in whole)
    return all(abs(value) <= LARGEST_WHOLE for value in whole)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return str(int(value))  # 1.0 and 1 are the same number in JSON
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _check_writable(texts: Iterable[str | None], name: str, title: str) -> None:
    for row, text in enumerate(texts, 1):
        if text is not None and not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            raise DataError(
                f"{name}: column {title!r}, record {row} holds half a character (\\ud800 to "
                "\\udfff), which no text may: write the whole one"
            )
