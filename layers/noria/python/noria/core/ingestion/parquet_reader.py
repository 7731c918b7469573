"""Parquet files, and Arrow tables as plain pandas columns."""

import re
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as arrow_parquet

from noria.common.messages import listed
from noria.core.ingestion.archives import MAXIMUM_UNPACKED
from noria.core.ingestion.raw_text import LARGEST_WHOLE, check_names, nested_error
from noria.errors import DataError

CONTENT = ("a Parquet file",)
"""What `archives.recognised` says of such files."""
CELL_BYTES = 8  # of a number in memory
PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def read_parquet(content: bytes, name: str) -> pd.DataFrame:
    """Read a Parquet file; DataError for damage, bad names, nested columns and no rows.

    Durations become seconds.
    """
    try:
        file = arrow_parquet.ParquetFile(pa.BufferReader(content))
        names = [column.strip() for column in file.schema_arrow.names]
        check_names(names, name)
        _check_size(file.metadata, name)
        table = file.read().rename_columns(names)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{name} is a damaged Parquet file ({_first_line(error)}): upload it again"
        ) from error
    index = [column for column in names if re.fullmatch(r"__index_level_\d+__", column)]
    table = table.drop_columns(index)
    if table.num_rows == 0 or table.num_columns == 0:
        raise DataError(
            f"{name} has columns ({listed(table.column_names, 5)}) but no rows: add the data"
        )
    return to_pandas(table, name)


def _check_size(metadata: Any, name: str) -> None:
    """Runs of one value are packed to almost nothing: what they unpack to is in the footer."""
    cells = metadata.num_rows * metadata.num_columns
    if cells * CELL_BYTES > MAXIMUM_UNPACKED:
        raise DataError(
            f"{name} holds {metadata.num_rows} rows of {metadata.num_columns} columns, more than "
            f"{MAXIMUM_UNPACKED // 1024**3} GiB: split it into parts"
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def to_pandas(table: pa.Table, name: str) -> pd.DataFrame:
    """Convert an Arrow table to plain pandas types: numbers, text, booleans and timestamps."""
    columns = [_plain(table[field.name], name, field.name) for field in table.schema]
    plain = pa.table(columns, names=table.column_names)
    frame: pd.DataFrame = plain.to_pandas(ignore_metadata=True)
    return frame


def _plain(column: pa.ChunkedArray, name: str, title: str) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.UuidType):
        return _texts(column, lambda value: str(value))
    if isinstance(kind, pa.BaseExtensionType):
        column = column.cast(kind.storage_type)
        kind = column.type
    if pa.types.is_nested(kind):
        raise nested_error(name, title)
    if pa.types.is_fixed_size_binary(kind):
        return _texts(column, bytes.hex)
    if pa.types.is_duration(kind):
        return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False),
                         PER_SECOND[kind.unit])  # fmt: skip
    if pa.types.is_decimal(kind) and kind.scale <= 0:
        return _exact(_integers(column))
    try:
        column = column.cast(_plain_type(kind))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"{name}: column {title!r} ({kind}) cannot be read as {_plain_type(kind)} "
            f"({_first_line(error)}): write it as text, or leave it out"
        ) from error
    return _exact(column)


def _plain_type(kind: Any) -> Any:
    """Choose the plain Arrow type that a column is converted to."""
    types = pa.types
    if types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if types.is_date(kind):
        return pa.timestamp("s")
    if types.is_decimal(kind) or types.is_float16(kind):
        return pa.float64()
    textual = (types.is_time, types.is_binary, types.is_large_binary, types.is_binary_view,
               types.is_string_view)  # fmt: skip
    return pa.string() if any(is_it(kind) for is_it in textual) else kind


def _integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.string())


def _exact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers stay numbers only where pandas holds each of them exactly.

    It has floats where some are missing; what those cannot count by one are names, not amounts.
    """
    if not pa.types.is_integer(column.type):
        return column
    ends = pc.min_max(column).as_py()
    far = max(abs(ends["min"] or 0), abs(ends["max"] or 0)) > LARGEST_WHOLE
    if far and (column.null_count or ends["max"] >= 2**63):
        return column.cast(pa.string())
    return column.cast(pa.int64()) if pa.types.is_uint64(column.type) else column


def _texts(column: pa.ChunkedArray, write: Any) -> pa.ChunkedArray:
    values = [None if value is None else write(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.string())])
