"""Reading timestamps: ISO 8601, other formats, epochs, and times without a zone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.core.parsing import as_text

UTC = "UTC"
LONGEST = 100  # characters: a longer text is no time, and would take long to match
EPOCHS = {"epoch_s": 1.0, "epoch_ms": 1e3, "epoch_us": 1e6, "epoch_ns": 1e9}
#: Numbers above a bound count finer units: 1e11 seconds would be the year 5138.
EPOCH_BOUNDS = ((1e17, "epoch_ns"), (1e14, "epoch_us"), (1e11, "epoch_ms"))
SHARE = 0.98  # as among numbers: a few stray texts do not make another type of a column
MAJORITY = 0.5  # of a column that is said to hold times
PROBED = 50
ZONED = r"(?:Z|z|[+-]\d{2}:?\d{2})\s*$"
ISO = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*$"
#: What a date in one of the inferred formats begins with; other texts are not tried.
DATELIKE = r"^\s*(?:[A-Za-z]{3,9},? )?(?:\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}|\d{1,2}[ \-][A-Za-z]{3,9}[ \-]\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4})(?:\D|$)"  # noqa: E501

_NEUTRAL = ("%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
            "%b %d %Y", "%B %d %Y")  # fmt: skip
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y")
_MONTH_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S %z",
           " %H:%M %z")  # fmt: skip
_MAIL = ("%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S")


def _formats(dates: Iterable[str]) -> tuple[str, ...]:
    return tuple(date + clock for date, clock in product(dates, _CLOCKS))


ORDERS = {
    "day before month": (*_formats(_NEUTRAL), *_MAIL, *_formats(_DAY_FIRST)),
    "month before day": (*_formats(_NEUTRAL), *_MAIL, *_formats(_MONTH_FIRST)),
}


@dataclass(frozen=True)
class TimeReading:
    """How a column's times are written: strptime formats or epochs tried in order, and a zone.

    Without formats ISO 8601 is meant. `zone` (IANA) holds for times written without one.
    """

    formats: tuple[str, ...] = ()
    zone: str = UTC


@dataclass(frozen=True)
class Guess:
    """How texts seem to be written; `ambiguous` where day and month could be either."""

    reading: TimeReading | None
    ambiguous: bool = False


def zone_problem(name: str) -> str | None:
    """Say why a time zone cannot be used, or None."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{name!r} is no IANA time zone: write one such as Europe/Berlin or UTC"
    return None


def read_times(values: pd.Series, reading: TimeReading | None = None) -> pd.Series:
    """Read timestamps to UTC (microseconds); what cannot be read becomes NaT.

    Without a reading the format of texts is guessed, day and month only where one order fits;
    numbers are seconds since 1970, or milli-, micro- or nanoseconds where seconds would lie
    beyond the year 5138. A local time that a clock change repeats is its first occurrence
    (PEP 495, fold 0); one that a clock change skips is none.
    """
    chosen = reading or TimeReading()
    if pd.api.types.is_datetime64_any_dtype(values):
        return _zoned(values, chosen.zone)
    if pd.api.types.is_bool_dtype(values):
        return _nothing(values.index)
    if pd.api.types.is_numeric_dtype(values):
        return _from_numbers(values, chosen)
    codes, distinct = pd.factorize(values.astype("object"))
    texts = _short([str(value) for value in distinct])
    if reading is None or not reading.formats:
        chosen = _guessed(texts, codes, chosen.zone)
    parsed = _from_texts(texts, chosen).reindex(codes)  # code -1, a missing value, becomes NaT
    return pd.Series(parsed.array, index=values.index)


def guess(texts: Sequence[str], counts: Sequence[int] | None = None, share: float = SHARE) -> Guess:
    """Guess how texts are written, if at least a share of them are times; None where not.

    `texts` are distinct, `counts` how often each occurs (default: once).
    """
    weights = pd.Series(1 if counts is None else counts, index=range(len(texts)), dtype="float64")
    series = _short(texts)[weights.sort_values(ascending=False).index]
    if series.empty:
        return Guess(None)
    total, probed = weights.sum(), series.head(PROBED)
    probable = probed.str.match(DATELIKE) | probed.str.match(ISO)
    if weights[probed.index][probable].sum() < share * weights[probed.index].sum():
        return Guess(None)
    fits = {order: _fitting(series, formats) for order, formats in ORDERS.items()}
    missed = {order: float(weights[left].sum()) for order, (_, left) in fits.items()}
    fewest = min(missed.values())
    if fewest > (1 - share) * total:
        return Guess(None)
    found = [
        TimeReading(formats) for order, (formats, _) in fits.items() if missed[order] == fewest
    ]
    times = [_from_texts(series, reading) for reading in found]
    if not all(times[0].equals(other) for other in times):
        return Guess(None, ambiguous=True)
    return Guess(found[0])


def _short(texts: Sequence[str]) -> pd.Series:
    """Strip texts; those that are too long for a time become empty."""
    return pd.Series([t.strip() if len(t) <= LONGEST else "" for t in texts], dtype="object")


def _fitting(texts: pd.Series, candidates: Sequence[str]) -> tuple[tuple[str, ...], pd.Index]:
    """Choose the formats that read something the earlier ones did not; say what none reads."""
    left, used = texts, list[str]()
    for candidate in ("ISO8601", *candidates):
        if left.empty:
            break
        if _read_any(left.head(PROBED), candidate):
            read = _text_times(left, candidate, UTC).notna()
            left, used = left[~read], [*used, candidate]
    return tuple(used), left.index


def _read_any(texts: pd.Series, candidate: str) -> bool:
    return bool(_text_times(texts, candidate, UTC).notna().any())


def _guessed(texts: pd.Series, codes: NDArray[Any], zone: str) -> TimeReading:
    """Read as most of the texts suggest: somebody said that they are times."""
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    found = guess(texts.tolist(), counts.tolist(), MAJORITY).reading
    return TimeReading(found.formats if found else (), zone)


def _from_texts(texts: pd.Series, reading: TimeReading) -> pd.Series:
    times = _nothing(texts.index)
    for form in reading.formats or ("ISO8601",):
        left = times.isna()
        if left.any():
            times[left] = _text_times(texts[left], form, reading.zone)
    return times


def _text_times(texts: pd.Series, form: str, zone: str) -> pd.Series:
    if form in EPOCHS:
        return _from_epoch(pd.to_numeric(texts, errors="coerce"), form)
    if form != "ISO8601":
        return _zoned(_parsed(texts, form), zone)
    texts = texts.where(texts.str.match(ISO))  # pandas alone would take 2024, 202401 and more
    zoned = texts.str.contains(ZONED, regex=True, na=False)
    times = _zoned(_parsed(texts.mask(zoned), form), zone)
    return times.where(~zoned, _parsed(texts.where(zoned), form, utc=True))


def _parsed(texts: pd.Series, form: str, *, utc: bool = False) -> pd.Series:
    """Parse texts in one format: naive, or UTC where the format or the caller says zones."""
    times = pd.to_datetime(texts, format=form, errors="coerce", utc=utc or "%z" in form)
    return times.dt.as_unit("us")


def _zoned(times: pd.Series, zone: str) -> pd.Series:
    """Convert to UTC; times without a zone are local times of the given one."""
    if times.dt.tz is None:
        first = np.ones(len(times), dtype=bool)
        times = times.dt.tz_localize(zone, ambiguous=first, nonexistent="NaT")
    utc: pd.Series = times.dt.tz_convert(UTC).dt.as_unit("us")
    return utc


def _from_numbers(values: pd.Series, reading: TimeReading) -> pd.Series:
    epochs = [form for form in reading.formats if form in EPOCHS]
    if reading.formats and not epochs:  # such as 20130401 for %Y%m%d
        return _from_texts(as_text(values).astype("object"), reading)
    numbers = values.astype("float64")
    return _from_epoch(numbers, epochs[0] if epochs else _magnitude(numbers))


def _magnitude(numbers: pd.Series) -> str:
    usual = numbers.abs().clip(upper=EPOCH_BOUNDS[0][0] * 10).median()
    return next((unit for bound, unit in EPOCH_BOUNDS if usual > bound), "epoch_s")


def _from_epoch(numbers: pd.Series, unit: str) -> pd.Series:
    seconds = numbers.astype("float64") / EPOCHS[unit]
    times = pd.to_datetime(seconds, unit="s", utc=True, errors="coerce")
    rounded: pd.Series = times.dt.round("us").dt.as_unit("us")  # as_unit alone truncates
    return rounded


def _nothing(index: pd.Index) -> pd.Series:
    return pd.Series(pd.NaT, index=index, dtype="datetime64[us, UTC]")
