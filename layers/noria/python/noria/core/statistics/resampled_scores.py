"""Uncertainty by resampling: bootstrap intervals and paired gains."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.statistics import metrics
from noria.core.statistics.autocorrelation import SerialDependence
from noria.errors import DataError

Curve = Callable[..., Array]
CELLS = 4_000_000  # of a table of resamples by rows that is held at once


class Bounds(NamedTuple):
    """Both ends of the central share of resampled values; infinite where there are none."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Array, confidence: float) -> Self:
        """Take the central share of resampled values (percentile bootstrap, Efron 1979)."""
        finite = values[np.isfinite(values)]
        if not len(finite):
            return cls(float("-inf"), float("inf"))
        tail = (1 - confidence) / 2
        low, high = np.quantile(finite, (tail, 1 - tail))
        return cls(float(low), float(high))

    @property
    def half_width(self) -> float:
        """Half the distance between the ends."""
        return (self.high - self.low) / 2

    def listed(self) -> list[float] | None:
        """Both ends for a JSON document, or None where nothing could be resampled."""
        return list(self) if np.isfinite(self).all() else None


def drawn_counts(
    rows: int,
    resamples: int,
    generator: np.random.Generator,
    serial: SerialDependence | None = None,
) -> NDArray[np.int16]:
    """Draw rows with replacement; returns how often each was drawn, (resamples, rows).

    A thousand resamples give the ends of a 95 % interval (Efron and Tibshirani, "An Introduction
    to the Bootstrap", 1993, chapter 19: 1,000 or more for percentiles). With `serial` blocks of
    neighbours in time are drawn, in a circle, so that what they share stays together (circular
    block bootstrap, Politis and Romano 1992).
    """
    order, length = serial or SerialDependence(np.arange(rows), 1)
    counts = np.empty((resamples, rows), dtype=np.int16)
    within = np.arange(length)
    for place in range(resamples):
        starts = generator.integers(0, rows, -(-rows // length))
        drawn = (starts[:, None] + within).reshape(-1)[:rows] % rows
        counts[place] = np.bincount(order[drawn], minlength=rows)
    return counts


def resampled_scores(
    metric: str, y: Array, prediction: Array, counts: Array
) -> NDArray[np.float64]:
    """Score once per row of `counts` (resamples by rows: how often each row was drawn).

    NaN where a resample leaves the metric undefined. The same counts make scores paired.
    """
    name, _, least = metric.partition("@")
    if name in _CURVES:
        curve = partial(_CURVES[name], least=float(least)) if least else _CURVES[name]
        return _ranked_scores(curve, y, prediction, counts)
    found = np.full(len(counts), np.nan)
    for place, weights in enumerate(counts):
        try:
            found[place] = metrics.score(metric, y, prediction, weights)
        except DataError:
            continue
    return found


def gain_interval(metric: str, new: Array, old: Array, confidence: float) -> Bounds:
    """The interval of a paired gain: positive is better, whichever way the metric goes."""
    difference = new - old
    return Bounds.of(difference if metrics.is_better_higher(metric) else -difference, confidence)


def _ranked_scores(curve: Curve, y: Array, prediction: Array, counts: Array) -> Array:
    """Score a ranking metric for all resamples at once: rows are sorted once, not per resample.

    Many classes are averaged over those that a resample has, each against the rest.
    """
    if prediction.ndim == 1:
        return _by_resample(curve, y == 1, prediction, counts)
    found = np.array(
        [
            _by_resample(curve, y == code, prediction[:, code], counts)
            for code in range(prediction.shape[1])
        ]
    )
    defined = np.isfinite(found)
    sums = np.where(defined, found, 0.0).sum(axis=0)
    present = defined.sum(axis=0)
    return np.where(present > 1, sums / np.maximum(present, 1), np.nan)


def _by_resample(curve: Curve, positive: Array, guess: Array, counts: Array) -> Array:
    order = np.argsort(-guess, kind="stable")
    starts = np.flatnonzero(np.diff(guess[order], prepend=np.inf))  # of the rows that tie
    found = np.empty(len(counts))
    step = max(CELLS // max(len(guess), 1), 1)
    for first in range(0, len(counts), step):
        drawn = counts[first : first + step, order].astype(np.float64)
        hits = np.add.reduceat(drawn * positive[order], starts, axis=1).cumsum(axis=1)
        marked = np.add.reduceat(drawn, starts, axis=1).cumsum(axis=1)
        one_sided = (hits[:, -1] == 0) | (hits[:, -1] == marked[:, -1])
        with np.errstate(invalid="ignore", divide="ignore"):
            found[first : first + step] = np.where(one_sided, np.nan, curve(hits, marked))
    return found


def _auc(hits: Array, marked: Array) -> Array:
    """Area under the ROC curve by the trapezoid rule; both (resamples, distinct scores)."""
    misses = marked - hits
    widths = np.diff(misses, axis=1, prepend=0)
    heights = hits - np.diff(hits, axis=1, prepend=0) / 2
    return np.asarray((widths * heights).sum(axis=1) / (hits[:, -1] * misses[:, -1]))


def _average_precision(hits: Array, marked: Array) -> Array:
    precision = np.where(marked > 0, hits / marked, 0.0)
    return np.asarray((np.diff(hits, axis=1, prepend=0) * precision).sum(axis=1) / hits[:, -1])


def _recall_at_precision(hits: Array, marked: Array, least: float = metrics.LEAST) -> Array:
    precise = np.where(marked > 0, hits / marked, 0.0) >= least
    return np.asarray(np.where(precise, hits, 0.0).max(axis=1) / hits[:, -1])


def _precision_at_recall(hits: Array, marked: Array, least: float = metrics.LEAST) -> Array:
    enough = hits / hits[:, -1:] >= least
    return np.asarray(np.where(enough & (marked > 0), hits / marked, 0.0).max(axis=1))


_CURVES: dict[str, Curve] = {
    "roc_auc": _auc,
    "average_precision": _average_precision,
    metrics.AT_PRECISION: _recall_at_precision,
    metrics.AT_RECALL: _precision_at_recall,
}
