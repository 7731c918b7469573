"""Reading the bytes of a source into a table; an address is never handed to pandas."""

from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa

from noria.contracts.sources import FILE_FORMATS, FORMAT_OF_SUFFIX
from noria.core.ingestion import schema_unification
from noria.core.ingestion.archives import ARCHIVES, PARQUET, WORKBOOKS, recognised, unpacked
from noria.core.ingestion.exact_values import to_frame
from noria.core.ingestion.file_table import FileTable, refuse_left_out
from noria.core.ingestion.raw_text import in_utf8
from noria.errors import DataError


def read_tables(files: Sequence[tuple[str, bytes]], format: str | None = None) -> pd.DataFrame:  # noqa: A002
    """Read the files of one source and put their rows one after another.

    Raises DataError when a file is unreadable or shares too few columns with the first one.
    """
    if not files:
        raise DataError("the source has no files: put a CSV, Parquet or JSON file there")
    read = [(name, read_file(content, name, format)) for name, content in files]
    for name, file in read:
        refuse_left_out(file.left_out, name)
    return to_frame(_stacked(read).table)


def read_table(
    content: bytes,
    name: str,
    format: str | None = None,  # noqa: A002
    exact: Collection[str] = (),
) -> pd.DataFrame:
    """Read one file as `read_file` does, for pandas; `attrs["notes"]` has its notes.

    Raises DataError as well for columns without plain values.
    """
    file = read_file(content, name, format, exact)
    refuse_left_out(file.left_out, name)
    frame = to_frame(file.table)
    frame.attrs["notes"] = file.notes
    return frame


def read_file(
    content: bytes,
    name: str,
    format: str | None = None,  # noqa: A002
    exact: Collection[str] = (),
) -> FileTable:
    """Read one file: CSV, Parquet, JSON (lines or an array) or Excel, also inside gzip or zip.

    The format comes from the contract, else from the name's suffix, else from the content. Columns
    in `exact` are numbers only where those bring back each text as it is written. A zip's tables
    are put together. Raises DataError naming the file and the remedy when the content cannot be
    that.
    """
    if not content:
        raise DataError(f"{name} is empty (0 bytes): upload it again")
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    members = unpacked(content, name, by_content=suffix not in FORMAT_OF_SUFFIX)
    read = [(inner, _read(plain, name, inner, format, exact)) for plain, inner in members]
    return read[0][1] if len(read) == 1 else _stacked(read, f"{name}: ")


def _read(
    content: bytes, name: str, inner: str, declared: str | None, exact: Collection[str]
) -> FileTable:
    if recognised(content) is None:
        content = in_utf8(content, name)
    kind = _format_of(inner, declared, content)
    reader = import_module(f"noria.core.ingestion.{kind}_reader")
    _check_content(content, name, kind, reader.CONTENT)
    file: FileTable = getattr(reader, f"read_{kind}")(content, name, exact)
    return file


def _stacked(files: Sequence[tuple[str, FileTable]], place: str = "") -> FileTable:
    """The rows of several files one below another."""
    schemas = [(f"{place}{name}", file.table.schema) for name, file in files]
    schema = schema_unification.unified(schemas)
    tables = [schema_unification.conformed(file.table, schema) for _, file in files]
    return FileTable(
        pa.concat_tables(tables),
        tuple(dict.fromkeys(note for _, file in files for note in file.notes)),
        {column: told for _, file in files for column, told in file.left_out.items()},
        tuple(schema_unification.differing_columns(schemas)),
    )


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
