"""MySQL's and Redshift's sessions against drivers that write down what they are told.

PostgreSQL has a real server in test_database.py; of these two there is none to test with.
"""

import ssl
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pymysql
import pytest
import redshift_connector
from redshift_connector.error import ProgrammingError

from noria.contracts import DatabaseSource
from noria.errors import SourceError
from noria.ingestion.sources.database_credentials import DatabaseAccess, tls_of
from noria.ingestion.sources.database_engines import ENGINES, literal
from noria.ingestion.sources.sql import Condition, Statements

ACCESS = DatabaseAccess("db", 1234, "u", "p", "d", None, 60.0)


class Driver:
    """A connection and its cursor in one; refuses the statements that it is told to."""

    def __init__(self, rows: Sequence[Sequence[Any]], refuses: dict[str, Exception]) -> None:
        self.left, self.refuses = list(rows), refuses
        self.told: list[tuple[str, tuple[Any, ...]]] = []
        self.description = [("a", 1), ("b", 2)]
        self.options: dict[str, Any] = {}

    def connect(self, **options: Any) -> "Driver":
        self.options = options
        return self

    def cursor(self) -> "Driver":
        return self

    def execute(self, sql: str, bound: tuple[Any, ...] = ()) -> None:
        self.told.append((sql, tuple(bound)))
        for part, error in self.refuses.items():
            if part in sql:
                raise error

    def fetchmany(self, size: int) -> list[Sequence[Any]]:
        batch, self.left = self.left[:size], self.left[size:]
        return batch

    def fetchall(self) -> list[Sequence[Any]]:
        return self.fetchmany(int(self.told[-1][0].split()[2]))

    def close(self) -> None:
        self.told.append(("closed", ()))


def driven(
    monkeypatch: pytest.MonkeyPatch, engine: str, rows: Sequence[Sequence[Any]] = (),
    refuses: dict[str, Exception] | None = None,
) -> tuple[Any, Driver]:  # fmt: skip
    driver = Driver(rows, refuses or {})
    module = pymysql if engine == "mysql" else redshift_connector
    monkeypatch.setattr(module, "connect", driver.connect)
    return ENGINES[engine][0](ACCESS), driver


def described(**fields: Any) -> DatabaseSource:
    place = {} if "query" in fields else {"table": 'shop.or`der"s'}
    return DatabaseSource(
        **{"kind": "database", "name": "x", "engine": "mysql", "secret": "s", **place, **fields}
    )


def test_mysql_reads_one_snapshot_and_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    session, driver = driven(monkeypatch, "mysql", [(1, 2)] * 5)
    assert list(session.batches("SELECT %s", ["x"], 2)) == [
        (["a", "b"], [(1, 2)] * 2), (["a", "b"], [(1, 2)] * 2), (["a", "b"], [(1, 2)]),
    ]  # fmt: skip
    session.close()
    assert driver.told == [
        ("SET SESSION max_execution_time = 60000", ()),
        ("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", ()),
        ("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", ()),
        ("SELECT %s", ("x",)),
        ("closed", ()),
    ]
    assert driver.options["cursorclass"] is pymysql.cursors.SSCursor
    assert driver.options["ssl_disabled"] is True


def test_mariadb_names_its_timeout_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = pymysql.err.OperationalError(1193, "Unknown system variable")
    _, driver = driven(monkeypatch, "mysql", refuses={"max_execution_time": unknown})
    assert driver.told[1] == ("SET SESSION max_statement_time = 60", ())


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(1045, "check username and password"), (1146, "check table"), (3024, "raise statement_time"),
     (1792, "the query writes"), (9999, "check the source in the contract, its secret")],
)  # fmt: skip
def test_what_mysql_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, code: int, remedy: str
) -> None:
    session, _ = driven(
        monkeypatch, "mysql", refuses={"SELECT": pymysql.err.ProgrammingError(code, "No.")}
    )
    with pytest.raises(SourceError, match=rf"MySQL at db:1234 refused \({code}\): No.; {remedy}"):
        list(session.batches("SELECT 1", [], 2))


def test_redshift_reads_through_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    session, driver = driven(monkeypatch, "redshift", [(1, 2)] * 4)
    assert [len(rows) for _, rows in session.batches("SELECT 1", [], 2)] == [2, 2]
    assert [sql for sql, _ in driver.told] == [
        "BEGIN READ ONLY", "SET statement_timeout TO 60000", "DECLARE noria CURSOR FOR SELECT 1",
        "FETCH FORWARD 2 FROM noria", "FETCH FORWARD 2 FROM noria", "FETCH FORWARD 2 FROM noria",
        "CLOSE noria",
    ]  # fmt: skip
    assert driver.options["ssl"] is False


def test_what_redshift_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ProgrammingError({"C": "42P01", "M": 'relation "x" does not exist'})
    session, _ = driven(monkeypatch, "redshift", refuses={"DECLARE": error})
    with pytest.raises(SourceError, match=r"Redshift .*\(42P01\).*check table"):
        list(session.batches("SELECT 1", [], 2))


@pytest.mark.parametrize(
    ("engine", "text", "bound"),
    [
        ("mysql", "SELECT `a%%`, `b``` FROM `shop`.`or``der\"s` WHERE `a%%` <> %s AND `n` IN "
                  "(%s, %s) AND ((`w` >= %s AND `w` < %s) OR (`w` IS NULL))", ("x'%", 1, 2, 3, 4)),
        ("redshift", 'SELECT "a%", "b`" FROM "shop"."or`der""s" WHERE "a%" <> \'x\'\'%\' AND '
                     '"n" IN (1, 2) AND (("w" >= 3 AND "w" < 4) OR ("w" IS NULL))', ()),
    ],
)  # fmt: skip
def test_names_are_quoted_and_values_bound(
    monkeypatch: pytest.MonkeyPatch, engine: str, text: str, bound: tuple[Any, ...]
) -> None:
    session, _ = driven(monkeypatch, engine)
    filters = [{"column": "a%", "operator": "!=", "value": "x'%"},
               {"column": "n", "operator": "in", "value": [1, 2]}]  # fmt: skip
    made = Statements(described(columns=["a%", "b`"], filters=filters), session).rows(
        [Condition("w", ">=", 3), Condition("w", "<", 4)], [Condition("w", "is null")]
    )
    assert (made.text, made.bound) == (text, bound)


def test_a_percent_sign_in_a_query_is_no_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = driven(monkeypatch, "mysql")
    made = Statements(described(query="SELECT 1 WHERE a LIKE '%x' ;\n"), session).rows()
    assert made.text == "SELECT * FROM (\nSELECT 1 WHERE a LIKE '%%x'\n) AS source_rows"


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "TRUE"), (3, "3"), (Decimal("1.50"), "1.50"), ("a'b", "'a''b'"),
     (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "'2026-01-02 03:04:05+00:00'"),
     (date(2026, 1, 2), "'2026-01-02'")],
)  # fmt: skip
def test_literals(value: Any, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize("value", ["a\\", "\\'; DROP TABLE x; --", "a\nb", "\x00", b"x", [1]])
def test_what_is_not_plain_is_no_literal(value: Any) -> None:
    with pytest.raises(SourceError, match="use plain text"):
        literal(value)


@pytest.mark.parametrize(
    ("secret", "checked"), [({}, False), ({"sslmode": "require"}, False),
                            ({"sslmode": "verify-full"}, True)],
)  # fmt: skip
def test_connections_are_encrypted_unless_said_otherwise(
    secret: dict[str, str], checked: bool
) -> None:
    context = tls_of(secret, "s")
    assert context is not None
    assert (context.check_hostname, context.verify_mode == ssl.CERT_REQUIRED) == (checked, checked)
    assert tls_of({"sslmode": "disable"}, "s") is None
