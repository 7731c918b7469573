"""Numbers as they were written, from the float32 that models and requests carry."""

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array

MOST = 9  # float32 has no more significant digits


def as_written(numbers: Array, decimals: int) -> NDArray[np.float64]:
    """Return the doubles that were written with at most so many decimals, from float32 numbers.

    16.8 is 16.799999 as float32. Rounding to the decimals that the data have gives back 16.8, for
    a quotient of two whole numbers is rounded as the text 16.8 is. Where float32 cannot tell, or
    a number has more decimals, it stays what it is.
    """
    exact = numbers.astype(np.float64) + 0.0  # a zero has no sign
    if not decimals:
        return exact
    scale = 10.0**decimals
    written = np.round(exact * scale) / scale
    with np.errstate(over="ignore"):
        return np.where(written.astype(np.float32) == numbers, written, exact)


def decimals_of(numbers: Array, most: int = MOST) -> int:
    """The fewest decimals that all known float32 numbers can be written with, or 0."""
    known = numbers[np.isfinite(numbers)]
    for decimals in range(most + 1):
        scale = 10.0**decimals
        written = (np.round(known.astype(np.float64) * scale) / scale).astype(np.float32)
        if (written == known).all():
            return decimals
    return 0
