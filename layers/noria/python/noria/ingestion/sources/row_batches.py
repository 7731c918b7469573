"""Rows of a database as Parquet: plain numbers, text, booleans and timestamps."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from noria.errors import DataError
from noria.ingestion.sources.driver_types import Beyond


def check_names(names: Sequence[str]) -> None:
    """Refuse columns without a name, and two of one name."""
    if not names:
        raise DataError("has no columns: select some")
    empty = [number for number, name in enumerate(names, 1) if not name.strip()]
    if empty:
        raise DataError(f"column {empty[0]} of {len(names)} has no name: give it one with AS")
    counts = Counter(name.strip() for name in names)
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise DataError(
            f"more than one column is named {', '.join(repeated)}: rename them with AS, or select "
            "one of them"
        )


def to_parquet(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[bytes, dict[str, int]]:
    """Write one chunk of rows; a column of several types becomes text.

    Returns the bytes, and how many values of each column are missing because they are `Beyond`.
    """
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    beyond = {name: sum(isinstance(value, Beyond) for value in values)
              for name, values in zip(names, columns, strict=True)}  # fmt: skip
    arrays = [_array([_plain(value) for value in values]) for values in columns]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_arrays(arrays, names=list(names)), sink)
    return bytes(sink.getvalue()), {name: count for name, count in beyond.items() if count}


def _array(values: list[Any]) -> pa.Array:
    if any(isinstance(value, Decimal) for value in values):
        values = _numbers(values)
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])


def _numbers(values: list[Any]) -> list[Any]:
    """Decimals as they are, whole ones as whole numbers; NaN and infinity are missing."""
    known = [None if isinstance(value, Decimal) and not value.is_finite() else value
             for value in values]  # fmt: skip
    present = [value for value in known if isinstance(value, Decimal)]
    if all(value == value.to_integral_value() for value in present):
        return [int(value) if isinstance(value, Decimal) else value for value in known]
    return known


def _plain(value: Any) -> Any:
    """What a model can use: documents as JSON text, bytes as hexadecimal, durations in seconds."""
    if isinstance(value, Beyond):
        return None
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if value is None or isinstance(value, bool | int | float | str | date | Decimal):
        return value
    return str(value)
