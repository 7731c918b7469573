"""What folds that share training rows take away from the certainty of a score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.common.metric_table import METRICS


def training_overlap(splits: Sequence[tuple[Array, Array]]) -> float:
    """Return by how much an interval of pooled out-of-fold rows is to be widened: 1.5 for 5 folds.

    Scores of J folds whose training sets overlap are correlated; their mean has the variance
    (1/J + n_test/n_train) of one fold, not 1/J (Nadeau and Bengio 2003, "Inference for the
    generalization error"). The widening is the square root of the ratio.
    """
    return float(np.sqrt(1 + len(splits) * mean_overlap(splits)))


def mean_overlap(splits: Sequence[tuple[Array, Array]]) -> float:
    """The mean size of a fold in rows that its model learnt from."""
    return float(np.mean([len(test) / len(train) for train, test in splits]))


def widened(metric: str, drawn: Array, score: float, factor: float) -> NDArray[np.float64]:
    """Move resampled scores away from the score, no farther than the metric goes."""
    found = np.asarray(drawn, dtype=np.float64)
    if factor == 1:
        return found
    row = METRICS[metric.partition("@")[0]]
    low = -np.inf if row.least is None else row.least
    high = np.inf if row.largest is None else row.largest
    return np.clip(score + factor * (found - score), low, high)
