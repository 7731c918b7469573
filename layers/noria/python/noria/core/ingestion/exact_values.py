"""Columns without loss: which texts a number brings back, and numbers that pandas cannot hold."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from noria.core.ingestion.raw_text import LARGEST_WHOLE, LONG_DIGITS

EXACT_DIGITS = 15  # significant digits that a double always gives back (IEEE 754)
PROBED = 1000  # texts that are looked at first, as most columns of texts show it soon
CODES = r"^(?:0\d|0[xX])"
#: How floats are written with a fraction always: 2.0 beside 2.5, never 2.
WHOLE, POINTED = r"^[^.eE]+$", r"\.0$"


def retyped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read texts as numbers where those bring every text back as it is written, else keep them."""
    if texts.null_count == len(texts):
        return texts
    some = pc.unique(texts.slice(0, PROBED))
    distinct = None
    for kind in (pa.int64(), pa.float64(), pa.bool_()):
        if _brings_back(some, kind):
            distinct = pc.unique(texts) if distinct is None else distinct
            if _brings_back(distinct, kind):
                return texts.cast(kind)
    return texts


def _brings_back(texts: pa.Array, kind: pa.DataType) -> bool:
    """Whether values of a type give back each text that they are read from."""
    try:
        written = texts.cast(kind).cast(texts.type)
    except pa.ArrowInvalid:
        return False
    return pc.all(pc.equal(written, _unpointed(texts, kind))).as_py() is not False


def _unpointed(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Texts as Arrow writes floats, 2 for 2.0, where they are all written in the other way."""
    if not pa.types.is_floating(kind) or pc.any(pc.match_substring_regex(texts, WHOLE)).as_py():
        return texts
    return pc.replace_substring_regex(texts, POINTED, "")


def loses_texts(texts: pa.ChunkedArray) -> bool:
    """Whether texts that parse as numbers hold codes such as 0123, or digits beyond a double."""
    if pc.any(pc.match_substring_regex(texts, CODES)).as_py():
        return True
    long = texts.filter(pc.match_substring_regex(texts, LONG_DIGITS))
    return any(abs(int(text)) > LARGEST_WHOLE for text in pc.unique(long).to_pylist())


def plain_integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers stay numbers only where pandas holds each of them exactly.

    It has floats where some are missing; what those cannot count by one are names, not amounts.
    """
    ends = pc.min_max(column).as_py()
    far = max(abs(ends["min"] or 0), abs(ends["max"] or 0)) > LARGEST_WHOLE
    if far and (column.null_count or ends["max"] >= 2**63):
        return column.cast(pa.large_string())
    return column.cast(pa.int64()) if pa.types.is_uint64(column.type) else column


def whole_decimals(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimals without a fraction as whole numbers, beyond 64 bits as texts."""
    try:
        return plain_integers(column.cast(pa.int64()))
    except pa.ArrowInvalid:
        return decimal_texts(column)


def decimal_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimals as one text each, without zeros at their end."""
    texts = [None if value is None else _decimal_text(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def _decimal_text(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_frame(table: pa.Table) -> pd.DataFrame:
    """A stored table for pandas; decimals are floats where those hold all their digits."""
    columns = [_for_pandas(column) for column in table.columns]
    plain = pa.table(columns, names=table.column_names)
    frame: pd.DataFrame = plain.to_pandas()
    return frame


def _for_pandas(column: pa.ChunkedArray) -> Any:
    if pa.types.is_integer(column.type):
        return plain_integers(column)
    if not pa.types.is_decimal(column.type):
        return column
    if column.type.precision <= EXACT_DIGITS:
        return column.cast(pa.float64())
    ends = [abs(end) for end in pc.min_max(column).as_py().values() if end is not None]
    exact = all(end < Decimal(10) ** (EXACT_DIGITS - column.type.scale) for end in ends)
    return column.cast(pa.float64()) if exact else decimal_texts(column)
