"""Excel workbooks and folders of partitions."""

from datetime import datetime

import pandas as pd
import pytest

from noria.core.partitions import partition_values, with_partitions
from noria.core.reading import read_table
from noria.errors import DataError
from tests.unit.workbook_files import Cell, workbook

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
    frame = with_partitions(pd.DataFrame({"year": [1]}), "year=2013/x=1/a.csv")
    assert frame.to_dict("list") == {"year": [1], "x": [1]}
