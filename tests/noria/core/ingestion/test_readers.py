"""Reading the bytes of a source: formats, compression, and everything that can be wrong."""

import gzip
import io
import json
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.ingestion.readers import read_table, read_tables
from noria.errors import DataError
from tests.support.data_frames import nycflights
from tests.support.examples import examples

CSV = b"a,b,c\n1,x,2.5\n2,,3.5\n"


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            dated = zipfile.ZipInfo(name.replace("_csv", ".csv"))  # alike in each test worker
            archive.writestr(dated, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", CSV),
        ("t.csv", CSV.replace(b",", b";")),
        ("t.tsv", CSV.replace(b",", b"\t")),
        ("t.txt", CSV.replace(b",", b"|")),
        ("t.csv", b"\xef\xbb\xbf" + CSV),
        ("t.csv", CSV.decode().encode("utf-16")),
        ("t.csv", CSV.replace(b"\n", b"\r\n")),
        ("t.csv.gz", gzip.compress(CSV, mtime=0)),
        ("t.zip", zipped(t_csv=CSV)),
        ("no-suffix", CSV),
        ("t.json", b'[{"a":1,"b":"x","c":2.5},{"a":2,"b":null,"c":3.5}]'),
        ("t.jsonl", b'{"a":1,"b":"x","c":2.5}\n\n{"a":2,"c":3.5}\n'),
        ("t.parquet", parquet(pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [2.5, 3.5]}))),
    ],
)
def test_every_format_gives_the_same_table(name: str, content: bytes) -> None:
    frame = read_table(content, name)
    assert list(frame.columns) == ["a", "b", "c"]
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].isna().tolist() == [False, True]
    assert frame["c"].sum() == 6.0


def test_the_contract_decides_the_format() -> None:
    assert len(read_table(CSV, "upload.dat", "csv")) == 2
    with pytest.raises(DataError, match="should be Parquet"):
        read_table(CSV, "t.csv", "parquet")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", ["empty"]),
        ("t.csv", b" \n\n ", ["white space"]),
        ("t.csv", b"a,b\n", ["header", "no rows"]),
        ("t.csv", b"a,b,a\n1,2,3\n", ["more than one column a"]),
        ("t.csv", b"a,,c\n1,2,3\n", ["column 2 of 3 has no name"]),
        ("t.csv", b"a,b\n1,2\n3\n4,5,6\n", ["line 3 (1 fields), 4 (3 fields)"]),
        ("t.csv", b"a,b\n1,\xe9t\xe9\n", ["byte 6", "0xe9", "line 2", "UTF-8"]),
        ("t.csv", b"a,b\n1,\x00\n", ["NUL"]),
        ("t.csv", b"<!DOCTYPE html><html></html>", ["HTML page"]),
        ("t.csv", b"%PDF-1.7 ...", ["PDF"]),
        ("t.csv", zipped(t_csv=CSV), ["zip archive"]),
        ("t.csv", b"PK\x03\x04" + b"[Content_Types].xml xl/", ["Excel"]),
        ("t.csv", parquet(pd.DataFrame({"a": [1]})), ["Parquet"]),
        ("t.parquet", CSV, ["PAR1"]),
        ("t.parquet", b"PAR1" + b"\x00" * 20 + b"PAR1", ["damaged Parquet"]),
        ("t.parquet", parquet(pd.DataFrame({"a": []})), ["no rows"]),
        ("t.parquet", parquet(pd.DataFrame({"a": [[1], [2]]})), ["'a' is nested"]),
        ("t.csv.gz", CSV, ["not gzip"]),
        ("t.csv.gz", gzip.compress(CSV, mtime=0)[:-9], ["damaged gzip"]),
        ("t.csv.gz", gzip.compress(b"", mtime=0), ["empty once unpacked"]),
        ("t.zip", zipped(a_csv=CSV, b_csv=b"d,e\n1,2\n"), ["b.csv has other columns"]),
        ("t.zip", b"PK\x03\x04broken", ["not a readable zip"]),
        ("t.json", b'[{"a":1},', ["not valid JSON"]),
        ("t.json", b'[{"a":1}, 3]', ["record 2", "a number"]),
        ("t.jsonl", b'{"a":1}\n{"a":\n', ["line 2"]),
        ("t.json", b'[{"a":{"b":1}}]', ["'a' is nested"]),
        ("t.json", b"[]", ["no records"]),
        ("t.json", b'"text"', ["line 1"]),
    ],
)
def test_bad_content_is_named_with_its_remedy(name: str, content: bytes, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        read_table(content, name)
    for word in [name, *words]:
        assert word in str(caught.value)


def test_files_of_a_source_are_put_together() -> None:
    frame = read_tables([("1.csv", b"a,b\n1,2\n"), ("2.csv", b"b,a\nx,3\n")])
    assert frame["a"].tolist() == [1, 3]
    assert frame["b"].tolist() == ["2", "x"]


def test_files_with_other_columns_are_refused() -> None:
    with pytest.raises(DataError, match=r"2\.csv .* lacks b and also has c"):
        read_tables([("1.csv", b"a,b\n1,2\n"), ("2.csv", b"a,c\n1,2\n")])
    with pytest.raises(DataError, match="no files"):
        read_tables([])


def test_dates_times_and_booleans_are_typed() -> None:
    text = b"day,at,flag,clock\n2024-01-02,2024-01-02T03:04:05Z,true,12:30:00\n2024-01-03,,,\n"
    frame = read_table(text, "t.csv")
    assert str(frame["day"].dtype).startswith("datetime64")
    assert str(frame["at"].dtype).endswith("UTC]")
    assert frame["flag"].tolist()[0] is True
    assert frame["clock"].iloc[0].startswith("12:30")


def test_the_flights_are_read_whole() -> None:
    assert len(read_table(nycflights("flights"), "flights.csv")) == 336_776


@given(st.binary(max_size=200), st.sampled_from(["t.csv", "t.json", "t.parquet", "t.gz", "t.zip"]))
@examples(300)
def test_any_bytes_are_read_or_refused_by_name(content: bytes, name: str) -> None:
    try:
        assert len(read_table(content, name)) > 0
    except DataError as error:
        assert name in str(error)


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={"a": st.none() | st.booleans() | st.integers()
                                            | st.floats() | st.text(), "b": st.integers()}),
        min_size=1, max_size=8,
    )
)  # fmt: skip
@examples(200)
def test_any_json_records_are_plain_columns(records: list[dict[str, object]]) -> None:
    try:
        frame = read_table(json.dumps(records).encode(), "t.json")
    except DataError:
        return
    frame.to_parquet(io.BytesIO())
    assert len(frame) == len(records)
