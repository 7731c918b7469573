"""Statements over a table or a person's query: names quoted, values bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from noria.contracts import DatabaseSource, Filter
from noria.errors import SourceError
from noria.ingestion.sources.database_engines import Session


@dataclass(frozen=True)
class Statement:
    """SQL and the values that are bound to it."""

    text: str
    bound: tuple[Any, ...]


@dataclass(frozen=True)
class Condition:
    """A comparison of a column with a value, or with nothing."""

    column: str
    operator: str
    value: Any = None


class Statements:
    """The statements of one source, in one engine's SQL."""

    def __init__(self, source: DatabaseSource, session: Session) -> None:
        self._source, self._session = source, session

    def rows(self, *alternatives: Sequence[Condition]) -> Statement:
        """The source's rows; those that fulfil any of the alternatives, where there are some."""
        names = [self._name(column) for column in self._source.columns]
        return self._select(", ".join(names) or "*", alternatives)

    def latest(self) -> Statement:
        """The watermark's highest value."""
        return self._select(f"MAX({self._name(self._source.watermark or '')})", ())

    def _select(self, what: str, alternatives: Sequence[Sequence[Condition]]) -> Statement:
        bound: list[Any] = []
        text = f"SELECT {what} FROM {self._from()}"  # noqa: S608 - names quoted, values bound
        where = [self._filter(item, bound) for item in self._source.filters]
        if alternatives:
            either = [
                " AND ".join(self._condition(item, bound) for item in conditions)
                for conditions in alternatives
            ]
            where.append("(" + " OR ".join(f"({text})" for text in either) + ")")
        return Statement(text + (" WHERE " + " AND ".join(where) if where else ""), tuple(bound))

    def _from(self) -> str:
        if self._source.query is None:
            return ".".join(self._name(part) for part in (self._source.table or "").split("."))
        query = self._source.query.strip().rstrip(";").rstrip()
        # The line break ends a comment that the query may end with.
        return f"(\n{self._session.verbatim(query)}\n) AS source_rows"

    def _filter(self, item: Filter, bound: list[Any]) -> str:
        if isinstance(item.value, list):
            marks = ", ".join(self._session.parameter(value, bound) for value in item.value)
            return f"{self._name(item.column)} IN ({marks})"
        return self._condition(Condition(item.column, item.operator, item.value), bound)

    def _condition(self, item: Condition, bound: list[Any]) -> str:
        operator = "<>" if item.operator == "!=" else item.operator.upper()
        if item.value is None:
            return f"{self._name(item.column)} {operator}"
        mark = self._session.parameter(item.value, bound)
        return f"{self._name(item.column)} {operator} {mark}"

    def _name(self, name: str) -> str:
        quote = self._session.quote
        if not name or "\x00" in name:
            raise SourceError(f"source '{self._source.name}': {name!r} is no name of a table")
        return quote + self._session.verbatim(name).replace(quote, quote * 2) + quote
