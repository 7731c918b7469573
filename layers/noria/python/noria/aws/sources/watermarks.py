"""Watermark values as text and back, with their type: they are bound to the next statement."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from noria.errors import SourceError

_PARSERS: dict[str, Any] = {
    "int": int,
    "float": float,
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "str": str,
}


def text(value: Any) -> str:
    """Write a watermark; raises `SourceError` for a type that has no order."""
    kind = type(value).__name__
    if kind not in _PARSERS:
        raise SourceError(
            f"a watermark of type {kind} cannot be compared; use a column of times or numbers"
        )
    return f"{kind} {value.isoformat() if isinstance(value, date) else value!s}"


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
