"""Rows of a file as rows of a request: the columns that a model reads, in values that JSON has.

A text file has no types. Numerals are numbers where the model has a number, and texts where it has
a category; all else is left to what reads a request's values, which refuses it row by row.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from noria.common.messages import comma_list, nearest
from noria.core.model.signature import Field, Signature
from noria.core.model.text_numerals import json_number
from noria.errors import DataError


def exact_columns(signature: Signature) -> frozenset[str]:
    """The columns of a text file whose texts count: categories, prose and keys of entities."""
    texts = [field.name for field in signature.columns if field.kind in ("category", "text")]
    return frozenset([*texts, *_keys(signature)])


def columns_to_read(names: Sequence[str], signature: Signature, file: str) -> list[str]:
    """Choose the columns of a file that go into requests; the others only stand beside the answers.

    Raises DataError where there are none, and where a name looks like a misspelt one of a field
    that the file does not have.
    """
    wanted = dict.fromkeys([*signature.names, *_looked_up_by(signature)])
    read = [name for name in names if name in wanted]
    if not read:
        raise DataError(
            f"{file} has no column that the model reads: name its columns as GET /model does "
            f"({comma_list(wanted)})"
        )
    _refuse_misspelt(names, signature, file)
    return read


def request_rows(
    columns: Mapping[str, Sequence[object]], signature: Signature
) -> list[dict[str, Any]]:
    """Turn columns of equal length into rows of a request."""
    fields = {field.name: field for field in signature.columns}
    read = [[_value(value, fields.get(name)) for value in values]
            for name, values in columns.items()]  # fmt: skip
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*read, strict=True)]


def _refuse_misspelt(names: Sequence[str], signature: Signature, file: str) -> None:
    missing = [field.name for field in signature.asked if field.name not in names]
    known = {*signature.known, signature.target}
    found = {name: nearest(name, missing) for name in names if name not in known}
    told = [f"{name!r} (did you mean {near!r}?)" for name, near in found.items() if near]
    if told:
        raise DataError(
            f"{file}: the model does not know {comma_list(told)}: rename, or add the column that "
            "is missing, empty where its values are unknown"
        )


def _keys(signature: Signature) -> list[str]:
    return [key.name for key in signature.history.keys] if signature.history else []


def _looked_up_by(signature: Signature) -> list[str]:
    return signature.history.fields if signature.history else []


def _value(value: object, field: Field | None) -> Any:
    """One value; `field` is None for what only names an entity or an instant."""
    plain = _plain(value)
    if plain is None or field is None:
        return plain
    if field.kind == "number" and isinstance(plain, str):
        return _number(plain, field)
    return _text(plain, field) if field.kind in ("category", "text") else plain


def _plain(value: object) -> Any:
    if value is None or value != value:  # NaN is not itself
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _number(text: str, field: Field) -> float | str:
    """A numeral as the number that it is, unless the source wrote its numbers in a way of its own.

    Marks of a missing value come first, as they do where a request is read.
    """
    notation = field.notation
    if notation.boolean or notation.decimal is not None or notation.is_missing(text):
        return text
    number = json_number(text)
    return text if number is None else number


def _text(value: Any, field: Field) -> Any:
    """What a parser made a number or a truth value of is the text again that the model knows."""
    if isinstance(value, bool):
        return str(value).lower() if field.truth_text(value) is None else value
    if isinstance(value, int | float) and not field.has_numbers:
        return str(value)
    return value
