"""What numbers count, where they are times: seconds since 1970 or finer, or a calendar's digits."""

from dataclasses import dataclass

import pandas as pd

EPOCHS = {"epoch_s": 1.0, "epoch_ms": 1e3, "epoch_us": 1e6, "epoch_ns": 1e9}
NAMES = {"epoch_s": "seconds", "epoch_ms": "milliseconds", "epoch_us": "microseconds",
         "epoch_ns": "nanoseconds", "%Y": "years", "%Y%m%d": "dates of eight digits",
         "%Y%m%d%H%M%S": "times of fourteen digits"}  # fmt: skip
#: Digits of a calendar, and the least and largest number that is one of the years 1900 to 2100.
CALENDAR = {
    "%Y": (1900, 2100),
    "%Y%m%d": (19_000_101, 21_001_231),
    "%Y%m%d%H%M%S": (19_000_101_000_000, 21_001_231_235_959),
}
SHARE = 0.98  # convention, as for texts: one stray value in fifty changes nothing
HALF = 0.5
MARKS = 2  # different numbers that may mark what is no time
DAY = 86_400.0
#: Seconds from 1970 to the years 1600 and 2200, which times are taken to lie in.
EARLIEST, LATEST = -11_676_096_000.0, 7_258_118_400.0
#: The same for 1900 and 2100, where most of them lie.
USUAL = (-2_208_988_800.0, 4_102_444_800.0)


@dataclass(frozen=True)
class NumberedTimes:
    """How numbers are read as times; `question` is a clause about them where two ways fit."""

    form: str
    question: str | None = None


def numbered_times(numbers: pd.Series) -> NumberedTimes:
    """Tell by the whole column what its numbers count.

    The coarsest unit by which most of the different ones lie in the years 1600 to 2200 is meant, a
    finer one where only that makes whole days of all of them.
    """
    known = numbers.dropna().astype("float64").drop_duplicates()
    if known.empty:
        return NumberedTimes("epoch_s")
    calendar = next((form for form in CALENDAR if _are_dates(known, form)), None)
    if calendar is not None:
        return NumberedTimes(calendar)
    unit = next((unit for unit, scale in EPOCHS.items() if _are_plausible(known / scale)), None)
    if unit is None:
        return NumberedTimes("epoch_s")
    finer = _finer(unit)
    if finer is not None and _are_days(known / EPOCHS[finer]):
        return NumberedTimes(finer)
    return NumberedTimes(unit, _doubt(known, unit, finer))


def _are_dates(known: pd.Series, form: str) -> bool:
    low, high = CALENDAR[form]
    whole = known[(known % 1 == 0) & known.between(low, high)]
    if len(whole) < SHARE * len(known):
        return False
    times = pd.to_datetime(whole.astype("int64").astype("str"), format=form, errors="coerce")
    return bool(times.notna().sum() >= SHARE * len(known))


def _are_plausible(seconds: pd.Series) -> bool:
    return bool(seconds.between(EARLIEST, LATEST).mean() > HALF)


def _finer(unit: str) -> str | None:
    units = list(EPOCHS)
    return units[units.index(unit) + 1] if unit != units[-1] else None


def _are_days(seconds: pd.Series) -> bool:
    """Whether different times are all the beginning of a day."""
    return bool((seconds % DAY == 0).all()) and len(seconds) > 1


def _doubt(known: pd.Series, unit: str, finer: str | None) -> str | None:
    """Say why the numbers can hardly count what they seem to, or could count something finer."""
    seconds = known / EPOCHS[unit]
    low, high = f"{known.min():.15g}", f"{known.max():.15g}"
    if seconds.abs().max() < 2 * DAY and len(known) > 1:
        return f"as {NAMES[unit]} since 1970, {low} to {high} are all the turn of that year"
    # A few are marks such as the last day of the year 9999.
    few = max(MARKS, (1 - SHARE) * len(known))
    settled = _unusual(seconds) <= few or _are_days(seconds)
    if finer is None or settled or _unusual(known / EPOCHS[finer]):
        return None
    return f"{low} to {high} could count {NAMES[unit]} or {NAMES[finer]} since 1970"


def _unusual(seconds: pd.Series) -> int:
    return int((~seconds.between(*USUAL)).sum())
