"""A table or query of a database in Parquet chunks; by watermark only what is new is read.

Rows below the highest watermark are kept for good; those at it, and those without one, are read
again by the next run, for more rows may come with the same value. Rows that are changed must get
a new watermark; rows that are deleted, or committed late below it, are not noticed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from noria.aws.s3 import Store
from noria.contracts import DatabaseSource
from noria.errors import DataError, SourceError
from noria.ingestion.sources import watermarks
from noria.ingestion.sources.base import Fetched, Origin
from noria.ingestion.sources.database_credentials import Access
from noria.ingestion.sources.database_engines import ENGINES, Session
from noria.ingestion.sources.row_batches import check_names, to_parquet
from noria.ingestion.sources.secrets import Secrets
from noria.ingestion.sources.sql import Condition, Statement, Statements

CHUNK_ROWS = 50_000
TAIL = "tail"
LAST = f"{TAIL}-00001.parquet"  # its ETag is the watermark that it was read at

Connect = Callable[[], Session]


def open_origin(source: DatabaseSource, store: Store, secrets: Secrets) -> Origin:
    """The table or query, and the way to its database."""
    connect, port = ENGINES[source.engine]
    timeout = source.statement_timeout.total_seconds()

    def opened() -> Session:
        return connect(Access.of(secrets(source.secret), source.secret, port, timeout))

    return DatabaseRows(source, opened)


class DatabaseRows:
    """The rows of one table or query."""

    def __init__(
        self, source: DatabaseSource, connect: Connect, chunk_rows: int = CHUNK_ROWS
    ) -> None:
        self._source, self._connect, self._chunk_rows = source, connect, chunk_rows
        self._what = source.table or "query"

    def parts(self, known: Mapping[str, str]) -> Iterator[Fetched]:
        """Give the rows in chunks; with a watermark, known chunks come without their bytes."""
        try:
            with closing(self._connect()) as session:
                statements = Statements(self._source, session)
                if self._source.watermark is None:
                    yield from self._chunks(session, statements.rows(), "rows", "")
                else:
                    yield from self._since(session, statements, known)
        except (SourceError, DataError) as error:
            told = f"source '{self._source.name}' ({self._what}): {error}"
            raise type(error)(told) from error

    def _since(
        self, session: Session, statements: Statements, known: Mapping[str, str]
    ) -> Iterator[Fetched]:
        column = self._source.watermark or ""
        high = _single(session, statements.latest())
        mark = "" if high is None else watermarks.text(high, column)
        low = watermarks.parse(known.get(LAST, ""))
        if low is None or high is None or not watermarks.follows(high, low):
            known, low = {}, None  # rows were taken away: what was read before is no longer so
        yield from (
            Fetched(name, self._where(session), etag, None)
            for name, etag in known.items()
            if not name.startswith(TAIL)
        )
        missing = [Condition(column, "is null")]
        if high is not None:
            after = [] if low is None else [Condition(column, ">=", low)]
            below = statements.rows([*after, Condition(column, "<", high)])
            start = "start" if low is None else watermarks.text(low, column)
            yield from self._chunks(session, below, f"from {start}", "kept")
            last = statements.rows([Condition(column, "=", high)], missing)
            yield from self._chunks(session, last, TAIL, mark)
        else:
            yield from self._chunks(session, statements.rows(missing), TAIL, "")

    def _chunks(
        self, session: Session, statement: Statement, name: str, etag: str
    ) -> Iterator[Fetched]:
        batches = session.batches(statement.text, statement.bound, self._chunk_rows)
        for number, (names, rows) in enumerate(batches, 1):
            check_names(names)
            content, beyond = to_parquet(names, rows)
            notes = tuple(f"{count} values of {column} beyond the calendar read as missing"
                          for column, count in beyond.items())  # fmt: skip
            yield Fetched(f"{name}-{number:05}.parquet", self._where(session), etag, content, notes)

    def _where(self, session: Session) -> str:
        return f"{session.place}/{self._what}"


def _single(session: Session, statement: Statement) -> Any:
    found = [row for _, rows in session.batches(statement.text, statement.bound, 2) for row in rows]
    return found[0][0] if found else None
