"""Reading Excel and OpenDocument workbooks: one sheet with a header row."""

import io
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
import python_calamine as calamine

from noria.core import parsing
from noria.errors import DataError


def read_excel(content: bytes, name: str) -> pd.DataFrame:
    """Read a workbook's only sheet that holds something; DataError for several and for damage.

    The first row that is not empty names the columns. A column of mixed cells becomes text.
    """
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {title: workbook.get_sheet_by_name(title).to_python(skip_empty_area=True)
                  for title in workbook.sheet_names}  # fmt: skip
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise DataError(
            f"{name} is no readable workbook ({error}): save it again, without a password"
        ) from error
    filled = {title: rows for title, rows in sheets.items() if any(map(any, rows))}
    if len(filled) != 1:
        raise DataError(
            f"{name} holds {len(filled)} sheets with data ({', '.join(filled) or 'none'}): keep "
            "one table in the workbook, or export its sheet as CSV"
        )
    return _table(next(iter(filled.values())), name)


def _table(rows: list[list[Any]], name: str) -> pd.DataFrame:
    full = [[_missing_as_none(cell) for cell in row] for row in rows]
    full = [row for row in full if any(cell is not None for cell in row)]
    header = ["" if cell is None else str(cell).strip() for cell in full[0]]
    parsing.check_names(header, name)
    if len(full) == 1:
        raise DataError(f"{name} has a header ({', '.join(header[:5])}) but no rows: add the data")
    columns = zip(*full[1:], strict=True)
    return pd.DataFrame({title: _column(list(cells)) for title, cells in
                         zip(header, columns, strict=True)})  # fmt: skip


def _missing_as_none(cell: Any) -> Any:
    return None if isinstance(cell, str) and cell.strip() in parsing.MISSING_TEXTS else cell


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
