"""Profiles of columns, target and time coverage; drift between the first and the last part."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from noria.core.dataset import Dataset, is_missing
from noria.core.relations import category_codes

Array = NDArray[Any]
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
TOP_VALUES = 10
BINS = 20
PERIODS = 30
DRIFT_BINS = 10
SMALLEST_SHARE = 1e-4  # keeps PSI finite where one part has no value in a bin


class Share(BaseModel):
    """A value and its share of the rows."""

    value: str
    share: float
    count: int


class Profile(BaseModel):
    """What a column holds; numbers and times have quantiles, categories their top values."""

    kind: str
    missing: float
    distinct: int
    entropy: float
    quantiles: list[float] = []
    top: list[Share] = []


class TargetProfile(BaseModel):
    """The balance of the classes, or the quantiles of the values and a histogram in shares."""

    balance: list[Share] = []
    quantiles: list[float] = []
    mean: float | None = None
    deviation: float | None = None
    edges: list[float] = []
    shares: list[float] = []


class Period(BaseModel):
    """A stretch of time: its rows, and the mean target (binary: share of positives)."""

    start: int
    rows: int
    target: float | None


class TimeProfile(BaseModel):
    """Coverage in epoch seconds UTC, the longest gap between rows, and equal periods."""

    start: int
    end: int
    days: float
    longest_gap: float
    missing: int
    periods: list[Period]


class Distribution(BaseModel):
    """Shares per bin or category, one series per class (regression: per third of the target)."""

    column: str
    kind: str
    labels: list[str]
    edges: list[float]
    series: dict[str, list[float]]


def as_numbers(values: Array, kind: str) -> NDArray[np.float64]:
    """Turn numbers or timestamps into float64 with NaN for missing."""
    if kind == "timestamp":
        return np.where(is_missing("timestamp", values), np.nan, values.astype(np.float64))
    return values.astype(np.float64)


def profile_column(values: Array, kind: str) -> Profile:
    """Describe one column."""
    if kind == "category":
        return _profile_category(values)
    numbers = as_numbers(values, kind)
    present = numbers[np.isfinite(numbers)]
    _, counts = np.unique(present, return_counts=True)
    return Profile(
        kind=kind,
        missing=_missing_share(len(present), len(values)),
        distinct=len(counts),
        entropy=_entropy(_binned(present)),
        quantiles=np.quantile(present, QUANTILES).tolist() if len(present) else [],
    )


def _profile_category(values: Array) -> Profile:
    present = values[values != ""]
    names, counts = np.unique(present, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return Profile(
        kind="category",
        missing=_missing_share(len(present), len(values)),
        distinct=len(names),
        entropy=_entropy(counts),
        top=_shares(names[order][:TOP_VALUES], counts[order][:TOP_VALUES], len(present)),
    )


def _shares(names: Array, counts: Array, total: int) -> list[Share]:
    return [
        Share(value=str(name), share=float(count / total), count=int(count))
        for name, count in zip(names, counts, strict=True)
    ]


def _missing_share(present: int, rows: int) -> float:
    return 1 - present / rows if rows else 0.0


def _binned(numbers: Array) -> Array:
    if len(numbers) == 0 or np.ptp(numbers) == 0:
        return np.array([len(numbers)])
    return np.histogram(numbers, bins=_edges(numbers))[0]


def _edges(numbers: Array, bins: int = BINS) -> Array:
    """Choose bin edges between the 1st and 99th percentile; a constant gets one bin around it."""
    low, high = np.quantile(numbers, (0.01, 0.99))
    if not high > low:
        low, high = numbers.min(), numbers.max()
    if not high > low:
        low, high = low - 0.5, high + 0.5
    distinct = np.unique(numbers[:5000])
    whole = len(distinct) <= bins and np.all(distinct % 1 == 0) and high - low <= bins
    return np.arange(low - 0.5, high + 1.0) if whole else np.linspace(low, high, bins + 1)


def _entropy(counts: Array) -> float:
    """Shannon entropy in bits."""
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def profile_target(dataset: Dataset) -> TargetProfile:
    """Describe the target: balance of the classes, or quantiles of the values."""
    if not dataset.classes:
        edges = _edges(dataset.target)
        inside = np.clip(dataset.target, edges[0], edges[-1])
        return TargetProfile(
            edges=edges.tolist(),
            shares=_as_shares(np.histogram(inside, bins=edges)[0]),
            quantiles=np.quantile(dataset.target, QUANTILES).tolist(),
            mean=float(dataset.target.mean()),
            deviation=float(dataset.target.std()),
        )
    counts = np.bincount(dataset.target, minlength=len(dataset.classes))
    return TargetProfile(balance=_shares(np.array(dataset.classes), counts, len(dataset)))


def profile_time(dataset: Dataset) -> TimeProfile | None:
    """Describe the time coverage, if the rows have an event time."""
    if dataset.event_time is None:
        return None
    present = ~is_missing("timestamp", dataset.event_time)
    times, target = dataset.event_time[present], dataset.target[present]
    if not len(times):
        return None
    distinct = np.unique(times)
    start, end = int(distinct[0]), int(distinct[-1])
    return TimeProfile(
        start=start,
        end=end,
        days=(end - start) / 86400,
        longest_gap=float(np.diff(distinct).max()) if len(distinct) > 1 else 0.0,
        missing=int((~present).sum()),
        periods=_periods(times, target, len(dataset.classes)),
    )


def _periods(times: Array, target: Array, classes: int) -> list[Period]:
    edges = np.linspace(times.min(), times.max() + 1, PERIODS + 1)
    place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, PERIODS - 1)
    rows = np.bincount(place, minlength=PERIODS)
    sums = np.bincount(place, weights=target.astype(np.float64), minlength=PERIODS)
    has_mean = classes in (0, 2)
    return [
        Period(
            start=int(edges[index]),
            rows=int(rows[index]),
            target=float(sums[index] / rows[index]) if has_mean and rows[index] else None,
        )
        for index in range(PERIODS)
    ]


def drift_by_column(ordered: Dataset) -> dict[str, float]:
    """Compare the first with the last third in time: population stability index per column."""
    third = len(ordered) // 3
    if ordered.event_time is None or third < DRIFT_BINS * 2:
        return {}
    return {
        column.name: _drift(ordered.data[column.name], column.kind, third)
        for column in ordered.columns
        if column.kind != "timestamp"
    }


def _drift(values: Array, kind: str, third: int) -> float:
    codes = category_codes(values, DRIFT_BINS) if kind == "category" else _decile_codes(values)
    first = np.bincount(codes[:third], minlength=DRIFT_BINS + 2) / third
    last = np.bincount(codes[-third:], minlength=DRIFT_BINS + 2) / third
    first, last = np.maximum(first, SMALLEST_SHARE), np.maximum(last, SMALLEST_SHARE)
    return float(((last - first) * np.log(last / first)).sum())


def _decile_codes(values: Array) -> NDArray[np.int64]:
    numbers = values.astype(np.float64)
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return np.zeros(len(numbers), dtype=np.int64)
    edges = np.unique(np.quantile(present, np.linspace(0, 1, DRIFT_BINS + 1)[1:-1]))
    codes = np.searchsorted(edges, numbers, side="left")
    return np.where(np.isfinite(numbers), codes, DRIFT_BINS)


def distribution(sample: Dataset, name: str) -> Distribution:
    """Count a column per class, as shares within each class."""
    kind = next(column.kind for column in sample.columns if column.name == name)
    values = sample.data[name]
    groups = _class_masks(sample)
    if kind == "category":
        return _category_distribution(name, values, groups)
    numbers = as_numbers(values, kind)
    present = numbers[np.isfinite(numbers)]
    edges = _edges(present) if len(present) else np.array([0.0, 1.0])
    inside = np.clip(numbers, edges[0], edges[-1])  # what lies beyond counts in the outer bins
    series = {
        label: _as_shares(np.histogram(inside[mask & np.isfinite(numbers)], bins=edges)[0])
        for label, mask in groups.items()
    }
    return Distribution(column=name, kind=kind, labels=[], edges=edges.tolist(), series=series)


def _class_masks(sample: Dataset, most: int = 4) -> dict[str, Array]:
    if not sample.classes:
        return _thirds(sample.target)
    counts = np.bincount(sample.target, minlength=len(sample.classes))
    shown = sorted(np.argsort(-counts, kind="stable")[:most].tolist())
    return {sample.classes[code]: sample.target == code for code in shown}


def _thirds(target: Array) -> dict[str, Array]:
    """Divide rows by the target's thirds; those with few distinct values stay together."""
    low, high = np.quantile(target, (1 / 3, 2 / 3))
    parts = {
        "low target": target <= low,
        "middle": (target > low) & (target <= high),
        "high target": target > high,
    }
    return {label: mask for label, mask in parts.items() if mask.any()}


def _category_distribution(name: str, values: Array, groups: dict[str, Array]) -> Distribution:
    names, counts = np.unique(values, return_counts=True)
    top = names[np.argsort(-counts, kind="stable")[:TOP_VALUES]]
    series = {
        label: [float(np.mean(values[mask] == item)) if mask.any() else 0.0 for item in top]
        for label, mask in groups.items()
    }
    labels = [str(item) or "(missing)" for item in top]
    return Distribution(column=name, kind="category", labels=labels, edges=[], series=series)


def _as_shares(counts: Array) -> list[float]:
    return [float(share) for share in counts / max(counts.sum(), 1)]
