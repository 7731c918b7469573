"""Times as a source writes them: what training read in its formats, a request may send so."""

import contextlib
import re
from datetime import UTC, datetime

from noria.common.categories import tidy
from noria.common.timestamps import MICROSECONDS, RefusedError, as_microseconds
from noria.core.data.notation import Notation

EPOCHS = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
BEFORE_ZONE = re.compile(r"\s+(?=(?:Z|[+-]\d\d:?\d\d)$)")
ISO_ONLY = ((), ("ISO8601",))
UTC_LENGTH = len("2013-01-31T17:00:00Z")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def is_missing_time(value: object, notation: Notation) -> bool:
    """Whether training would have taken a value for a missing time."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    return notation.is_missing(value)


def written_seconds(value: object, notation: Notation, zone: str | None) -> int:
    """Return a time in whole seconds since 1970, UTC; see `written_microseconds`."""
    if isinstance(value, str) and len(value) == UTC_LENGTH and notation.formats in ISO_ONLY:
        with contextlib.suppress(ValueError):  # the usual form, at half the time
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is UTC:
                return int(moment.timestamp())
    return written_microseconds(value, notation, zone) // MICROSECONDS


def written_microseconds(value: object, notation: Notation, zone: str | None) -> int:
    """Return a time in whole microseconds since 1970, UTC; raises `RefusedError`.

    It is read by the source's formats, else as ISO 8601 or as seconds since 1970. One without a
    zone is a time of `zone` (IANA; default UTC).
    """
    formats = [form for form in notation.formats if form != "ISO8601"]
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        for form in formats:
            found = _in_format(value, form, zone)
            if found is not None:
                return found
    if isinstance(value, str):
        value = BEFORE_ZONE.sub("", value.strip())
    try:
        return as_microseconds(value, zone)
    except RefusedError as refusal:
        if not formats:
            raise
        raise RefusedError(f"{refusal}, or a time in the form {formats[0]}") from None


def _in_format(value: str | float, form: str, zone: str | None) -> int | None:
    """Read a time in one format, or None; a number is then written as its digits."""
    if form in EPOCHS:
        number = _number(value) if isinstance(value, str) else value
        return None if number is None else as_microseconds(number / EPOCHS[form])
    if isinstance(value, float) and not value.is_integer():
        return None
    text = value.strip() if isinstance(value, str) else str(int(value))
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007  # its zone is the column's
    except ValueError:
        return None
    return as_microseconds(moment.isoformat(), zone)


def _number(text: str) -> float | None:
    found = NUMBER.fullmatch(tidy(text))
    return float(found[0]) if found else None
