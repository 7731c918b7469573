"""Watermark values as text and back, with their type: they are bound to the next statement."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from noria.errors import SourceError
from noria.ingestion.sources.driver_types import Beyond

_PARSERS: dict[str, Any] = {
    "int": int,
    "float": float,
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "str": str,
}


def text(value: Any, column: str) -> str:
    """Write a watermark; raises `SourceError` for what has no order, or ends it."""
    kind = type(value).__name__
    if isinstance(value, Beyond) or _is_nan(value):
        raise SourceError(
            f"watermark '{column}' has the highest value {value!s}, behind which no new row can "
            "come: leave such rows out (filters, or the query's where), or use another column"
        )
    if kind not in _PARSERS:
        raise SourceError(
            f"watermark '{column}' is of type {kind}, which has no lasting order; use a column of "
            "times or numbers"
        )
    return f"{kind} {value.isoformat() if isinstance(value, date) else value!s}"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | Decimal) and value != value


def parse(written: str) -> Any:
    """Read a watermark; None for what is none."""
    kind, _, value = written.partition(" ")
    return _PARSERS[kind](value) if kind in _PARSERS else None


def follows(later: Any, earlier: Any) -> bool:
    """Whether a watermark is at or behind another of the same type.

    Text is ordered by the database's collation, which Python does not know: it is taken on trust.
    """
    if type(later) is not type(earlier):
        return False
    return isinstance(later, str) or bool(later >= earlier)
