"""Reading the bytes of a source into a table; an address is never handed to pandas."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa

from noria.core import parsing, stacking, workbooks
from noria.errors import DataError

MAXIMUM_UNPACKED = 4 * 1024**3  # a Lambda has 10 GB; an archive that unpacks to more is refused
GZIP, ZIP, PDF, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"%PDF", b"PAR1"
WORKBOOKS = ("an Excel workbook", "an old Excel workbook")
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
    "csv": parsing.read_csv,
    "parquet": parsing.read_parquet,
    "json": parsing.read_json,
    "excel": workbooks.read_excel,
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
        (name, stacking.to_table(read_table(content, name, format))) for name, content in files
    ]
    schema = stacking.unified([(name, table.schema) for name, table in tables])
    stacked: pd.DataFrame = pa.concat_tables(
        [stacking.conformed(table, schema) for _, table in tables]
    ).to_pandas()
    return stacked


def read_table(content: bytes, name: str, format: str | None = None) -> pd.DataFrame:  # noqa: A002
    """Read one file: CSV, Parquet, JSON (lines or an array) or Excel, also inside gzip or zip.

    The format comes from the contract, else from the name's suffix, else from the content.
    Raises DataError naming the file and the remedy when the content cannot be that.
    """
    if not content:
        raise DataError(f"{name} is empty (0 bytes): upload it again")
    content, inner = _unpacked(content, name)
    kind = _format_of(inner, format, content)
    _check_content(content, name, kind)
    return READERS[kind](content, name)


def _unpacked(content: bytes, name: str) -> tuple[bytes, str]:
    """Return the content without its compression, and the name without that suffix."""
    suffix = PurePosixPath(name).suffix.lower()
    if content.startswith(GZIP):
        return _gunzipped(content, name), name[: -len(suffix)] if suffix == ".gz" else name
    if suffix == ".gz":
        raise DataError(f"{name} is not gzip although its name says so: rename or compress it")
    if suffix == ".zip":
        return _unzipped(content, name)
    return content, name


def _gunzipped(content: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            plain = stream.read(MAXIMUM_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is damaged gzip ({error}): upload it again") from error
    return _bounded(plain, name)


def _unzipped(content: bytes, name: str) -> tuple[bytes, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [item.filename for item in archive.infolist() if not item.is_dir()]
            members = [member for member in members if not member.startswith("__MACOSX/")]
            if len(members) != 1:
                raise DataError(f"{name} holds {len(members)} files: a zip may hold one table")
            with archive.open(members[0]) as stream:
                plain = stream.read(MAXIMUM_UNPACKED + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError) as error:
        raise DataError(f"{name} is not a readable zip ({error}): upload it again") from error
    return _bounded(plain, name), members[0]


def _bounded(plain: bytes, name: str) -> bytes:
    if len(plain) > MAXIMUM_UNPACKED:
        raise DataError(
            f"{name} unpacks to more than {MAXIMUM_UNPACKED // 1024**3} GiB: split it into parts"
        )
    if not plain:
        raise DataError(f"{name} is empty once unpacked: upload it again")
    return plain


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
    if _recognised(content) in WORKBOOKS:
        return "excel"
    return "json" if content.lstrip()[:1] in (b"[", b"{") else "csv"


def _check_content(content: bytes, name: str, kind: str) -> None:
    """Refuse content whose first bytes say that it is something else."""
    found = _recognised(content)
    if kind == "excel" and found in (*WORKBOOKS, "a zip archive"):
        return
    if kind == "parquet" and found != "a Parquet file":
        raise DataError(
            f"{name} should be Parquet but {'is ' + found if found else 'has no PAR1 mark'}: "
            "set the source's format or rename the file"
        )
    if kind != "parquet" and found is not None:
        raise DataError(
            f"{name} should be {kind.upper()} but is {found}: "
            "export the table itself, or set the source's format"
        )


def _recognised(content: bytes) -> str | None:
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if content.startswith(PARQUET):
        return "a Parquet file"
    if content.startswith(ZIP):
        excel = b"xl/" in content[:4096] or b"[Content_Types].xml" in content[:4096]
        return "an Excel workbook" if excel else "a zip archive"
    if content.startswith(GZIP):
        return "gzip inside gzip"
    if content.startswith(PDF):
        return "a PDF document"
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return "an old Excel workbook"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page"
    return "an XML document" if start.startswith(b"<?xml") else None
