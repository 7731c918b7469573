"""Feature steps of timestamps, in exact integer arithmetic: dates, cycles and spans."""

from typing import TypeVar

import numpy as np

from noria.common.arrays import Array
from noria.core.data.dataset import MISSING_TIMESTAMP
from noria.core.features.array_operations import Operations
from noria.core.features.encoders import NAN, FeatureStep, integer

T = TypeVar("T")
DAY, HOUR, MINUTE = 86_400, 3_600, 60


class Calendar(FeatureStep):
    """Minute of the day, weekday (Monday 0) and day of the year, in exact integer arithmetic."""

    def __init__(self, column: str, cycles: bool) -> None:
        self.column, self.cycles, self.reads = column, cycles, (column,)
        self.names = [f"{column} {part}" for part in ("minute of day", "weekday", "day of year")]
        if cycles:
            self.names += [f"{name} {wave}" for name in self.names for wave in ("sine", "cosine")]

    def build(self, operations: Operations[T]) -> T:
        """Take the timestamp apart; a missing one gives NaN."""
        missing, seconds = known_seconds(operations, self.column)
        parts = [*_time_of_day(operations, seconds)]
        features = [operations.to_float(part) for part in parts]
        if self.cycles:
            for part, period in zip(parts, (1440.0, 7.0, 365.25), strict=True):
                features += [operations.gather(wave, part) for wave in sine_cosine(period)]
        nothing = operations.constant(NAN)
        return operations.where(missing, nothing, operations.concatenate(features))


class Elapsed(FeatureStep):
    """Days since 1970, for tables that have nothing but timestamps."""

    def __init__(self, column: str) -> None:
        self.column, self.names, self.reads = column, [f"{column} days"], (column,)

    def build(self, operations: Operations[T]) -> T:
        """Divide the seconds by those of a day."""
        missing, seconds = known_seconds(operations, self.column)
        per_day = operations.constant(np.full((1, 1), DAY, dtype=np.float32))
        days = operations.divide(operations.to_float(seconds), per_day)
        return operations.where(missing, operations.constant(NAN), days)


class Span(FeatureStep):
    """Hours from one timestamp to another."""

    def __init__(self, earlier: str, later: str) -> None:
        self.earlier, self.later, self.reads = earlier, later, (earlier, later)
        self.names = [f"{later} - {earlier} hours"]

    def build(self, operations: Operations[T]) -> T:
        """Subtract as integers, so that seconds are exact."""
        no_start, start = known_seconds(operations, self.earlier)
        no_end, end = known_seconds(operations, self.later)
        per_hour = operations.constant(np.full((1, 1), HOUR, dtype=np.float32))
        hours = operations.divide(operations.to_float(operations.subtract(end, start)), per_hour)
        nothing = operations.constant(NAN)
        return operations.where(operations.either(no_start, no_end), nothing, hours)


def known_seconds(operations: Operations[T], column: str) -> tuple[T, T]:
    """Return where a timestamp is missing, and the seconds with 0 in those places."""
    seconds = operations.column(column)
    missing = operations.equal(seconds, integer(operations, MISSING_TIMESTAMP))
    return missing, operations.where(missing, integer(operations, 0), seconds)


def sine_cosine(period: float) -> tuple[Array, Array]:
    """Tabulate sine and cosine per whole unit: a table gives the same bits everywhere."""
    angles = 2 * np.pi * np.arange(int(np.ceil(period)) + 1) / period
    return np.sin(angles).astype(np.float32), np.cos(angles).astype(np.float32)


def _time_of_day(operations: Operations[T], seconds: T) -> tuple[T, T, T]:
    """Split seconds since 1970 into minute of the day, weekday and day of the year."""
    second = operations.modulo(seconds, integer(operations, DAY))
    days = operations.divide(operations.subtract(seconds, second), integer(operations, DAY))
    minute = operations.divide(second, integer(operations, MINUTE))
    thursday = operations.add(days, integer(operations, 3))
    weekday = operations.modulo(thursday, integer(operations, 7))
    return minute, weekday, _day_of_year(operations, days)


def _day_of_year(operations: Operations[T], days: T) -> T:
    """Count from 1 (1 January), by Howard Hinnant's `civil_from_days` (years begin in March)."""

    def whole(value: T, divisor: int) -> T:
        return operations.divide(value, integer(operations, divisor))

    def times(value: T, factor: int) -> T:
        return operations.multiply(value, integer(operations, factor))

    minus, plus, equal = operations.subtract, operations.add, operations.equal
    shifted = plus(days, integer(operations, 719_468))
    day = operations.modulo(shifted, integer(operations, 146_097))
    leaps = minus(plus(minus(day, whole(day, 1460)), whole(day, 36_524)), whole(day, 146_096))
    year = whole(leaps, 365)
    before = minus(plus(times(year, 365), whole(year, 4)), whole(year, 100))
    since_march = minus(day, before)
    zero = integer(operations, 0)
    fourth = equal(operations.modulo(year, integer(operations, 4)), zero)
    hundredth = equal(operations.modulo(year, integer(operations, 100)), zero)
    common = equal(hundredth, equal(year, zero))
    leap = operations.to_integer(operations.both(fourth, common))
    in_spring = plus(plus(since_march, integer(operations, 60)), leap)
    in_winter = minus(since_march, integer(operations, 305))
    january = operations.greater(since_march, integer(operations, 305))
    return operations.where(january, in_winter, in_spring)
