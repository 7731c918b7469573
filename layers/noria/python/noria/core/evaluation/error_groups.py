"""Ways to group rows by what recipes could make of their columns."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.data.dataset import MISSING_TIMESTAMP, Dataset
from noria.core.data.vocabulary import frequent_words
from noria.core.evaluation.error_findings import Aspect

BINS = 10
FEWEST_ROWS = 5
MOST_PAIRED = 12
MOST_SPANS = 3
MOST_WORDS = 200
OTHERS, MISSING = "other values", "missing"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Grouping:
    """A group code per row, and a label per code."""

    columns: tuple[str, ...]
    aspect: Aspect
    codes: NDArray[np.int64]
    labels: list[str]


def groupings(
    rows: Dataset, importances: Mapping[str, float], history: Collection[str] = ()
) -> Iterator[Grouping]:
    """Yield every grouping that a recipe could make use of.

    Numbers are paired up to the 12 that the model uses most. `history` names the columns that no
    recipe has taken from the feature store yet.
    """
    for name in rows.names("category"):
        yield _by_value(name, rows.data[name])
    for name in rows.names("text"):
        yield from _by_word(name, rows.data[name])
    numbers = {name: rows.data[name].astype(np.float64) for name in rows.names("number")}
    for name in history:
        yield _by_range((name,), "history", numbers.pop(name))
    for name, values in numbers.items():
        yield _by_range((name,), "range", values)
    ranked = sorted(numbers, key=lambda name: -importances.get(name, 0.0))[:MOST_PAIRED]
    for pair in itertools.combinations([name for name in numbers if name in ranked], 2):
        yield from _by_pair(pair, *(numbers[name] for name in pair))
    times = {name: rows.data[name] for name in rows.names("timestamp")}
    for name, seconds in times.items():
        yield from _by_time(name, seconds)
    for pair in list(itertools.combinations(times, 2))[:MOST_SPANS]:
        yield _by_span(pair, *(times[name] for name in pair))


def _by_value(name: str, values: Array) -> Grouping:
    """Group by text; texts of few rows are one group."""
    texts, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    rare = counts < FEWEST_ROWS
    place = np.where(rare, np.count_nonzero(~rare), np.cumsum(~rare) - 1)
    labels = [f"{name} = {text or MISSING}" for text in texts[~rare].tolist()]
    return Grouping((name,), "value", place[codes], [*labels, f"{name} = {OTHERS}"])


def _by_range(columns: tuple[str, ...], aspect: Aspect, values: Array) -> Grouping:
    """Group by tenths of the values, the missing ones apart."""
    known = np.isfinite(values)
    shares = np.arange(1, BINS) / BINS
    edges = np.unique(np.quantile(values[known], shares)) if known.any() else np.zeros(0)
    codes = np.where(known, np.searchsorted(edges, values, side="right"), len(edges) + 1)
    sign = {"ratio": " / ", "product": " * ", "span": " - "}.get(aspect, "")
    subject = sign.join(columns[::-1] if aspect == "span" else columns)
    limits = ["", *(f"{edge:.4g}" for edge in edges), ""]
    labels = [_between(subject, low, high) for low, high in itertools.pairwise(limits)]
    return Grouping(columns, aspect, codes, [*labels, f"{subject} {MISSING}"])


def _between(subject: str, low: str, high: str) -> str:
    if not low:
        return f"{subject} below {high}" if high else subject
    return f"{subject} from {low} to {high}" if high else f"{subject} from {low}"


def _by_pair(pair: tuple[str, str], one: Array, other: Array) -> Iterator[Grouping]:
    with np.errstate(all="ignore"):
        yield _by_range(pair, "ratio", np.where(other == 0, np.nan, one / other))
        yield _by_range(pair, "product", one * other)


def _by_time(name: str, seconds: Array) -> Iterator[Grouping]:
    missing = seconds == MISSING_TIMESTAMP
    moments = np.where(missing, 0, seconds)
    months = moments.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
    parts: dict[Aspect, tuple[Array, list[str]]] = {
        "hour": (moments // 3600 % 24, [f"hour {hour}" for hour in range(24)]),
        "weekday": ((moments // 86_400 + 3) % 7, list(WEEKDAYS)),
        "month": (months, [f"month {month}" for month in range(1, 13)]),
    }
    for aspect, (codes, labels) in parts.items():
        labels = [f"{name} at {label}" for label in labels]
        codes = np.where(missing, len(labels), codes)
        yield Grouping((name,), aspect, codes, [*labels, f"{name} {MISSING}"])


def _by_span(pair: tuple[str, str], earlier: Array, later: Array) -> Grouping:
    known = (earlier != MISSING_TIMESTAMP) & (later != MISSING_TIMESTAMP)
    hours = (np.where(known, later, 0) - np.where(known, earlier, 0)) / 3600
    return _by_range(pair, "span", np.where(known, hours, np.nan))


def _by_word(name: str, values: Array) -> Iterator[Grouping]:
    """Split by each of the most frequent words: rows that have it, rows that have not."""
    words = frequent_words(values, MOST_WORDS, FEWEST_ROWS)
    for place, word in enumerate(words.names):
        labels = [f"{name} without '{word}'", f"{name} with '{word}'"]
        yield Grouping((name,), "word", words.holds(place).astype(np.int64), labels)
