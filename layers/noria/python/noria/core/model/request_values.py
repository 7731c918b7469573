"""Values of requests and of logged predictions, read as training read those of its source."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from noria.common.arrays import Array
from noria.common.categories import tidy
from noria.common.messages import ascii_repr
from noria.common.timestamps import RefusedError
from noria.core.column_types.number_parsing import read_numerals
from noria.core.data.dataset import empty_value, typed
from noria.core.data.notation import Notation
from noria.core.data.written_times import is_missing_time, written_seconds
from noria.core.model.signature import Field
from noria.errors import RequestError

MAXIMUM_TEXT = 1000  # characters of one value: a logged record stays far below its limit
MAXIMUM_FREE_TEXT = 100_000  # of a column of prose
LARGEST = {bits: float(np.finfo(kind).max) for bits, kind in ((32, np.float32), (64, np.float64))}
_TEXTS = {str, type(None)}
LARGEST_WHOLE = 2**53  # above it a double no longer counts by one
WHOLE = re.compile(r"(-?\d+)\.0+", re.ASCII)

Reader = Callable[[Any, Field], float | str | int]
Refused = Callable[[int, object, RefusedError], None]


def request_column(values: Sequence[object], field: Field) -> Array:
    """Read a field's values, one per row; null is missing. RequestError names the first bad one."""

    def refuse(row: int, value: object, refusal: RefusedError) -> None:
        raise RequestError(
            f"row {row}, field {field.name!r}: {ascii_repr(value)} {refusal}"
        ) from None

    plain = _plain_numbers(values, field)
    return typed(field.kind, _read(values, field, refuse), field.double) if plain is None else plain


def logged_column(values: Sequence[object], field: Field) -> Array:
    """Read a field's logged values; what was of another type is missing."""
    read = _read(values, field, lambda row, value, refusal: None)
    return typed(field.kind, read, field.double)


def _plain_numbers(values: Sequence[object], field: Field) -> Array | None:
    """Read numbers that need no second look all at once; None where one may."""
    notation = field.notation
    if field.kind != "number" or notation.boolean or notation.missing_numbers:
        return None
    if not set(map(type, values)) <= {int, float, type(None)}:
        return None
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:  # Python integers can be larger than every float
        return None
    finite = int(np.count_nonzero(np.abs(numbers) <= LARGEST[_bits(field)]))
    if finite + list(values).count(None) != len(values):
        return None
    return typed("number", numbers, field.double)


def _bits(field: Field) -> int:
    return 64 if field.double else 32


def _read(values: Sequence[object], field: Field, refused: Refused) -> list[Any]:
    """Read each text once, and all else one by one."""
    read, missing = partial(_limited, _READERS[field.kind]), empty_value(field.kind)
    known: dict[object, Any] = {None: missing}
    if set(map(type, values)) <= _TEXTS:
        try:
            known |= {text: read(text, field) for text in {*values} - {None}}
            return list(map(known.__getitem__, values))
        except RefusedError:
            known = {None: missing}  # in order, for the first row that is refused is to be named
    found = []
    for row, value in enumerate(values):
        seen = value is None or type(value) is str
        if seen and value in known:
            found.append(known[value])
            continue
        try:
            one = read(value, field)
        except RefusedError as refusal:
            refused(row, value, refusal)
            one = missing
        if seen:
            known[value] = one
        found.append(one)
    return found


def _limited(read: Reader, value: Any, field: Field) -> float | str | int:
    """Read a value that is not longer than a logged record may hold."""
    if isinstance(value, str) and len(value) > MAXIMUM_TEXT:
        most = MAXIMUM_FREE_TEXT if field.kind == "text" else MAXIMUM_TEXT
        if len(value) > most:
            raise RefusedError(f"has {len(value)} characters; send at most {most}")
    return read(value, field)


def _number(value: object, field: Field) -> float:
    notation = field.notation
    number = value
    if isinstance(value, str):
        if notation.is_missing(value):
            return float("nan")
        number = notation.truth(value) if notation.boolean else _written(value, notation)
    elif isinstance(value, bool) and not field.takes_truths:
        number = None
    if not isinstance(number, int | float):
        raise RefusedError(f"is not a {_wanted(field)}")
    if number in notation.missing_numbers and not isinstance(value, bool):
        return float("nan")
    # Compared before any conversion: Python integers can be larger than every float.
    bits = _bits(field)
    if not -LARGEST[bits] <= number <= LARGEST[bits]:
        raise RefusedError(f"is not a finite {bits}-bit number: send one, or null if unknown")
    if notation.boolean and number not in (0, 1):
        raise RefusedError(f"is not a {_wanted(field)}")
    return float(number)


def _wanted(field: Field) -> str:
    """Say what a field of numbers takes, and how its source wrote them."""
    notation = field.notation
    if notation.boolean:
        written = " or ".join(map(repr, notation.truths))
        return f"truth value: send true, false{f', {written}' if written else ''} or null"
    if notation.units:
        return f"number in {field.unit}: send a number, a text such as '5 {field.unit}', or null"
    if notation.decimal is not None:
        shown = f"1{notation.decimal}5"
        return f"number: send a number, a text such as {shown!r}, or null"
    return "number: send a number or null"


def _written(text: str, notation: Notation) -> float | None:
    """Read a text as a number, by the decimal mark and the units that the source had."""
    text = tidy(text)
    for unit in sorted(notation.units, key=len, reverse=True):
        if text.endswith(unit):
            factor, offset = notation.units[unit]
            number = _numeral(text.removesuffix(unit).strip(), notation.decimal or ".")
            return None if number is None else number * factor + offset
    return None if notation.decimal is None else _numeral(text, notation.decimal)


def _numeral(text: str, decimal: str) -> float | None:
    found = read_numerals([text], [1], 1.0, decimal)
    return None if found is None or found.numbers is None else float(found.numbers[0])


def _category(value: object, field: Field) -> str:
    if isinstance(value, bool):
        text = field.truth_text(value)
    elif isinstance(value, int | float):
        text = "" if field.notation.is_missing(value) else _number_text(value, field)
    else:
        text = _text_of(value, field)
        if field.type == "integer" and text not in field.known_texts:
            whole = WHOLE.fullmatch(tidy(text))
            text = whole[1] if whole else text
    if text is None:
        raise RefusedError("is not a text: send a string or null")
    return text


def _number_text(value: float, field: Field) -> str | None:
    """Write a number as the category that it is; None where none of its texts is a number."""
    if isinstance(value, float) and not np.isfinite(value):
        return None
    whole = isinstance(value, int) or value.is_integer()
    texts = [str(int(value))] if whole else []
    if abs(value) < LARGEST_WHOLE:
        texts.append(repr(float(value)))
    known = next((text for text in texts if text in field.known_texts), None)
    if known is not None or not field.has_numbers:
        return known
    return texts[-1] if field.type == "number" else texts[0]


def _text_of(value: object, field: Field) -> str:
    if not isinstance(value, str):
        raise RefusedError("is not a text: send a string or null")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RefusedError("is not valid Unicode: send a string without lone surrogates") from None
    return "" if field.notation.is_missing(value) else value


def _free_text(value: object, field: Field) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _text_of(value, field)


def _timestamp(value: object, field: Field) -> int:
    if is_missing_time(value, field.notation):
        return int(empty_value("timestamp"))
    return written_seconds(value, field.notation, field.zone)


_READERS: dict[str, Reader] = {
    "number": _number, "category": _category, "text": _free_text, "timestamp": _timestamp
}  # fmt: skip
