"""How many rows a dropped file holds, without making a table of it where that can be avoided."""

import io
from pathlib import PurePosixPath

import pyarrow
from pyarrow import parquet

from noria.core.ingestion.readers import read_table
from noria.errors import DataError

PARQUET = b"PAR1"
LINES = {".jsonl", ".ndjson", ".jsonlines"}
TEXT = {".csv", ".tsv", ".txt"}


def count_rows(content: bytes, name: str, format: str | None = None) -> int:  # noqa: A002
    """Count a file's rows; 0 where it cannot be read, for then no run can use it either."""
    suffix = PurePosixPath(name).suffix.lower()
    if content.startswith(PARQUET):
        return _in_parquet(content)
    if suffix in LINES:
        return _lines(content)
    # A quoted field may hold line breaks: then only reading it tells.
    if (format == "csv" or suffix in TEXT) and b'"' not in content:
        return max(0, _lines(content) - 1)
    try:
        return len(read_table(content, name, format))
    except DataError:
        return 0


def _in_parquet(content: bytes) -> int:
    try:
        return int(parquet.ParquetFile(io.BytesIO(content)).metadata.num_rows)
    except pyarrow.ArrowInvalid:
        return 0


def _lines(content: bytes) -> int:
    text = content.rstrip()
    return text.count(b"\n") + 1 if text else 0
