"""Arrow columns as plain ones: numbers, decimals, texts, booleans and times."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from noria.core.ingestion.exact_values import plain_integers, whole_decimals
from noria.core.ingestion.file_table import NESTED, FileTable

PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def plain_table(table: pa.Table) -> FileTable:
    """Bring columns to plain types; those without plain values are left out."""
    columns, left_out = dict[str, pa.ChunkedArray](), dict[str, str]()
    for field, column in zip(table.schema, table.columns, strict=True):
        if is_nested(field.type):
            left_out[field.name] = NESTED
            continue
        try:
            columns[field.name] = _plain(column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            kind = _plain_type(field.type)
            told = (str(error).splitlines() or [type(error).__name__])[0]
            left_out[field.name] = f"({field.type}) cannot be read as {kind} ({told})"
    return FileTable(pa.table(columns), left_out=left_out)


def is_nested(kind: pa.DataType) -> bool:
    """Whether values of a type have parts."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return bool(pa.types.is_nested(kind))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind, types = column.type, pa.types
    if isinstance(kind, pa.UuidType):
        return _texts(column, str)
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(column.cast(kind.storage_type))
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return _plain(column.cast(kind.value_type))
    if types.is_fixed_size_binary(kind):
        return _texts(column, bytes.hex)
    if types.is_duration(kind):
        return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False),
                         PER_SECOND[kind.unit])  # fmt: skip
    if types.is_decimal(kind):
        return whole_decimals(column) if kind.scale <= 0 else column
    column = column.cast(_plain_type(kind))
    return plain_integers(column) if types.is_integer(kind) else column


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Choose the plain Arrow type that a column is converted to."""
    types = pa.types
    if types.is_date(kind):
        return pa.timestamp("s")
    if types.is_float16(kind):
        return pa.float64()
    textual = (types.is_time, types.is_binary, types.is_large_binary, types.is_binary_view,
               types.is_string, types.is_string_view)  # fmt: skip
    return pa.large_string() if any(is_it(kind) for is_it in textual) else kind


def _texts(column: pa.ChunkedArray, write: Any) -> pa.ChunkedArray:
    values = [None if value is None else write(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.large_string())])
