"""Rows of a database as Parquet: plain numbers, text, booleans and timestamps."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet


def to_parquet(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Write one chunk of rows; a column of several types becomes text."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    arrays = [_array([_plain(value) for value in values]) for values in columns]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_arrays(arrays, names=list(names)), sink)
    return bytes(sink.getvalue())


def _array(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])


def _plain(value: Any) -> Any:
    """What a model can use: decimals as floats, documents as JSON text, bytes as hexadecimal."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if value is None or isinstance(value, bool | int | float | str | date):
        return value
    return str(value)
