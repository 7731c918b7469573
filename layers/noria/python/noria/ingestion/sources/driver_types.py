"""Values that drivers give as no plain number, text, boolean or time."""

from collections.abc import Callable
from datetime import date
from typing import Any


class Beyond(str):
    """A time that no calendar here holds: infinity, a year before 1 or after 9999, a zero date."""


def as_time(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A driver's reader of times, with `Beyond` for what it gives back as text."""

    def reading(data: Any) -> Any:
        value = read(data)
        return value if value is None or isinstance(value, date) else Beyond(value)

    return reading


def teach_postgresql(connection: Any) -> None:
    """Have pg8000 read each type into what a column can hold; it reads 24:00 as an error.

    Type numbers are PostgreSQL's pg_type.dat. Intervals come in ISO 8601, for pg8000 loses the
    minus of '-01:30', and money as lc_monetary 'C' writes it.
    """
    from pg8000 import converters

    times = {1082: converters.date_in, 1114: converters.timestamp_in,
             1184: converters.timestamptz_in}  # fmt: skip
    for number, read in times.items():
        connection.register_in_adapter(number, as_time(read))
    for number in (1083, 3904, 3906, 3908, 3910, 3912, 3926):  # time, and ranges
        connection.register_in_adapter(number, str)
    connection.register_in_adapter(1186, _seconds)
    connection.register_in_adapter(790, _amount)


def _seconds(text: str) -> float:
    """An interval as EXTRACT(epoch) has it: a year of 365.25 days, else a month of 30."""
    from pg8000.types import PGInterval

    interval: Any = PGInterval.from_str_iso_8601(text).normalize()
    years, months = divmod(abs(interval.months), 12)
    days = (years * 365.25 + months * 30) * (1 if interval.months >= 0 else -1) + interval.days
    return float(days * 86400 + interval.seconds)


def _amount(text: str) -> float:
    return float(text.replace("$", "").replace(",", ""))


def mysql_readers() -> dict[Any, Any]:
    """PyMySQL's readers and writers, with zero dates as `Beyond` and bits as whole numbers."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions

    readers = dict(conversions)
    for kind in (FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP):
        readers[kind] = as_time(conversions[kind])
    readers[FIELD_TYPE.BIT] = lambda data: int.from_bytes(data, "big")
    return readers
