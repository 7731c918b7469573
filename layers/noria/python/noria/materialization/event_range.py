"""A range of event times, as a backfill is asked for: parsed, cut into months, and named."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

from noria.errors import FeatureError

LONGEST_NAME = 80  # of a Step Functions execution


@dataclass(frozen=True)
class MonthRange:
    """The part of a range that lies in one calendar month, UTC: from `start`, before `end`."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class EventRange:
    """Event times from `start`, before `end`, both UTC."""

    start: datetime
    end: datetime

    @classmethod
    def parse(cls, start: str, end: str) -> Self:
        """Read dates (midnight UTC) or times with a zone; raises `FeatureError` for others."""
        made = cls(_moment(start, "from"), _moment(end, "to"))
        if made.start >= made.end:
            raise FeatureError(
                f"the range from {start} to {end} is empty: `from` is its first event time, `to` "
                "lies after its last; exchange them, or give a later `to`"
            )
        return made

    def months(self) -> Iterator[MonthRange]:
        """The calendar months that the range touches, in order."""
        start = self.start
        while start < self.end:
            years, month = start.year + start.month // 12, start.month % 12 + 1
            following = min(datetime(years, month, 1, tzinfo=UTC), self.end)
            yield MonthRange(f"{start:%Y-%m}", start, following)
            start = following

    def __str__(self) -> str:
        return f"{self.start.isoformat()} to {self.end.isoformat()}"


def execution_name(
    given: EventRange, run: str | None, attempt: int, *, replace: bool = False
) -> str:
    """The name of a backfill's execution, which follows from what was asked for."""
    asked = f"{given.start:%Y%m%dT%H%M%S}-{given.end:%Y%m%dT%H%M%S}".replace("T000000", "")
    how = "-replace" if replace else ""
    words = re.sub(r"[^A-Za-z0-9_-]", "-", f"backfill-{asked}-{run or 'latest'}{how}")
    suffix = f"-{attempt}" if attempt > 1 else ""
    return words[: LONGEST_NAME - len(suffix)] + suffix


def _moment(text: str, what: str) -> datetime:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise FeatureError(
            f"{what} {text!r} is no date; write one such as 2013-01-01, or a time with its zone, "
            "such as 2013-01-01T06:00:00Z"
        ) from error
    if moment.tzinfo is None:
        raise FeatureError(
            f"{what} {text!r} has no zone and may be any instant of a day; write {text}Z for UTC"
        )
    return moment.astimezone(UTC)
