"""What period the rows cover, where they stop, and the target along the way."""

import numpy as np
from pydantic import BaseModel

from noria.common.arrays import Array
from noria.contracts import Analysis
from noria.core.analysis.profiling import target_series
from noria.core.data.dataset import Dataset, is_missing

PERIODS = 30
MOST_GAPS = 10
RHYTHMS = (86400, 7 * 86400)  # nights, then weekends


class Period(BaseModel):
    """A period, its rows, and the target's series there (None without rows)."""

    start: int
    rows: int
    series: dict[str, float | None]


class Gap(BaseModel):
    """A period without rows, in epoch seconds; `times` is its length in usual steps."""

    start: int
    end: int
    seconds: float
    times: float


class TimeProfile(BaseModel):
    """Coverage in epoch seconds UTC, steps and pauses in seconds, gaps largest first, periods.

    `usual_step` is the median between distinct times, `usual_pause` that of the longest pauses
    that recur by day or week (nights, weekends), if any do.
    """

    start: int
    end: int
    days: float
    longest_gap: float
    usual_step: float
    usual_pause: float | None
    gaps: list[Gap]
    missing: int
    periods: list[Period]


def profile_time(dataset: Dataset, limits: Analysis) -> TimeProfile | None:
    """Describe the time coverage, None without event times; a gap is `gap` usual steps and more.

    Pauses that start in a share `rhythm` of the days with rows, or of such weeks, are the data's
    rhythm and no gaps (from `rhythm_cycles` days or weeks on). Beside them a gap is longer than
    two of them, as a period in which one day's rows are missing spans two pauses and that day.
    """
    if dataset.event_time is None:
        return None
    present = ~is_missing("timestamp", dataset.event_time)
    times = dataset.event_time[present]
    if not len(times):
        return None
    distinct = np.unique(times)
    steps = np.diff(distinct)
    step = float(np.median(steps)) if len(steps) else 0.0
    shortest = limits.gap * step
    pause = _usual_pause(distinct, steps, shortest, limits)
    return TimeProfile(
        start=int(distinct[0]),
        end=int(distinct[-1]),
        days=float(distinct[-1] - distinct[0]) / 86400,
        longest_gap=float(steps.max()) if len(steps) else 0.0,
        usual_step=step,
        usual_pause=pause,
        gaps=_gaps(distinct, steps, max(shortest, 2 * (pause or 0.0)), step),
        missing=int((~present).sum()),
        periods=_periods(times, target_series(dataset.target[present], dataset.classes)),
    )


def _usual_pause(
    distinct: Array, steps: Array, longer_than: float, limits: Analysis
) -> float | None:
    """The length of the pauses that recur by day, or of the longer ones that recur by week."""
    pause = None
    for cycle in RHYTHMS:
        cycles, first = np.unique(distinct[:-1] // cycle, return_index=True)
        if len(cycles) < limits.rhythm_cycles:
            return pause
        longest = np.maximum.reduceat(steps, first)
        recurring = longest[longest > longer_than]
        if len(recurring) >= limits.rhythm * len(cycles):
            pause = float(np.median(recurring))
            longer_than = 2 * pause
    return pause


def _gaps(distinct: Array, steps: Array, longer_than: float, step: float) -> list[Gap]:
    places = np.flatnonzero(steps > longer_than)
    largest = places[np.argsort(-steps[places], kind="stable")][:MOST_GAPS]
    return [
        Gap(
            start=int(distinct[place]),
            end=int(distinct[place + 1]),
            seconds=float(steps[place]),
            times=float(steps[place]) / step,
        )
        for place in largest
    ]


def _periods(times: Array, series: dict[str, Array]) -> list[Period]:
    edges = np.linspace(times.min(), times.max() + 1, PERIODS + 1)
    place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, PERIODS - 1)
    rows = np.bincount(place, minlength=PERIODS)
    means = {name: means_by(place, values, PERIODS) for name, values in series.items()}
    return [
        Period(
            start=int(edges[index]),
            rows=int(rows[index]),
            series={name: found[index] for name, found in means.items()},
        )
        for index in range(PERIODS)
    ]


def means_by(groups: Array, values: Array, count: int) -> list[float | None]:
    """The mean of the values in each of so many groups (codes from 0), None where there is none."""
    rows = np.bincount(groups, minlength=count)
    sums = np.bincount(groups, weights=values.astype(np.float64), minlength=count)
    return [float(sums[i] / rows[i]) if rows[i] else None for i in range(count)]
