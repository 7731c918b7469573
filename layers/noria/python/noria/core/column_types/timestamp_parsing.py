"""Reading timestamps: ISO 8601, other formats, epochs, and times without a zone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.core.column_types.epochs import EPOCHS as EPOCHS
from noria.core.column_types.epochs import numbered_times
from noria.core.column_types.timestamp_formats import COMMON, DATELIKE, ISO, ORDERS, ZONED, shape_of
from noria.core.ingestion.raw_text import LARGEST_WHOLE, values_as_text

UTC = "UTC"
LONGEST = 100  # characters: a longer text is no time, and would take long to match
SHARE = 0.98  # the contract's default for quality.numeric_share
DECLARED_SHARE = 0.5  # the contract's default for quality.declared_share
PROBED = 50
#: Longer ones may be names, which doubles would not tell apart.
DIGITS = r"[+-]?[0-9]{1,16}(?:\.[0-9]*)?"
YEAR = 4  # digits that the longest of them have at least


@dataclass(frozen=True)
class TimeReading:
    """How a column's times are written: strptime formats or epochs tried in order, and a zone.

    Without formats they are guessed, if at least a `share` of the texts agree on one, and else ISO
    8601 is meant. `zone` (IANA) holds for times written without one.
    """

    formats: tuple[str, ...] = ()
    zone: str = UTC
    share: float = DECLARED_SHARE


@dataclass(frozen=True)
class Guess:
    """How texts seem to be written.

    Where day and month could be either, `question` says so, with examples; where some texts alone
    tell which comes first, `order` says which, and shows one of them.
    """

    reading: TimeReading | None
    question: str | None = None
    order: str | None = None


def zone_problem(name: str) -> str | None:
    """Say why a time zone cannot be used, or None."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{name!r} is no IANA time zone: write one such as Europe/Berlin or UTC"
    return None


def read_times(values: pd.Series, reading: TimeReading | None = None) -> pd.Series:
    """Read timestamps to UTC (microseconds); what cannot be read becomes NaT.

    Without a reading the format of texts is guessed, day and month only where one order fits; what
    numbers count is told by all of them (`numbered_times`). A local time that a clock change
    repeats is its first occurrence (PEP 495, fold 0); one that a clock change skips is none.
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
    numbers = None if chosen.formats else digits_of(texts)
    if numbers is not None:
        parsed = _from_numbers(numbers, chosen).reindex(codes)
        return pd.Series(parsed.array, index=values.index)
    if not chosen.formats:
        chosen = _guessed(texts, codes, chosen)
    parsed = _from_texts(texts, chosen).reindex(codes)  # code -1, a missing value, becomes NaT
    return pd.Series(parsed.array, index=values.index)


def digits_of(texts: pd.Series) -> pd.Series | None:
    """Return texts as numbers where all of them are digits, as a counted time may be written."""
    if texts.empty or not texts.str.fullmatch(DIGITS).all() or texts.str.len().max() < YEAR:
        return None
    numbers = pd.Series(pd.to_numeric(texts), dtype="float64")
    return numbers if numbers.abs().max() < LARGEST_WHOLE else None


def guess(texts: Sequence[str], counts: Sequence[int] | None = None, share: float = SHARE) -> Guess:
    """Guess how texts are written, if at least a share of them are times; None where not.

    `texts` are distinct, `counts` how often each occurs (default: once).
    """
    weights = np.ones(len(texts)) if counts is None else np.asarray(counts, dtype=np.float64)
    usual = np.argsort(-weights, kind="stable")
    probed = usual[:PROBED]
    probable = [_is_datelike(texts[place]) for place in probed]
    if not any(probable) or weights[probed][probable].sum() < share * weights[probed].sum():
        return Guess(None)
    series, total = _short(texts)[usual], weights.sum()
    common, left = _fitting(series, COMMON)
    fits = {order: _fitting(left, formats) for order, formats in ORDERS.items() if len(left)}
    enough = {
        order: ((*common, *formats), rest.index)
        for order, (formats, rest) in fits.items()
        if weights[rest.index].sum() <= (1 - share) * total
    }
    if len(enough) == 2:
        return _ordered(series, enough)
    one = [formats for formats, _ in enough.values()] if len(left) else [common]
    return Guess(TimeReading(one[0]) if one else None)


def _ordered(texts: pd.Series, fits: Mapping[str, tuple[tuple[str, ...], pd.Index]]) -> Guess:
    """Choose between two orders that both read enough: by a text that only one of them reads."""
    (first, (early, early_left)), (second, (late, late_left)) = fits.items()
    if early == late:
        return Guess(TimeReading(early))
    only_first, only_second = late_left.difference(early_left), early_left.difference(late_left)
    if len(only_first) and len(only_second):
        shown = f"{texts[only_first[0]]!r} is {first} and {texts[only_second[0]]!r} {second}"
        return Guess(None, question=shown)
    for order, formats, decisive in ((first, early, only_first), (second, late, only_second)):
        if len(decisive):
            reason = f"{order}, as {texts[decisive[0]]!r} tells"
            return Guess(TimeReading(formats), order=reason)
    either = _from_texts(texts, TimeReading(early)), _from_texts(texts, TimeReading(late))
    unlike = texts[either[0].ne(either[1]) & either[0].notna()]
    if len(unlike):
        return Guess(
            None, question=f"day and month of {unlike.iloc[0]!r} could be either way round"
        )
    return Guess(TimeReading(early))


def _is_datelike(text: str) -> bool:
    text = text.strip() if len(text) <= LONGEST else ""
    return bool(re.match(DATELIKE, text) or re.match(ISO, text))


def _short(texts: Sequence[str]) -> pd.Series:
    """Strip texts; those that are too long for a time become empty."""
    return pd.Series([t.strip() if len(t) <= LONGEST else "" for t in texts], dtype="object")


def _fitting(texts: pd.Series, candidates: Sequence[str]) -> tuple[tuple[str, ...], pd.Series]:
    """Choose the formats that read something the earlier ones did not, and what none reads."""
    left, some, used = texts, texts.head(PROBED), list[str]()
    for candidate in candidates:
        if not any(map(shape_of(candidate).fullmatch, some)):
            continue
        if _text_times(some, candidate, UTC).notna().any():
            left = left[_text_times(left, candidate, UTC).isna()]
            some, used = left.head(PROBED), [*used, candidate]
    return tuple(used), left


def _guessed(texts: pd.Series, codes: NDArray[Any], chosen: TimeReading) -> TimeReading:
    """Read as enough of the texts suggest: somebody said that they are times."""
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    found = guess(texts.tolist(), counts.tolist(), chosen.share).reading
    return replace(chosen, formats=found.formats if found else ())


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
    if times.dt.tz is None and zone == UTC:
        times = times.dt.tz_localize(UTC)
    elif times.dt.tz is None:
        first = np.ones(len(times), dtype=bool)
        times = times.dt.tz_localize(zone, ambiguous=first, nonexistent="NaT")
    utc: pd.Series = times.dt.tz_convert(UTC).dt.as_unit("us")
    return utc


def _from_numbers(values: pd.Series, reading: TimeReading) -> pd.Series:
    numbers = values.astype("float64")
    formats = reading.formats or (numbered_times(numbers).form,)
    epochs = [form for form in formats if form in EPOCHS]
    if epochs:
        return _from_epoch(numbers, epochs[0])
    known = replace(reading, formats=formats)  # such as 20130401 for %Y%m%d
    return _from_texts(values_as_text(values).astype("object"), known)


def _from_epoch(numbers: pd.Series, unit: str) -> pd.Series:
    seconds = numbers.astype("float64") / EPOCHS[unit]
    times = pd.to_datetime(seconds, unit="s", utc=True, errors="coerce")
    rounded: pd.Series = times.dt.round("us").dt.as_unit("us")  # as_unit alone truncates
    return rounded


def _nothing(index: pd.Index) -> pd.Series:
    return pd.Series(pd.NaT, index=index, dtype="datetime64[us, UTC]")
