"""Collecting: all rows every time, parsed once; what is remembered is never wrong."""

import hashlib
import io
import zipfile
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from functions import collect
from noria.aws.s3 import Store
from noria.contracts import HttpSource, S3Source, Source
from noria.core.ingestion.file_table import FileTable
from noria.errors import DataError
from noria.ingestion import collector
from noria.ingestion.collector import Collected, Collector
from noria.ingestion.http import download
from noria.ingestion.http.public_addresses import Place
from noria.ingestion.sources import open_origin
from tests.support.scripted_server import Answer, Asked, serving

FLIGHTS = S3Source(kind="s3", name="flights", primary=True)


def collected(
    store: Store,
    source: Source = FLIGHTS,
    exact: Collection[str] = (),
    excluded: Collection[str] = (),
) -> Collected:
    collector = Collector(store, source, "2026-11-24T00:00:00Z", exact=exact, excluded=excluded)
    return collector.collect(open_origin(source, store, lambda name: {}))


def rows(found: Collected) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(found.table))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was parsed."""
    names: list[str] = []
    read = collector.read_file

    def reading(content: bytes, name: str, form: str | None, exact: list[str]) -> FileTable:
        names.append(name)
        return read(content, name, form, exact)

    monkeypatch.setattr(collector, "read_file", reading)
    return names


def test_all_rows_come_each_time_but_only_new_files_are_parsed(
    bucket: Store, parsed: list[str]
) -> None:
    bucket.put("incoming/flights/1.csv", b"a,b\n1,x\n2,y\n")
    assert collected(bucket).fetched == 1
    bucket.put("incoming/flights/2.csv", b"a,b\n3,z\n")
    found = collected(bucket)
    assert (found.fetched, found.rows, parsed) == (1, 3, ["1.csv", "2.csv"])
    assert rows(found)["a"].tolist() == [1, 2, 3]
    assert collected(bucket).fetched == 0
    assert parsed == ["1.csv", "2.csv"]


def test_a_removed_file_takes_its_rows_away(bucket: Store) -> None:
    bucket.put("incoming/flights/1.csv", b"a\n1\n")
    bucket.put("incoming/flights/2.csv", b"a\n2\n")
    collected(bucket)
    bucket.delete("incoming/flights/1.csv")
    assert rows(collected(bucket))["a"].tolist() == [2]


def test_a_changed_contract_reads_everything_again(bucket: Store, parsed: list[str]) -> None:
    bucket.put("incoming/flights/1.data", b'{"a": 1}\n')
    collected(bucket)
    found = collected(bucket, FLIGHTS.model_copy(update={"format": "json"}))
    assert (found.fetched, found.schema) == (1, {"a": "int64"})


def test_a_join_in_the_contract_does_not(bucket: Store) -> None:
    bucket.put("incoming/flights/1.csv", b"a\n1\n")
    collected(bucket)
    assert collected(bucket, FLIGHTS.model_copy(update={"primary": False})).fetched == 0


def test_rows_that_somebody_deleted_are_fetched_again(bucket: Store) -> None:
    bucket.put("incoming/flights/1.csv", b"a\n1\n")
    (part,) = collected(bucket).parts
    bucket.delete(part.key)
    found = collected(bucket)
    assert (found.fetched, found.rows) == (1, 1)


def test_a_bad_file_leaves_what_is_remembered(bucket: Store, parsed: list[str]) -> None:
    bucket.put("incoming/flights/1.csv", b"a\n1\n")
    collected(bucket)
    bucket.put("incoming/flights/2.csv", b"a\n1,2,3\n")
    with pytest.raises(DataError, match=r"2\.csv"):
        collected(bucket)
    bucket.delete("incoming/flights/2.csv")
    assert collected(bucket).fetched == 0


def test_types_that_differ_between_files_meet(bucket: Store) -> None:
    bucket.put("incoming/flights/1.csv", b"n,t,e,f\n1,7,,1\n2,8,,2\n")
    bucket.put("incoming/flights/2.csv", b"f,e,t,n\n0.5,q,A,\n1,r,9,4\n")
    found = rows(collected(bucket))
    assert list(found.columns) == ["n", "t", "e", "f"]
    assert found["t"].tolist() == ["7", "8", "A", "9"]
    assert found["f"].tolist() == [1.0, 2.0, 0.5, 1.0]
    assert found["e"].isna().tolist() == [True, True, False, False]


def test_times_of_finer_and_coarser_units_meet(bucket: Store) -> None:
    fine = pa.table({"t": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns"))})
    buffer = io.BytesIO()
    parquet.write_table(fine, buffer)
    bucket.put("incoming/flights/1.parquet", buffer.getvalue())
    bucket.put("incoming/flights/2.csv", b"t\n2023-11-14 22:13:21\n")
    assert rows(collected(bucket))["t"].tolist() == [
        pd.Timestamp("2023-11-14 22:13:20.123456"), pd.Timestamp("2023-11-14 22:13:21"),
    ]  # fmt: skip


def test_identifiers_keep_their_digits(bucket: Store) -> None:
    bucket.put("incoming/flights/1.csv", b"id,x\n9007199254740993,1\n,2\n")
    bucket.put("incoming/flights/2.csv", b"id,x\n9007199254740995,3\n7,4\n")
    assert rows(collected(bucket))["id"].dropna().tolist() == [
        "9007199254740993", "9007199254740995", "7",
    ]  # fmt: skip


def test_columns_that_differ_are_named(bucket: Store) -> None:
    bucket.put("incoming/flights/1.csv", b"a,b\n1,2\n")
    bucket.put("incoming/flights/2.csv", b"a,c\n1,2\n")
    with pytest.raises(DataError, match=r"2\.csv .* lacks b and also has c"):
        collected(bucket)


def test_a_later_file_may_have_more_columns_or_fewer(bucket: Store) -> None:
    bucket.put("incoming/flights/1.csv", b"a,b\n1,2\n")
    bucket.put("incoming/flights/2.csv", b"b,a,c\n4,3,x\n")
    bucket.put("incoming/flights/3.csv", b"a\n5\n")
    found = collected(bucket)
    assert list(rows(found).columns) == ["a", "b", "c"]
    assert rows(found)["a"].tolist() == [1, 3, 5]
    assert rows(found)["c"].isna().tolist() == [True, False, True]
    assert found.drift == (
        "2.csv also has c (beside 1.csv): missing where a file has it not",
        "3.csv lacks b (beside 1.csv): missing where a file has it not",
    )


def test_tables_of_one_zip_may_differ_too(bucket: Store) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("may.csv", b"a,b\n1,2\n")
        archive.writestr("june.csv", b"a,b,c\n3,4,5\n")
    bucket.put("incoming/flights/all.zip", buffer.getvalue())
    found = collected(bucket)
    assert (found.rows, len(found.drift)) == (2, 1)
    assert "june.csv also has c" in found.drift[0]


def test_columns_without_plain_values_are_named_at_once_unless_excluded(bucket: Store) -> None:
    bucket.put("incoming/flights/1.jsonl", b'{"a": 1, "tags": ["x"]}\n')
    bucket.put("incoming/flights/2.jsonl", b'{"a": 1, "at": {"x": 1}}\n')
    with pytest.raises(DataError, match=r"1\.jsonl, 2\.jsonl: columns 'tags', 'at' are nested"):
        collected(bucket)
    found = collected(bucket, excluded={"tags", "at"})
    assert (list(rows(found).columns), found.left_out) == (["a"], ("tags", "at"))


def test_a_key_in_the_contract_is_read_as_it_is_written(bucket: Store) -> None:
    bucket.put("incoming/flights/kind=01/1.csv", b"id,x\n1.10,1\n1.1,2\n")
    assert rows(collected(bucket)).to_dict("list") == {
        "id": [1.1, 1.1],
        "x": [1, 2],
        "kind": [1, 1],
    }
    found = collected(bucket, exact={"id", "kind"})
    assert rows(found)["id"].tolist() == ["1.10", "1.1"]
    assert rows(found)["kind"].tolist() == ["01", "01"]


def test_folders_of_partitions_are_columns(bucket: Store) -> None:
    bucket.put("incoming/flights/year=2013/month=01/origin=J%20F/a.csv", b"a\n1\n")
    bucket.put("incoming/flights/year=2013/month=02/origin=EWR/a.csv", b"a\n2\n")
    found = rows(collected(bucket))
    assert found.to_dict("list") == {
        "a": [1, 2], "year": [2013, 2013], "month": [1, 2], "origin": ["J F", "EWR"],
    }  # fmt: skip


def test_provenance_says_where_when_what(bucket: Store) -> None:
    etag = bucket.put("incoming/flights/1.csv", b"a,b\n1,x\n").strip('"')
    (part,) = collected(bucket).parts
    told = part.provenance()
    key = told.pop("key")
    assert key.startswith("raw/flights/parts/")
    assert told == {
        "name": "1.csv", "where": f"s3://{bucket.bucket}/incoming/flights/1.csv", "etag": etag,
        "sha256": hashlib.sha256(b"a,b\n1,x\n").hexdigest(), "bytes": 8,
        "rows": 1, "collected_at": "2026-11-24T00:00:00Z", "notes": (),
        "schema": {"a": "int64", "b": "large_string"}, "drift": (), "left_out": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"ETag": '"e1"'}, 304), ({"Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT"}, 304), ({}, 200)],
    ids=["by its ETag", "by its time of change", "by its bytes"],
)
def test_a_web_file_that_did_not_change_is_known(
    bucket: Store, parsed: list[str], monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str], status: int,
) -> None:  # fmt: skip
    def locate(url: str, *, insecure: bool = False) -> Place:
        return Place(urlsplit(url), ("127.0.0.1",), urlsplit(url).port or 80)

    def answer(asked: Asked) -> Answer:
        known = {asked.headers.get("If-None-Match"), asked.headers.get("If-Modified-Since")}
        unchanged = status == 304 and known & set(headers.values())
        return Answer(304) if unchanged else Answer(200, b"a\n1\n", headers)

    monkeypatch.setattr(download, "locate", locate)
    with serving(answer) as server:
        source = HttpSource(kind="http", name="flights", primary=True, insecure=True,
                            url=f"{server.url}/t.csv")  # fmt: skip
        found = [collected(bucket, source) for _ in range(2)]
    assert [one.fetched for one in found] == [1, 0 if status == 304 else 1]
    assert (parsed, found[1].rows) == (["t.csv"], 1)
    told = found[1].parts[0].provenance()
    assert told["where"] == source.url
    assert told["sha256"] == hashlib.sha256(b"a\n1\n").hexdigest()
    assert (told["rows"], told["schema"]) == (1, {"a": "int64"})


def test_the_handler_tells_of_a_source_without_files(
    bucket: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _handled(bucket, monkeypatch)["unusable"].startswith("source 'flights' has no files")
    provenance = bucket.get_json("raw/flights/run=r1/provenance.json")
    assert (provenance["files"], provenance["kind"]) == ([], "s3")


def test_the_handler_writes_rows_and_provenance(
    bucket: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("incoming/flights/1.csv", b"a\n1\n2\n")
    told = _handled(bucket, monkeypatch)
    assert (told["rows"], told["fetched"]) == (2, 1)
    table = pd.read_parquet(io.BytesIO(bucket.get("raw/flights/run=r1/rows.parquet")))
    assert table["a"].tolist() == [1, 2]
    provenance = bucket.get_json("raw/flights/run=r1/provenance.json")
    assert (provenance["rows"], provenance["schema"]) == (2, {"a": "int64"})
    assert [file["name"] for file in provenance["files"]] == ["1.csv"]


def _handled(store: Store, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    from noria.aws import clients

    monkeypatch.setenv("NORIA_BUCKET", store.bucket)
    clients.client.cache_clear()
    problem = {
        "name": "flights", "statement": "Will it be late, at all?", "task": "regression",
        "target": "a", "objective": {"metric": "rmse", "threshold": 1},
        "sources": [{"name": "flights", "kind": "s3", "primary": True}],
    }  # fmt: skip
    store.put_json("runs/r1/problem.json", problem)
    event = {"state": "CollectSources", "execution": "r1", "item": "flights",
             "started_at": "2026-11-24T00:00:00Z", "input": {}}  # fmt: skip
    try:
        return collect.handler(event, None)
    finally:
        clients.client.cache_clear()
