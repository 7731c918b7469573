"""MySQL as a source, against a real MariaDB server where the machine has one."""

import io
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from noria.aws.s3 import Store
from noria.contracts import DatabaseSource
from noria.errors import DataError, SourceError
from noria.ingestion.collector import Collected, Collector
from noria.ingestion.sources import open_origin
from tests.support.mariadb import Server, program, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binary = program()
    if binary is None:
        pytest.skip("no MariaDB: install Debian's mariadb-server-core")
    with running(binary) as found:
        yield found


@pytest.fixture
def flights(server: Server) -> Server:
    server.run(
        "DROP TABLE IF EXISTS flights",
        """CREATE TABLE flights (id int PRIMARY KEY, carrier varchar(20), delay decimal(6, 2),
           changed datetime(6), day date, doc json, bits bit(3), code bigint unsigned,
           spent time, raw blob, mood enum('sad', 'ok'), late boolean)""",
        """INSERT INTO flights VALUES
           (1, 'O''H%', 1.25, '2013-01-01 01:00:00.5', '2013-01-02', '{"a": 1}', b'101',
            18446744073709551615, '-01:30:00', x'ff', 'ok', true),
           (2, 'AA', 2.5, '2013-01-02', '0000-00-00', NULL, b'0', 1, '12:30', x'00', 'sad', false),
           (3, 'AA', 3.5, '2013-01-03', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
    )
    return server


def source(**fields: Any) -> DatabaseSource:
    place = {} if "query" in fields else {"table": "flights"}
    return DatabaseSource(**{"kind": "database", "name": "flights", "engine": "mysql",
                             "secret": "db", "primary": True, **place, **fields})  # fmt: skip


def collected(server: Server, described: DatabaseSource, bucket: Store, **secret: Any) -> Collected:
    origin = open_origin(described, bucket, lambda name: {**server.secret, **secret})
    return Collector(bucket, described, "2026-11-24T00:00:00Z").collect(origin)


def rows(found: Collected) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(found.table))


def test_a_table_with_many_types(flights: Server, bucket: Store) -> None:
    found = collected(flights, source(), bucket)
    assert rows(found).iloc[0].to_dict() == {
        "id": 1, "carrier": "O'H%", "delay": 1.25,
        "changed": pd.Timestamp("2013-01-01 01:00:00.5"), "day": pd.Timestamp("2013-01-02"),
        "doc": '{"a": 1}', "bits": 5, "code": "18446744073709551615", "spent": -5400.0,
        "raw": "ff", "mood": "ok", "late": 1,
    }  # fmt: skip
    (part,) = found.parts
    assert part.notes == ("1 values of day beyond the calendar read as missing",)
    assert part.where == f"mysql://127.0.0.1:{flights.port}/shop/flights"


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([{"column": "carrier", "value": "O'H%"}], [1]),
        ([{"column": "carrier", "operator": "in", "value": ["AA", "x"]}], [2, 3]),
        ([{"column": "changed", "operator": ">", "value": datetime(2013, 1, 2)}], [3]),  # noqa: DTZ001
        ([{"column": "day", "operator": "is null"}, {"column": "late", "value": False}], []),
        ([{"column": "carrier", "value": "AA' OR '1'='1"}], []),
    ],
)
def test_filters_are_bound(
    flights: Server, bucket: Store, filters: list[dict[str, Any]], ids: list[int]
) -> None:
    described = source(columns=["id"], filters=filters)
    if not ids:
        with pytest.raises(DataError, match="gave no rows"):
            collected(flights, described, bucket)
    else:
        assert sorted(rows(collected(flights, described, bucket))["id"]) == ids


@pytest.mark.parametrize("column", ["id", "changed", "delay", "carrier"])
def test_only_new_rows_are_read_but_all_rows_come(
    flights: Server, bucket: Store, column: str
) -> None:
    described = source(watermark=column)
    assert collected(flights, described, bucket).rows == 3
    assert collected(flights, described, bucket).fetched == 1
    flights.run("INSERT INTO flights (id, carrier, delay, changed) VALUES "
                "(4, 'ZZ', 99, '2013-06-01'), (5, 'ZZ', NULL, NULL)")  # fmt: skip
    assert sorted(rows(collected(flights, described, bucket))["id"]) == [1, 2, 3, 4, 5]


def test_a_query_is_run_as_it_is(flights: Server, bucket: Store) -> None:
    query = "SELECT id AS n FROM flights WHERE carrier LIKE '%H%' -- a comment"
    assert rows(collected(flights, source(query=query), bucket))["n"].tolist() == [1]


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no such table": ({"table": "nope"}, {}, r"\(1146\).*check table"),
    "no such column": ({"columns": ["nope"]}, {}, r"\(1054\).*check columns"),
    "a query with a slip": ({"query": "SELEC 1"}, {}, r"(?s)\(1064\).*check query"),
    "two columns of one name": ({"query": "SELECT 1 AS a, 2 AS a"}, {}, r"\(1060\).*with AS"),
    "a slow query": ({"query": "SELECT SLEEP(9) AS a", "statement_timeout": "1s"}, {},
                     r"\(1969\).*raise statement_timeout"),
    "a query that locks": ({"query": "SELECT * FROM flights FOR UPDATE"}, {},
                           r"\(1792\).*only reads"),
    "a query that writes": ({"query": "DELETE FROM flights"}, {}, r"(?s)\(1064\).*one SELECT"),
    "a query that breaks out": ({"query": "SELECT 1) AS a; DELETE FROM flights; -- "}, {},
                                r"(?s)\(1064\).*one SELECT without a semicolon"),
    "a wrong password": ({}, {"password": "\u20ac"}, r"\(1045\).*check username and password"),
    "an unknown database": ({}, {"dbname": "nope"}, r"\(1049\).*check dbname"),
    "a wrong port": ({}, {"port": 1}, r"\(2003\).*check host, port"),
    "no encryption": ({}, {"sslmode": "require"}, r"\(2026\).*sslmode"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", BAD)
def test_a_database_with(wrong: str, flights: Server, bucket: Store) -> None:
    fields, changes, told = BAD[wrong]
    with pytest.raises(SourceError, match=told) as caught:
        collected(flights, source(**fields), bucket, **changes)
    assert "source 'flights'" in str(caught.value)
    assert rows(collected(flights, source(), bucket))["id"].tolist() == [1, 2, 3]


def test_memory_stays_flat(server: Server) -> None:
    def peak(count: int) -> int:
        query = f"SELECT seq, CONCAT(REPEAT('x', 100), seq) AS t FROM seq_1_to_{count}"
        tracemalloc.start()
        origin = open_origin(source(query=query), Any, lambda name: server.secret)  # type: ignore[arg-type]
        parts = sum(part.content is not None for part in origin.parts({}))
        assert parts > 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(150_000) < 1.3 * peak(100_000)
