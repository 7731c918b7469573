"""Reading Excel and OpenDocument workbooks: one sheet with a header row."""

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import pandas as pd
import python_calamine as calamine

from noria.common.messages import comma_list
from noria.core.ingestion import raw_text
from noria.core.ingestion.archives import MAXIMUM_UNPACKED, WORKBOOKS, ZIP
from noria.core.ingestion.excel_errors import (
    CHUNK,
    LONGEST_TAG,
    column_number,
    error_cells,
    error_notes,
)
from noria.errors import DataError

CONTENT = (*WORKBOOKS, "a zip archive")
"""What `archives.recognised` says of such files."""
MAXIMUM_CELLS = 50_000_000  # calamine takes 32 bytes for each cell of the box around all cells
CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>/]*>')
UNNAMED = (
    "name each column in the first filled row (a merged cell names only its first column), and "
    "leave out titles above it and notes beside the table"
)


def read_excel(content: bytes, name: str) -> pd.DataFrame:
    """Read a workbook's only sheet that holds something; DataError for several and for damage.

    The first row that is not empty names the columns. A column of mixed cells becomes text.
    `attrs["notes"]` counts the cells that hold an Excel error, which are missing values (in the
    zipped formats; older ones do not tell).
    """
    errors = _checked_extent(content, name)
    sheets = _sheets(content, name)
    filled = {title: sheet for title, sheet in sheets.items() if any(map(any, sheet.rows))}
    if len(filled) != 1:
        raise DataError(
            f"{name} holds {len(filled)} sheets with data ({', '.join(filled) or 'none'}): keep "
            "one table in the workbook, or export its sheet as CSV"
        )
    sheet = next(iter(filled.values()))
    frame = _table(sheet.rows, name)
    titles = {sheet.start + place: str(title) for place, title in enumerate(frame.columns, 1)}
    frame.attrs["notes"] = error_notes(errors, titles)
    return frame


class _Sheet(NamedTuple):
    rows: list[list[Any]]
    start: int  # how many empty columns come before it


def _sheets(content: bytes, name: str) -> dict[str, _Sheet]:
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {title: _sheet(workbook.get_sheet_by_name(title)) for title in workbook.sheet_names}
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise DataError(
            f"{name} is no readable workbook ({error}): save it again, without a password"
        ) from error


def _sheet(sheet: calamine.CalamineSheet) -> _Sheet:
    return _Sheet(sheet.to_python(skip_empty_area=True), sheet.start[1] if sheet.start else 0)


def _checked_extent(content: bytes, name: str) -> Counter[int]:
    """Refuse a workbook that unpacks to too much, or has a cell far away from all others.

    Returns how many error cells there are by column, from 1.
    """
    errors: Counter[int] = Counter()
    if not content.startswith(ZIP):
        return errors
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAXIMUM_UNPACKED:
                raise DataError(f"{name} unpacks to too much: save the table as Parquet or CSV")
            for item in archive.infolist():
                if item.filename.startswith("xl/worksheets/"):
                    _check_box(archive, item, name)
                    errors += error_cells(archive, item)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError,
            ValueError) as error:  # fmt: skip
        raise DataError(f"{name} is no readable workbook ({error}): save it again") from error
    return errors


def _check_box(archive: zipfile.ZipFile, item: zipfile.ZipInfo, name: str) -> None:
    rows, columns, last = 1, 1, ""
    for column, row in _cells(archive, item):
        if row > rows or column > columns:
            rows, columns, last = max(rows, row), max(columns, column), f"row {row}"
    if rows * columns > MAXIMUM_CELLS:
        raise DataError(
            f"{name} has cells as far as row {rows} and column {columns} ({last} of "
            f"{item.filename}): delete what stands far away from the table, or save it as CSV"
        )


def _cells(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> Iterator[tuple[int, int]]:
    """The column and row, from 1, of every cell that says where it is."""
    rest = b""
    with archive.open(item) as stream:
        while chunk := stream.read(CHUNK):
            text = rest + chunk
            for match in CELL.finditer(text):
                yield column_number(match[1]), int(match[2])
            rest = text[-LONGEST_TAG:]


def _table(rows: list[list[Any]], name: str) -> pd.DataFrame:
    full = [[_missing_as_none(cell) for cell in row] for row in rows]
    full = [row for row in full if any(cell is not None for cell in row)]
    header = ["" if cell is None else _text(cell).strip() for cell in full[0]]
    raw_text.check_names(header, name, UNNAMED)
    if len(full) == 1:
        raise DataError(f"{name} has a header ({comma_list(header, 5)}) but no rows: add the data")
    columns = zip(*full[1:], strict=True)
    return pd.DataFrame({title: _column(list(cells)) for title, cells in
                         zip(header, columns, strict=True)})  # fmt: skip


def _missing_as_none(cell: Any) -> Any:
    return None if isinstance(cell, str) and not cell.strip() else cell


def _column(cells: list[Any]) -> pd.Series:
    present = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, bool) for cell in present):
        return pd.Series(cells, dtype="object" if len(present) < len(cells) else None)
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in present):
        return _numbers(cells, present)
    if all(isinstance(cell, date) for cell in present):
        return pd.Series(pd.to_datetime([_moment(cell) for cell in cells]))
    return pd.Series([None if cell is None else _text(cell) for cell in cells], dtype="str")


def _numbers(cells: list[Any], present: list[Any]) -> pd.Series:
    """Excel knows no integers: a complete column of whole numbers is one."""
    whole = len(present) == len(cells) and all(abs(c) < 2**53 and c == int(c) for c in present)
    return pd.Series(cells, dtype="int64" if whole else "float64")


def _moment(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, datetime) else datetime(*cell.timetuple()[:3])  # noqa: DTZ001


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, datetime | date | time) else (
        str(cell.total_seconds()) if isinstance(cell, timedelta) else str(cell))  # fmt: skip
