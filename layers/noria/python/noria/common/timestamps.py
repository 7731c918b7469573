"""Times as requests carry them: ISO 8601, or seconds since 1970."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds from 1970 to the years 1 and 9999: what ISO 8601 can write.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
REMEDY = "send ISO 8601 such as 2013-01-31T17:00:00Z, or seconds since 1970"
MICROSECONDS = 1_000_000


class RefusedError(Exception):
    """A value that does not fit its field; the text says why and what to send."""


def as_seconds(value: object, zone: str | None = None) -> int:
    """Return a time in whole seconds since 1970, UTC; raises `RefusedError`.

    A text without a zone is a time of `zone` (IANA; default UTC), read as training's were.
    """
    return as_microseconds(value, zone) // MICROSECONDS


def as_microseconds(value: object, zone: str | None = None) -> int:
    """Return a time in whole microseconds since 1970, UTC; see `as_seconds`."""
    if isinstance(value, str):
        found = (_moment(value, zone) - EPOCH) // timedelta(microseconds=1)
        _refuse_beyond(found // MICROSECONDS)
        return found
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError(f"is not a time: {REMEDY}")
    _refuse_beyond(value)
    return math.floor(value * MICROSECONDS)


def _refuse_beyond(seconds: float) -> None:
    # Numbers that are none are in no range either.
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise RefusedError(f"is outside the years 1 to 9999: {REMEDY}")


def iso_timestamp(microseconds: int) -> str:
    """Write an instant as the feature store writes times that name entities: ISO 8601 in UTC."""
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _moment(text: str, zone: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"is not a time: {REMEDY}") from None
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        return moment.replace(tzinfo=UTC)
    return _local(moment, zone)


def _local(moment: datetime, zone: str) -> datetime:
    """A time of a zone; one that clocks show twice is its first occurrence (PEP 495, fold 0)."""
    local = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        shown_then = local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None)
    except OverflowError:
        raise RefusedError(f"is outside the years 1 to 9999: {REMEDY}") from None
    if shown_then != moment:
        raise RefusedError(f"is no time in {zone}, whose clocks skip it: {REMEDY}")
    return local
