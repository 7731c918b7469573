"""Sessions of PostgreSQL, MySQL and Redshift: read-only, with a statement timeout, row by row."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from noria.errors import SourceError
from noria.ingestion.sources.database_credentials import DatabaseAccess
from noria.ingestion.sources.database_errors import driver_errors
from noria.ingestion.sources.driver_types import mysql_readers, teach_postgresql

CONNECT_SECONDS = 10.0
GRACE_SECONDS = 30.0  # a server is given this long to end what ran into its own timeout
Batch = tuple[list[str], Sequence[Sequence[Any]]]


class Session(Protocol):
    """A read-only transaction with one snapshot of the data."""

    quote: str
    place: str  # where it reads, as an address without a user

    def parameter(self, value: Any, bound: list[Any]) -> str:
        """The text that stands for a value; the value itself is appended to `bound`."""

    def verbatim(self, sql: str) -> str:
        """A person's SQL as the driver wants it."""

    def batches(self, sql: str, bound: Sequence[Any], size: int) -> Iterator[Batch]:
        """A statement's rows, `size` at a time; raises `SourceError`."""

    def close(self) -> None:
        """End the transaction."""


class PostgreSQL:
    """By pg8000: values are bound by the server, rows come through a server-side cursor."""

    quote = '"'

    def __init__(self, access: DatabaseAccess) -> None:
        import pg8000.exceptions
        import pg8000.native

        # Their common base also holds what a broken connection raises.
        self._errors = (pg8000.exceptions.Error, OSError)
        with driver_errors("PostgreSQL", access, self._errors):
            self._connection = pg8000.native.Connection(
                access.user, host=access.host, port=access.port, password=access.password,
                database=access.database or access.user, timeout=CONNECT_SECONDS,
                ssl_context=access.tls or False, application_name="noria",
            )  # fmt: skip
            self._connection._usock.settimeout(access.timeout + GRACE_SECONDS)
            teach_postgresql(self._connection)
            self._connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._connection.run(f"SET LOCAL statement_timeout = {int(access.timeout * 1000)}")
            self._connection.run("SET LOCAL intervalstyle = 'iso_8601'")
            self._connection.run("SET LOCAL lc_monetary = 'C'")
        self._access, self.place = access, access.place("postgresql")

    def parameter(self, value: Any, bound: list[Any]) -> str:
        bound.append(value)
        return f"${len(bound)}"

    def verbatim(self, sql: str) -> str:
        return sql

    def batches(self, sql: str, bound: Sequence[Any], size: int) -> Iterator[Batch]:
        with driver_errors("PostgreSQL", self._access, self._errors):
            self._connection.execute_unnamed(
                f"DECLARE noria NO SCROLL CURSOR FOR {sql}", vals=tuple(bound)
            )
            while True:
                found = self._connection.execute_simple(f"FETCH FORWARD {size} FROM noria")
                if found.rows:
                    yield [column["name"] for column in found.columns], found.rows
                if len(found.rows) < size:
                    break
            self._connection.execute_simple("CLOSE noria")

    def close(self) -> None:
        with suppress(*self._errors):
            self._connection.close()


class Redshift:
    """By redshift-connector. Its server takes no bound values in a cursor: they are literals."""

    quote = '"'

    def __init__(self, access: DatabaseAccess) -> None:
        import redshift_connector
        from redshift_connector.error import Error

        self._errors = (Error, OSError)
        with driver_errors("Redshift", access, self._errors):
            # The driver makes its own TLS context: it brings Redshift's authorities.
            verified = access.tls is not None and access.tls.check_hostname
            self._connection = redshift_connector.connect(
                user=access.user, password=access.password, host=access.host, port=access.port,
                database=access.database, application_name="noria", ssl=access.tls is not None,
                sslmode="verify-full" if verified else "verify-ca",
            )  # fmt: skip
            self._connection.autocommit = True  # the transaction is begun by hand, read-only
            self._cursor = self._connection.cursor()
            self._cursor.paramstyle = "qmark"
            self._cursor.execute("BEGIN READ ONLY")
            self._cursor.execute(f"SET statement_timeout TO {int(access.timeout * 1000)}")
        self._access, self.place = access, access.place("redshift")

    def parameter(self, value: Any, bound: list[Any]) -> str:
        return literal(value)

    def verbatim(self, sql: str) -> str:
        return sql

    def batches(self, sql: str, bound: Sequence[Any], size: int) -> Iterator[Batch]:
        with driver_errors("Redshift", self._access, self._errors):
            self._cursor.execute(f"DECLARE noria CURSOR FOR {sql}")
            while True:
                self._cursor.execute(f"FETCH FORWARD {size} FROM noria")
                rows = self._cursor.fetchall()
                if rows:
                    yield [str(column[0]) for column in self._cursor.description], rows
                if len(rows) < size:
                    break
            self._cursor.execute("CLOSE noria")

    def close(self) -> None:
        with suppress(*self._errors):
            self._connection.close()


class MySQL:
    """By PyMySQL: an unbuffered cursor, values escaped by the driver."""

    quote = "`"

    def __init__(self, access: DatabaseAccess) -> None:
        import pymysql
        import pymysql.cursors

        self._errors = (pymysql.MySQLError, OSError)
        with driver_errors("MySQL", access, self._errors):
            self._connection = pymysql.connect(
                host=access.host, port=access.port, user=access.user,
                password=access.password.encode(),  # a text would be sent in Latin-1
                database=access.database or None, charset="utf8mb4", ssl=access.tls,
                ssl_disabled=access.tls is None, connect_timeout=int(CONNECT_SECONDS),
                read_timeout=access.timeout + GRACE_SECONDS, autocommit=False,
                cursorclass=pymysql.cursors.SSCursor, conv=mysql_readers(),
            )  # fmt: skip
            self._cursor = self._connection.cursor()
            self._bound_statements(access.timeout, pymysql.err.OperationalError)
            self._cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self._cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        self._access, self.place = access, access.place("mysql")

    def _bound_statements(self, timeout: float, unknown: type[Exception]) -> None:
        try:
            self._cursor.execute(f"SET SESSION max_execution_time = {int(timeout * 1000)}")
        except unknown as error:
            if error.args[0] != 1193:  # MariaDB has the same under another name, in seconds
                raise
            self._cursor.execute(f"SET SESSION max_statement_time = {timeout:g}")

    def parameter(self, value: Any, bound: list[Any]) -> str:
        bound.append(value)
        return "%s"

    def verbatim(self, sql: str) -> str:
        return sql.replace("%", "%%")

    def batches(self, sql: str, bound: Sequence[Any], size: int) -> Iterator[Batch]:
        with driver_errors("MySQL", self._access, self._errors):
            self._cursor.execute(sql, tuple(bound))
            names = [str(column[0]) for column in self._cursor.description or ()]
            while rows := self._cursor.fetchmany(size):
                yield names, rows

    def close(self) -> None:
        with suppress(*self._errors):
            self._connection.close()


ENGINES: dict[str, tuple[Callable[[DatabaseAccess], Session], int]] = {
    "postgresql": (PostgreSQL, 5432),
    "mysql": (MySQL, 3306),
    "redshift": (Redshift, 5439),
}


def literal(value: Any) -> str:
    """A value as SQL text, for the one engine that cannot bind it; refuses what is not plain."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float | Decimal):
        return str(value)
    text = value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
    plain = isinstance(value, str | date) and text.isprintable() and "\\" not in text
    if not plain:
        raise SourceError(f"value {value!r} cannot be used with Redshift; use plain text")
    return "'" + text.replace("'", "''") + "'"
