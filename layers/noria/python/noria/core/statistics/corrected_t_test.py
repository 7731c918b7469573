"""Whether a gain that folds show is more than chance."""

import numpy as np
from scipy import stats

from noria.common.arrays import Array


def surely_gains(gains: Array, overlap: float, confidence: float, tried: int = 1) -> bool:
    """Whether the lower bound of the folds' mean gain is above zero.

    By Student's t with the variance of Nadeau and Bengio (2003, "Inference for the generalization
    error"), as folds share training rows: `overlap` is the size of a fold in training rows. The
    one-sided `confidence` is corrected for how many were `tried` (Bonferroni). Of fewer than two
    folds nothing is sure.
    """
    if len(gains) < 2 or not np.any(gains):
        return False
    scaled, _ = _scaled(gains)
    error = _standard_error(scaled, overlap)
    return bool(scaled.mean() > stats.t.isf((1 - confidence) / tried, len(scaled) - 1) * error)


def mean_gain(gains: Array, overlap: float) -> tuple[float, float]:
    """The mean gain of two folds or more, with its standard error after Nadeau and Bengio."""
    scaled, largest = _scaled(gains)
    return float(scaled.mean()) * largest, _standard_error(scaled, overlap) * largest


def most_gain(gains: Array, overlap: float, confidence: float) -> float:
    """The upper bound of the mean gain of two folds or more, one-sided."""
    mean, error = mean_gain(gains, overlap)
    return mean + float(stats.t.isf(1 - confidence, len(gains) - 1)) * error


def _scaled(gains: Array) -> tuple[Array, float]:
    """The gains in units of the largest: squares of an R2 of -1e300 are no doubles."""
    largest = float(np.abs(gains).max(initial=0.0)) or 1.0
    return np.asarray(gains) / largest, largest


def _standard_error(gains: Array, overlap: float) -> float:
    return float(gains.std(ddof=1) * np.sqrt(1 / len(gains) + overlap))
