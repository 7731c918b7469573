"""Profiles of columns and of the target."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset, is_missing
from noria.core.data.vocabulary import evenly_spaced, frequent_words

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
TOP_VALUES = 10
WHOLE = 2**50  # below it doubles tell halves apart
WIDTH = 1e-3  # of a large constant: half of its only bin
BINS = 20
MOST_SERIES = 4


class ValueShare(BaseModel):
    """A value and its share of the rows."""

    value: str
    share: float
    count: int


class Profile(BaseModel):
    """What a column holds; numbers and times have quantiles, categories their top values.

    Of texts quantiles are of the words per text, the entropy that of their words; `top` are words
    with the share of the texts that hold them.
    """

    kind: str
    missing: float
    distinct: int
    entropy: float
    quantiles: list[float] = []
    top: list[ValueShare] = []


class TargetProfile(BaseModel):
    """The balance of the classes, or the quantiles of the values and a histogram in shares."""

    balance: list[ValueShare] = []
    quantiles: list[float] = []
    mean: float | None = None
    deviation: float | None = None
    edges: list[float] = []
    shares: list[float] = []


def as_numbers(values: Array, kind: str) -> NDArray[np.float64]:
    """Turn numbers or timestamps into float64 with NaN for missing."""
    if kind == "timestamp":
        return np.where(is_missing("timestamp", values), np.nan, values.astype(np.float64))
    return values.astype(np.float64)


def profile_column(values: Array, kind: str) -> Profile:
    """Describe one column."""
    if kind == "category":
        return _profile_category(values)
    if kind == "text":
        return _profile_text(values)
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
    names, counts = most_common(values)
    known = names != ""
    names, counts = names[known], counts[known]
    return Profile(
        kind="category",
        missing=_missing_share(int(counts.sum()), len(values)),
        distinct=len(names),
        entropy=_entropy(counts),
        top=_shares(names[:TOP_VALUES], counts[:TOP_VALUES], int(counts.sum())),
    )


def _profile_text(values: Array) -> Profile:
    present = values[~is_missing("text", values)]
    some = evenly_spaced(present)
    lengths = np.array([len(text.split()) for text in some.tolist()], dtype=np.float64)
    words = frequent_words(some, most=int(lengths.sum()))
    top = min(TOP_VALUES, len(words.names))
    return Profile(
        kind="text",
        missing=_missing_share(len(present), len(values)),
        distinct=len(np.unique(present)),
        entropy=_entropy(words.counts),
        quantiles=np.quantile(lengths, QUANTILES).tolist() if len(present) else [],
        top=_shares(np.array(words.names[:top]), words.counts[:top], len(some)),
    )


def most_common(values: Array) -> tuple[Array, NDArray[np.int64]]:
    """The distinct values and how often each occurs, the most frequent first."""
    names, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return names[order], counts[order]


def _shares(names: Array, counts: Array, total: int) -> list[ValueShare]:
    return [
        ValueShare(value=str(name), share=float(count / total), count=int(count))
        for name, count in zip(names, counts, strict=True)
    ]


def _missing_share(present: int, rows: int) -> float:
    return 1 - present / rows if rows else 0.0


def _binned(numbers: Array) -> Array:
    if len(numbers) == 0 or np.ptp(numbers) == 0:
        return np.array([len(numbers)])
    return np.histogram(numbers, bins=bin_edges(numbers))[0]


def bin_edges(numbers: Array, bins: int = BINS) -> Array:
    """Choose bin edges between the 1st and 99th percentile; a constant gets one bin around it."""
    low, high = np.quantile(numbers, (0.01, 0.99))
    if not high > low:
        low, high = numbers.min(), numbers.max()
    if not high > low:
        margin = max(0.5, abs(low) * WIDTH)  # a half is lost beside a large number
        low, high = low - margin, high + margin
    distinct = np.unique(numbers[:5000])
    halves = low / 2, high / 2  # as the span of the largest numbers is none
    whole = (
        len(distinct) <= bins and np.all(distinct % 1 == 0) and halves[1] - halves[0] <= bins / 2
    )
    if whole and max(abs(low), abs(high)) < WHOLE:
        return np.arange(low - 0.5, high + 1.0)
    return 2 * np.linspace(*halves, bins + 1)


def _entropy(counts: Array) -> float:
    """Shannon entropy in bits."""
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def profile_target(dataset: Dataset) -> TargetProfile:
    """Describe the target: balance of the classes, or quantiles of the values."""
    if not dataset.classes:
        edges = bin_edges(dataset.target)
        inside = np.clip(dataset.target, edges[0], edges[-1])
        return TargetProfile(
            edges=edges.tolist(),
            shares=as_shares(np.histogram(inside, bins=edges)[0]),
            quantiles=np.quantile(dataset.target, QUANTILES).tolist(),
            mean=float(dataset.target.mean()),
            deviation=float(dataset.target.std()),
        )
    counts = np.bincount(dataset.target, minlength=len(dataset.classes))
    return TargetProfile(balance=_shares(np.array(dataset.classes), counts, len(dataset)))


def target_series(target: Array, classes: tuple[str, ...]) -> dict[str, Array]:
    """What of the target can be averaged: its values, or per class (at most four) 0 and 1.

    Of two classes the positive one says all. Keys are the class, or "mean" for numbers.
    """
    if not classes:
        return {"mean": target}
    if len(classes) == 2:
        return {classes[1]: target}
    counts = np.bincount(target, minlength=len(classes))
    shown = sorted(np.argsort(-counts, kind="stable")[:MOST_SERIES].tolist())
    return {classes[code]: (target == code).astype(np.int64) for code in shown}


def as_shares(counts: Array) -> list[float]:
    """Divide counts by their sum."""
    return [float(share) for share in counts / max(counts.sum(), 1)]
