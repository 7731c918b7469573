"""Uncertainty by resampling: bootstrap intervals, paired gains and a permutation test."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from noria.core import metrics
from noria.errors import DataError

Array = NDArray[Any]


class Interval(NamedTuple):
    """The lower and upper end of a confidence interval."""

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

    def listed(self) -> list[float] | None:
        """Both ends for a JSON document, or None where nothing could be resampled."""
        return list(self) if np.isfinite(self).all() else None


def resampled_scores(
    metric: str, y: Array, prediction: Array, counts: Array
) -> NDArray[np.float64]:
    """Score once per row of `counts` (resamples by rows: how often each row was drawn).

    NaN where a resample leaves the metric undefined. The same counts make scores paired.
    """
    found = np.full(len(counts), np.nan)
    for place, weights in enumerate(counts):
        try:
            found[place] = metrics.score(metric, y, prediction, weights)
        except DataError:
            continue
    return found


def gain_interval(metric: str, new: Array, old: Array, confidence: float) -> Interval:
    """The interval of a paired gain: positive is better, whichever way the metric goes."""
    difference = new - old
    return Interval.of(difference if metrics.is_better_higher(metric) else -difference, confidence)


def permutation_p_value(
    y: Array, prediction: Array, permutations: int, generator: np.random.Generator
) -> float:
    """Tell how often shuffled targets agree with the predictions as well as the true ones do.

    Agreement is the covariance of target and prediction (classes: the mean probability of the
    true class, ranked), so that no threshold hides a signal. Phipson and Smyth's (2010) p value.
    """
    columns = prediction if prediction.ndim == 2 else prediction[:, None]
    truth = (
        (y[:, None] == np.arange(columns.shape[1])).astype(np.float64)
        if prediction.ndim == 2
        else y[:, None].astype(np.float64)
    )
    scaled = _ranked(columns)
    agreement = float((truth * scaled).sum())
    shuffled = np.array(
        [float((truth[generator.permutation(len(y))] * scaled).sum()) for _ in range(permutations)]
    )
    tolerance = 1e-9 * max(abs(agreement), 1.0)
    return float((1 + (shuffled >= agreement - tolerance).sum()) / (1 + permutations))


def _ranked(columns: Array) -> Array:
    """Replace each column by its ranks (ties share the mean rank), centred and scaled."""
    ranked = np.empty(columns.shape, dtype=np.float64)
    for place in range(columns.shape[1]):
        _, inverse, counts = np.unique(columns[:, place], return_inverse=True, return_counts=True)
        ranked[:, place] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    centred = ranked - ranked.mean(axis=0)
    return np.asarray(centred / max(len(columns), 1))
