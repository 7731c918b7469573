"""Parquet files."""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as arrow_parquet

from noria.common.messages import comma_list
from noria.core.ingestion.archives import MAXIMUM_UNPACKED
from noria.core.ingestion.file_table import NESTED, FileTable
from noria.core.ingestion.plain_types import is_nested, plain_table
from noria.core.ingestion.raw_text import check_names
from noria.errors import DataError

CONTENT = ("a Parquet file",)
"""What `archives.recognised` says of such files."""
CELL_BYTES = 8  # of a number in memory
INDEX = re.compile(r"\s*__index_level_\d+__\s*$")  # how pandas stores an index without a name


def read_parquet(content: bytes, name: str, exact: Collection[str] = ()) -> FileTable:
    """Read a Parquet file, whose columns have types already; durations become seconds.

    Raises DataError for damage, bad names and no rows. Nested columns are not read.
    """
    try:
        file = arrow_parquet.ParquetFile(pa.BufferReader(content))
        schema = file.schema_arrow
        check_names([column.strip() for column in schema.names], name)
        _check_size(file.metadata, name)
        nested = [field.name for field in schema if is_nested(field.type)]
        unread = [column for column in schema.names if column in nested or INDEX.match(column)]
        kept = [column for column in schema.names if column not in unread]
        table = file.read(columns=kept) if unread else file.read()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{name} is a damaged Parquet file ({_first_line(error)}): upload it again"
        ) from error
    if file.metadata.num_rows == 0 or not (kept or nested):
        raise DataError(f"{name} has columns ({comma_list(kept, 5)}) but no rows: add the data")
    read = plain_table(table.rename_columns([column.strip() for column in table.column_names]))
    left_out = {column.strip(): NESTED for column in nested}
    return replace(read, left_out={**left_out, **read.left_out})


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
