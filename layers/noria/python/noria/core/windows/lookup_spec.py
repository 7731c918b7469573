"""What a model needs to look up an entity's history: its key, its windows, and as of when."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from noria.common.categories import Spellings
from noria.common.messages import ascii_repr
from noria.common.timestamps import RefusedError, iso_timestamp
from noria.core.data.notation import Notation
from noria.core.data.written_times import (
    is_missing_time,
    written_microseconds,
    written_seconds,
)
from noria.core.windows.tiles import WindowAggregation
from noria.errors import RequestError

Row = Mapping[str, Any]
LARGEST_WHOLE = 2**53  # above it a double no longer counts by one
BOOLEANS = {"true": "1", "false": "0"}  # which the accepted rows hold as numbers


class KeyColumn(BaseModel):
    """A column of the entity key, as the feature store writes its values.

    Whole numbers have one spelling (`number`), times another (`time`; without a zone of their own
    they are times of `zone`), texts that of `spellings`. `notation` is how the source writes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    number: bool = False
    time: bool = False
    zone: str | None = None
    spellings: dict[str, str] = {}
    notation: Notation = Notation()

    def text(self, value: object) -> str | None:
        """A value as the feature store has it, None for one that is missing."""
        if value is None or value == "":
            return None
        if self.time:
            return self._instant(value)
        if isinstance(value, bool):
            return str(int(value)) if self.number else str(value).lower()
        if isinstance(value, int | float):
            return _number(value)
        text = Spellings(self.spellings)(str(value))
        return _as_number(text) if self.number else text

    def _instant(self, value: object) -> str:
        """A time's one spelling; what is no time names an entity that nothing is known of."""
        try:
            return iso_timestamp(written_microseconds(value, self.notation, self.zone))
        except RefusedError:
            return str(value)


class LookupSpec(BaseModel):
    """A model's time-window aggregations, which no request carries: they are looked up.

    `feature_set` is the set's name, `delay` (seconds) what a row needs to become known. The instant
    is the request's `event_time` where it carries one (a time of `zone` where it has none, written
    as the source writes it: `notation`), else that of the request itself. `examples` are keys of
    rows that the data ends with, for requests to try.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature_set: str
    keys: tuple[KeyColumn, ...]
    event_time: str
    zone: str | None = None
    notation: Notation = Notation()
    delay: int
    windows: tuple[WindowAggregation, ...]
    descriptions: dict[str, str] = {}
    examples: tuple[dict[str, str | None], ...] = ()

    @property
    def names(self) -> list[str]:
        """The windows' names."""
        return [window.name for window in self.windows]

    @property
    def fields(self) -> list[str]:
        """The fields that a row is looked up by."""
        return [*(key.name for key in self.keys), self.event_time]

    def read_by(self, names: Sequence[str]) -> "LookupSpec | None":
        """The windows among a model's inputs, or None where it reads none."""
        windows = tuple(window for window in self.windows if window.name in names)
        return self.model_copy(update={"windows": windows}) if windows else None

    def key_of(self, number: int, row: Row) -> tuple[str, ...] | None:
        """An entity's key, None where a part of it is null; raises `RequestError` for none."""
        for key in self.keys:
            if key.name not in row:
                raise RequestError(
                    f"row {number} has no {key.name!r}: it names the entity whose history the "
                    "model looks up; send it, or null where there is none"
                )
            value = row[key.name]
            unreadable = isinstance(value, float) and not math.isfinite(value)
            if unreadable or not isinstance(value, str | int | float | None):
                raise RequestError(
                    f"row {number}, field {key.name!r}: {ascii_repr(value)} names no "
                    "entity: send a text, a number or null"
                )
        texts = [key.text(row[key.name]) for key in self.keys]
        return None if None in texts else tuple(str(text) for text in texts)

    def instant_of(self, number: int, row: Row, now: datetime) -> int:
        """The instant of a row, in seconds since 1970; raises `RequestError` for no time."""
        given = row.get(self.event_time)
        if given is None or is_missing_time(given, self.notation):
            return math.floor(now.timestamp())
        try:
            return written_seconds(given, self.notation, self.zone)
        except RefusedError as refusal:
            raise RequestError(
                f"row {number}, field {self.event_time!r}: {ascii_repr(given)} {refusal}"
            ) from None


def _number(value: float) -> str:
    """A number as the store writes it: a whole one without fraction, while doubles count by one."""
    whole = isinstance(value, int) or (value.is_integer() and abs(value) < LARGEST_WHOLE)
    return str(int(value)) if whole else str(value)


def _as_number(text: str) -> str:
    if text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    if "_" in text:  # which Python takes between digits
        return text
    try:
        return str(int(text))
    except ValueError:
        pass
    try:
        return _number(float(text))
    except ValueError:
        return text
