"""Reading the bytes of a source into a table; an address is never handed to pandas."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa

from noria.core.ingestion import (
    csv_reader,
    excel_reader,
    json_reader,
    parquet_reader,
    schema_unification,
)
from noria.core.ingestion.archives import ARCHIVES, PARQUET, WORKBOOKS, recognised, unpacked
from noria.errors import DataError

FORMATS = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "parquet": "parquet",
    "pq": "parquet",
    "json": "json",
    "jsonl": "json",
    "jsonlines": "json",
    "ndjson": "json",
    **dict.fromkeys(("excel", "xlsx", "xlsm", "xlsb", "xls", "ods"), "excel"),
}
READERS = {
    "csv": csv_reader.read_csv,
    "parquet": parquet_reader.read_parquet,
    "json": json_reader.read_json,
    "excel": excel_reader.read_excel,
}


def read_tables(files: Sequence[tuple[str, bytes]], format: str | None = None) -> pd.DataFrame:  # noqa: A002
    """Read the files of one source and put their rows one after another.

    Raises DataError when a file is unreadable or its columns differ from the first file's.
    """
    if not files:
        raise DataError("the source has no files: put a CSV, Parquet or JSON file there")
    if len(files) == 1:
        return read_table(files[0][1], files[0][0], format)
    tables = [
        (name, schema_unification.to_table(read_table(content, name, format)))
        for name, content in files
    ]
    schema = schema_unification.unified([(name, table.schema) for name, table in tables])
    stacked: pd.DataFrame = pa.concat_tables(
        [schema_unification.conformed(table, schema) for _, table in tables]
    ).to_pandas()
    return stacked


def read_table(content: bytes, name: str, format: str | None = None) -> pd.DataFrame:  # noqa: A002
    """Read one file: CSV, Parquet, JSON (lines or an array) or Excel, also inside gzip or zip.

    The format comes from the contract, else from the name's suffix, else from the content.
    `attrs["notes"]` has sentences on how values were read that a person may want to know.
    Raises DataError naming the file and the remedy when the content cannot be that.
    """
    if not content:
        raise DataError(f"{name} is empty (0 bytes): upload it again")
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    content, inner = unpacked(content, name, by_content=suffix not in FORMATS)
    kind = _format_of(inner, format, content)
    _check_content(content, name, kind)
    return READERS[kind](content, name)


def _format_of(name: str, declared: str | None, content: bytes) -> str:
    if declared is not None:
        if declared.lower() not in FORMATS:
            raise DataError(
                f"format {declared!r} of {name} is unknown: use csv, parquet, json or excel"
            )
        return FORMATS[declared.lower()]
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    if suffix in FORMATS:
        return FORMATS[suffix]
    if content.startswith(PARQUET):
        return "parquet"
    if recognised(content) in WORKBOOKS:
        return "excel"
    return "json" if content.lstrip()[:1] in (b"[", b"{") else "csv"


def _check_content(content: bytes, name: str, kind: str) -> None:
    """Refuse content whose first bytes say that it is something else."""
    found = recognised(content)
    if kind == "csv" and content.lstrip()[:2] in (b'{"', b"[{"):
        found = "JSON, such as a service's error"
    if kind == "excel" and found in (*WORKBOOKS, "a zip archive"):
        return
    if kind == "parquet" and found != "a Parquet file":
        raise DataError(
            f"{name} should be Parquet but {'is ' + found if found else 'has no PAR1 mark'}: "
            f"{_remedy(found) if found else 'set the source format or rename the file'}"
        )
    if kind != "parquet" and found is not None:
        raise DataError(f"{name} should be {kind.upper()} but is {found}: {_remedy(found)}")


def _remedy(found: str) -> str:
    if found in ARCHIVES:
        return "pack the table once, in gzip or zip"
    if found.startswith("an encrypted"):
        return "write it without encryption"
    return "export the table itself, or set the source's format"
