"""A column's distribution in groups of rows, such as the classes or the first and last third."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from noria.common.arrays import Array
from noria.core.analysis.profiling import (
    MOST_SERIES,
    TOP_VALUES,
    as_numbers,
    as_shares,
    bin_edges,
    most_common,
)
from noria.core.data.dataset import Dataset
from noria.core.data.vocabulary import frequent_words

MOST_WORDS = 100  # that are compared between groups


class Distribution(BaseModel):
    """Shares per bin or category, one series per group of rows."""

    column: str
    kind: str
    labels: list[str]
    edges: list[float]
    series: dict[str, list[float]]


def by_target(sample: Dataset, name: str) -> Distribution:
    """Count a column per class (at most four), or per third of a target of numbers."""
    return by_group(sample, name, _target_groups(sample))


def by_group(sample: Dataset, name: str, groups: Mapping[str, Array]) -> Distribution:
    """Count a column as shares within each group, given as masks or places of its rows."""
    kind = next(column.kind for column in sample.columns if column.name == name)
    values = sample.data[name]
    if kind == "category":
        return _of_category(name, values, groups)
    if kind == "text":
        return _of_text(name, values, groups)
    numbers = as_numbers(values, kind)
    present = numbers[np.isfinite(numbers)]
    edges = bin_edges(present) if len(present) else np.array([0.0, 1.0])
    inside = np.clip(numbers, edges[0], edges[-1])  # what lies beyond counts in the outer bins
    series = {label: _histogram(inside[rows], edges) for label, rows in groups.items()}
    return Distribution(column=name, kind=kind, labels=[], edges=edges.tolist(), series=series)


def _histogram(numbers: Array, edges: Array) -> list[float]:
    return as_shares(np.histogram(numbers[np.isfinite(numbers)], bins=edges)[0])


def _of_category(name: str, values: Array, groups: Mapping[str, Array]) -> Distribution:
    top = most_common(values)[0][:TOP_VALUES]
    series = {
        label: [float(np.mean(values[rows] == item)) if len(values[rows]) else 0.0 for item in top]
        for label, rows in groups.items()
    }
    labels = [str(item) or "(missing)" for item in top]
    return Distribution(column=name, kind="category", labels=labels, edges=[], series=series)


def _of_text(name: str, values: Array, groups: Mapping[str, Array]) -> Distribution:
    """The shares of texts with a word, of the words that tell the groups apart most."""
    words = frequent_words(values, MOST_WORDS)
    holds = [words.holds(place) for place in range(len(words.names))]
    shares = np.array(
        [[np.mean(held[rows]) if len(held[rows]) else 0.0 for held in holds]
         for rows in groups.values()]
    ).reshape(len(groups), len(holds))  # fmt: skip
    sizes = np.array([len(values[rows]) for rows in groups.values()], dtype=np.float64)
    top = np.argsort(-_apart(shares, sizes), kind="stable")[:TOP_VALUES]
    series = {label: shares[place, top].tolist() for place, label in enumerate(groups)}
    labels = [words.names[place] for place in top]
    return Distribution(column=name, kind="text", labels=labels, edges=[], series=series)


def _apart(shares: Array, sizes: Array) -> NDArray[np.float64]:
    """Chi-squared (Pearson 1900) of each word's shares (groups, words): few rows tell little."""
    of_all = sizes @ shares / max(sizes.sum(), 1)
    spread = np.maximum(of_all * (1 - of_all), np.finfo(np.float64).tiny)
    return np.asarray(sizes @ (shares - of_all) ** 2 / spread, dtype=np.float64)


def _target_groups(sample: Dataset) -> dict[str, Array]:
    if not sample.classes:
        return _thirds(sample.target)
    counts = np.bincount(sample.target, minlength=len(sample.classes))
    shown = sorted(np.argsort(-counts, kind="stable")[:MOST_SERIES].tolist())
    return {sample.classes[code]: sample.target == code for code in shown}


def _thirds(target: Array) -> dict[str, Array]:
    """Divide rows by the target's thirds; those with few distinct values stay together."""
    if not len(target):
        return {}
    low, high = np.quantile(target, (1 / 3, 2 / 3))
    parts = {
        "low target": target <= low,
        "middle": (target > low) & (target <= high),
        "high target": target > high,
    }
    return {label: mask for label, mask in parts.items() if mask.any()}
