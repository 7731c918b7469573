"""Reading the bytes of a source into a table; an address is never handed to pandas."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa

from noria.contracts.sources import FILE_FORMATS, FORMAT_OF_SUFFIX
from noria.core.ingestion import schema_unification
from noria.core.ingestion.archives import ARCHIVES, PARQUET, WORKBOOKS, recognised, unpacked
from noria.errors import DataError


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
    content, inner = unpacked(content, name, by_content=suffix not in FORMAT_OF_SUFFIX)
    kind = _format_of(inner, format, content)
    reader = import_module(f"noria.core.ingestion.{kind}_reader")
    _check_content(content, name, kind, reader.CONTENT)
    table: pd.DataFrame = getattr(reader, f"read_{kind}")(content, name)
    return table


def _format_of(name: str, declared: str | None, content: bytes) -> str:
    if declared is not None:
        wanted = FORMAT_OF_SUFFIX.get(declared.lower(), declared.lower())
        if wanted not in FILE_FORMATS:
            *others, last = FILE_FORMATS
            known = f"{', '.join(others)} or {last}"
            raise DataError(f"format {declared!r} of {name} is unknown: use {known}")
        return wanted
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    if suffix in FORMAT_OF_SUFFIX:
        return FORMAT_OF_SUFFIX[suffix]
    if content.startswith(PARQUET):
        return "parquet"
    if recognised(content) in WORKBOOKS:
        return "excel"
    return "json" if content.lstrip()[:1] in (b"[", b"{") else "csv"


def _check_content(content: bytes, name: str, kind: str, expected: Sequence[str]) -> None:
    """Refuse content whose first bytes say that it is something else."""
    found = recognised(content)
    if kind == "csv" and content.lstrip()[:2] in (b'{"', b"[{"):
        found = "JSON, such as a service's error"
    if found in expected:
        return
    if kind == "parquet":
        raise DataError(
            f"{name} should be Parquet but {'is ' + found if found else 'has no PAR1 mark'}: "
            f"{_remedy(found) if found else 'set the source format or rename the file'}"
        )
    if found is not None:
        raise DataError(f"{name} should be {kind.upper()} but is {found}: {_remedy(found)}")


def _remedy(found: str) -> str:
    if found in ARCHIVES:
        return "pack the table once, in gzip or zip"
    if found.startswith("an encrypted"):
        return "write it without encryption"
    return "export the table itself, or set the source's format"
