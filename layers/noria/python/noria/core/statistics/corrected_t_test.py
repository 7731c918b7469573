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
    largest = float(np.abs(gains).max(initial=0.0))
    if len(gains) < 2 or not largest:
        return False
    scaled = np.asarray(gains) / largest  # squares of an R2 of -1e300 are no doubles
    error = scaled.std(ddof=1) * np.sqrt(1 / len(scaled) + overlap)
    return bool(scaled.mean() > stats.t.isf((1 - confidence) / tried, len(scaled) - 1) * error)
