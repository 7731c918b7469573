"""Seasons of the target: hour of the day, day of the week, month of the year, all in UTC."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import stats

from noria.common.arrays import Array
from noria.contracts import Analysis
from noria.core.analysis.profiling import target_series
from noria.core.analysis.time_coverage import means_by
from noria.core.data.dataset import Dataset, is_missing
from noria.core.statistics.association import across_groups, cramers_v, holm

HOUR, DAY = 3600, 86400
MONTH = 31 * DAY
CYCLES = {"hour of day": DAY, "day of week": 7 * DAY, "month": 365.25 * DAY}
UNITS = {"hour of day": HOUR, "day of week": DAY, "month": MONTH}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LABELS = {
    "hour of day": tuple(f"{hour:02d}" for hour in range(24)),
    "day of week": DAYS,
    "month": MONTHS,
}
FEWEST_ROWS = 5  # per group, for the chi-squared approximation (Kruskal and Wallis 1952)


class Season(BaseModel):
    """How the target goes with a part of the calendar; lists are one value per label.

    `effect` is the share of the target's rank variance (0 to 1), `p_value` corrected after Holm;
    `named` where it is significant and the effect reaches `analysis.seasonality`.
    """

    name: str
    labels: list[str]
    rows: list[int]
    series: dict[str, list[float | None]]
    measure: str
    effect: float
    p_value: float
    named: bool


class HeatMap(BaseModel):
    """The target's mean by day of the week (rows) and hour (columns); None where hardly a row."""

    label: str
    rows: list[str]
    columns: list[str]
    values: list[list[float | None]]


@dataclass(frozen=True)
class _Timed:
    """The rows whose event time (epoch seconds UTC) is known."""

    times: NDArray[np.int64]
    target: Array
    classes: tuple[str, ...]

    @property
    def series(self) -> dict[str, Array]:
        """What of the target can be averaged."""
        return target_series(self.target, self.classes)


def seasons(dataset: Dataset, limits: Analysis) -> list[Season]:
    """Measure every season of which the rows cover `season_cycles`; empty without event times.

    The effect is the rank epsilon squared, H / (n - 1) corrected for the groups (Tomczak and
    Tomczak 2014), of classes beyond two the squared Cramér's V. Significance is the analysis of
    variance (Fisher 1925) of the means per hour, day or month, since rows of one hour share what
    moved them and are no witnesses of their own (Hurlbert 1984, pseudoreplication).
    """
    timed = _timed(dataset)
    if timed is None or np.ptp(timed.target) == 0:
        return []
    span = np.ptp(timed.times)
    found = calendar(timed.times)
    names = [
        name
        for name, (codes, _) in found.items()
        if span >= limits.season_cycles * CYCLES[name] - UNITS[name] and np.ptp(codes) > 0
    ]
    chances = holm([_p_value(timed, *found[name]) for name in names])
    return [
        _season(timed, name, found[name][0], p_value, limits)
        for name, p_value in zip(names, chances, strict=True)
    ]


def _timed(dataset: Dataset) -> _Timed | None:
    if dataset.event_time is None:
        return None
    known = ~is_missing("timestamp", dataset.event_time)
    if not known.any():
        return None
    return _Timed(dataset.event_time[known], dataset.target[known], dataset.classes)


def calendar(times: NDArray[np.int64]) -> dict[str, tuple[Array, Array]]:
    """Per season the group of each time (a place in `LABELS`) and the unit it lies in.

    Times are epoch seconds UTC; units are numbered hours, days and months since 1970.
    """
    days = times // DAY
    months = times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return {
        "hour of day": (times // HOUR % 24, times // HOUR),
        "day of week": ((days + 3) % 7, days),  # 1970-01-01 was a Thursday
        "month": (months % 12, months),
    }


def _p_value(timed: _Timed, codes: Array, units: Array) -> float:
    """The least p value of the target's series, times their number (Bonferroni)."""
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    found = [
        _analysis_of_variance(
            np.array(means_by(unit, values, len(first)), dtype=np.float64), codes[first]
        )
        for values in timed.series.values()
    ]
    return min(1.0, min(found) * len(found))


def _analysis_of_variance(values: Array, groups: Array) -> float:
    """The p value of Fisher's F, one-way; the values are means, so nearly normal."""
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    freedom = len(values) - len(counts)
    if len(counts) < 2 or freedom < 1 or np.ptp(values) == 0:
        return 1.0
    means = np.bincount(codes, weights=values) / counts
    within = float(((values - means[codes]) ** 2).sum())
    between = float((counts * (means - values.mean()) ** 2).sum())
    ratio = between / (len(counts) - 1) / (within / freedom) if within else np.inf
    return float(stats.f.sf(ratio, len(counts) - 1, freedom))


def _season(timed: _Timed, name: str, codes: Array, p_value: float, limits: Analysis) -> Season:
    labels, effect = LABELS[name], _effect(timed, codes)
    return Season(
        name=name,
        labels=list(labels),
        rows=np.bincount(codes, minlength=len(labels)).tolist(),
        series={key: means_by(codes, values, len(labels)) for key, values in timed.series.items()},
        measure="rank epsilon²" if len(timed.classes) <= 2 else "Cramér's V²",
        effect=effect,
        p_value=p_value,
        named=p_value < limits.significance and effect >= limits.seasonality,
    )


def _effect(timed: _Timed, codes: Array) -> float:
    enough = np.bincount(codes)[codes] >= FEWEST_ROWS
    groups, target = codes[enough], timed.target[enough]
    if len(groups) == 0 or np.ptp(groups) == 0 or np.ptp(target) == 0:
        return 0.0
    if len(timed.classes) > 2:
        return cramers_v(groups, target).value ** 2
    return across_groups(target, groups).value


def heat_map(dataset: Dataset, limits: Analysis) -> HeatMap | None:
    """The target by day of the week and hour, of two classes or numbers.

    None without `season_cycles` full weeks, or where the occupied cells hold fewer than
    `cell_rows` rows on average.
    """
    timed = _timed(dataset)
    if timed is None or len(timed.series) != 1:
        return None
    found = calendar(timed.times)
    (days, _), (hours, _) = found["day of week"], found["hour of day"]
    least = limits.season_cycles * CYCLES["day of week"] - DAY
    if np.ptp(timed.times) < least or np.ptp(hours) == 0:
        return None
    cells = days * 24 + hours
    counts = np.bincount(cells, minlength=7 * 24)
    if len(cells) < limits.cell_rows * np.count_nonzero(counts):
        return None
    ((label, values),) = timed.series.items()
    means = means_by(cells, values, 7 * 24)
    shown = [means[cell] if counts[cell] >= limits.cell_rows else None for cell in range(7 * 24)]
    return HeatMap(
        label=label,
        rows=list(DAYS),
        columns=list(LABELS["hour of day"]),
        values=[shown[day * 24 : day * 24 + 24] for day in range(7)],
    )
