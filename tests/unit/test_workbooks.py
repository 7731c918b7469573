"""Excel workbooks and folders of partitions."""

import io
import zipfile
from datetime import datetime
from xml.sax.saxutils import escape

import pandas as pd
import pytest

from noria.core.partitions import partition_values, with_partitions
from noria.core.reading import read_table
from noria.errors import DataError

TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
Cell = str | float | bool | datetime | None


def workbook(**sheets: list[list[Cell]]) -> bytes:
    """A workbook with the parts that ECMA-376 asks for; style 1 is a date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        names = list(sheets)
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.'
            'openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for n in range(1, len(names) + 1)
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{TYPES}"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
            'PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
            f'officedocument.spreadsheetml.sheet.main+xml"/>{overrides}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{LINKS}"><Relationship Id="r1" '
            f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        entries = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>'
            for n, name in enumerate(names, 1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{entries}</sheets></workbook>',
        )
        links = "".join(
            f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(names) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{LINKS}">{links}'
            f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf '
            'numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>',
        )
        for number, rows in enumerate(sheets.values(), 1):
            body = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>',
            )
    return buffer.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        days = (value - datetime(1899, 12, 30)).total_seconds() / 86400  # noqa: DTZ001
        return f'<c s="1"><v>{days}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


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
