"""Excel workbooks and folders of partitions."""

from datetime import datetime

import pandas as pd
import pyarrow as pa
import pytest

from noria.core.ingestion import excel_errors
from noria.core.ingestion.hive_partitions import partition_values, with_partitions
from noria.core.ingestion.readers import read_table
from noria.errors import DataError
from tests.support.bad_files import cell, sheet
from tests.support.workbook_files import Cell, workbook

DAY = datetime(2026, 1, 31, 12)  # noqa: DTZ001
TABLE: list[list[Cell]] = [
    [None, None, None, None, None],
    ["id", "amount", "mixed", "flag", "day"],
    [1, 1.5, "a", True, DAY],
    [2, None, 7, False, None],
    [None, None, None, None, None],
    [3, 4, True, None, DAY],
]


@pytest.mark.parametrize("name", ["t.xlsx", "download", "t.xls"])
def test_a_workbook_is_a_table(name: str) -> None:
    frame = read_table(workbook(Data=TABLE, Empty=[]), name)
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["id"].dtype == "int64"
    assert frame["amount"].isna().tolist() == [False, True, False]
    assert frame["mixed"].tolist() == ["a", "7", "true"]
    assert frame["flag"].tolist() == [True, False, None]
    assert frame["day"].tolist()[0] == pd.Timestamp(DAY)
    assert pd.isna(frame["day"][1])


def test_error_cells_are_counted_by_column() -> None:
    """Cells with a place and cells without one, behind two empty columns and rows."""
    no, at_d5, at_e6 = (f'<c{at} t="e"><v>#N/A</v></c>' for at in ("", ' r="D5"', ' r="E6"'))
    rows = (
        f'<row r="3">{cell("C3", "id")}{cell("D3", "price")}{cell("E3", "ok")}</row>'
        f'<row r="4"><c r="C4"><v>1</v></c>{no}<c><v>1</v></c></row>'
        f'<row r="5"><c r="C5"><v>2</v></c>{at_d5}</row>'
        f'<row r="6"><c r="C6"><v>3</v></c><c r="D6"><v>7</v></c>{at_e6}</row>'
    )
    frame = read_table(sheet(rows), "t.xlsx")
    assert frame["price"].isna().tolist() == [True, True, False]
    assert [note.partition(" read as missing")[0] for note in frame.attrs["notes"]] == [
        "column 'price': 2 cells with an Excel error such as #DIV/0! or #N/A",
        "column 'ok': 1 cell with an Excel error such as #DIV/0! or #N/A",
    ]
    assert read_table(workbook(Data=TABLE), "t.xlsx").attrs["notes"] == ()


def test_error_cells_of_a_long_sheet_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sheet is read in pieces, and a cell on a border belongs to one of them."""
    lines = "".join(
        f'<row r="{n}"><c r="A{n}" t="e"><v>#N/A</v></c><c r="B{n}"><v>{n}</v></c></row>'
        for n in range(2, 400)
    )
    content = sheet(f'<row r="1">{cell("A1", "x")}{cell("B1", "n")}</row>{lines}')
    for size in (17, 1000, 1 << 22):
        monkeypatch.setattr(excel_errors, "CHUNK", size)
        (note,) = read_table(content, "t.xlsx").attrs["notes"]
        assert note.startswith("column 'x': 398 cells with an Excel error")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (workbook(One=TABLE, Two=TABLE), "t.xlsx holds 2 sheets with data (One, Two)"),
        (workbook(One=[]), "t.xlsx holds 0 sheets with data (none)"),
        (workbook(One=[["a", None], [1, 2]]), "column 2 of 2 has no name"),
        (workbook(One=[["a", "a"], [1, 2]]), "more than one column a"),
        (workbook(One=[["a", "b"]]), "has a header (a, b) but no rows"),
        (workbook(One=TABLE)[:900], "t.xlsx is no readable workbook"),
        (b"a,b\n1,2\n", "t.xlsx is no readable workbook"),
        (b"<html>", "t.xlsx should be EXCEL but is an HTML page"),
    ],
)
def test_what_is_no_table_is_told(content: bytes, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table(content, "t.xlsx")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a.csv", {}),
        ("2013/01/a.csv", {}),
        ("year=2013/month=01/a.csv", {"year": 2013, "month": 1}),
        ("d=2013-01-01/x=__HIVE_DEFAULT_PARTITION__/k=a%2Fb=c/a=b.csv",
         {"d": "2013-01-01", "x": None, "k": "a/b=c"}),
        ("zip=00501/n=-7/e=/a.csv", {"zip": "00501", "n": -7, "e": ""}),
        ("=x/a.csv", {}),
    ],
)  # fmt: skip
def test_folders_give_columns(name: str, values: dict[str, object]) -> None:
    assert partition_values(name) == values


def test_a_file_knows_better_than_its_folder() -> None:
    table = with_partitions(pa.table({"year": [1]}), "year=2013/x=1/a.csv")
    assert table.to_pydict() == {"year": [1], "x": [1]}
