"""Which number columns need double precision, as float32 does not tell their values apart."""

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array

ROWS = 20_000
SHARE = 0.01  # of the rows; of continuous values a few in a thousand meet by chance
ROUNDING = 1e-13  # relative: fractions that are nearer are one that was computed in two ways
LARGEST_SINGLE = float(np.finfo(np.float32).max)


def needs_double(values: Array) -> bool:
    """Tell whether float32 would make other numbers of these doubles in a way that matters.

    It does where a number lies beyond its range, or where in 1 % of the rows (of up to 20,000,
    evenly spaced) a value becomes the same number as a different one.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return False
    if np.abs(known).max() > LARGEST_SINGLE:
        return True
    places = np.unique(np.linspace(0, len(known) - 1, ROWS).astype(np.int64))
    distinct, counts = np.unique(known[places], return_counts=True)
    singles = distinct.astype(np.float32)
    if (singles == distinct).all():
        return False
    nearest = np.where(distinct % 1 == 0, 0.0, ROUNDING * np.abs(distinct))
    same = (np.diff(singles) == 0) & (np.diff(distinct) > nearest[1:])
    collapsed = np.append(same, False) | np.append(False, same)
    return bool(counts[collapsed].sum() >= SHARE * len(places))


def to_single(values: Array) -> NDArray[np.float32]:
    """Round to float32; what lies beyond its range is missing."""
    with np.errstate(over="ignore"):
        numbers = np.asarray(values, dtype=np.float32)
    finite_or_nan = np.isfinite(numbers) | np.isnan(numbers)
    return numbers if finite_or_nan.all() else np.where(finite_or_nan, numbers, np.float32(np.nan))
