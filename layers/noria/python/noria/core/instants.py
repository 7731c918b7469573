"""Times as requests carry them: ISO 8601, or seconds since 1970."""

import math
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds from 1970 to the years 1 and 9999: what ISO 8601 can write.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
REMEDY = "send ISO 8601 such as 2013-01-31T17:00:00Z, or seconds since 1970"
SHOWN = 60


class RefusedError(Exception):
    """A value that does not fit its field; the text says why and what to send."""


def as_seconds(value: object) -> int:
    """Return a time in whole seconds since 1970, UTC; raises `RefusedError`."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise RefusedError(f"is not a time: {REMEDY}") from None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return math.floor((aware - EPOCH).total_seconds())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError(f"is not a time: {REMEDY}")
    if not FIRST_SECOND <= value <= LAST_SECOND:
        raise RefusedError(f"is outside the years 1 to 9999: {REMEDY}")
    return math.floor(value)


def shown(value: object) -> str:
    """A value as an error shows it: ASCII, and short."""
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
