"""How many rows an interval needs to be narrow enough: the root-n law."""

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class RowsNeeded:
    """Rows of the holdout, and of holdout and training together."""

    holdout: int
    total: int


def rows_needed(half_width: float, wanted: float, holdout: int, total: int) -> RowsNeeded:
    """Say how many rows make an interval's half width as small as `wanted`.

    `half_width` is the one on `holdout` of `total` rows. A standard error falls with the square
    root of the rows (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 5),
    so (half_width / wanted)^2 times as many are needed. `wanted` is above zero.
    """
    needed = max(math.ceil(holdout * (half_width / wanted) ** 2), 1)
    return RowsNeeded(needed, math.ceil(needed * total / max(holdout, 1)))


def half_width_on(half_width: float, rows: int, all_rows: int) -> float:
    """Scale an interval's half width from a sample of `rows` to all rows, by the same law."""
    return half_width * math.sqrt(rows / max(all_rows, 1))


def one_sided(half_width: float, confidence: float) -> float:
    """Scale an interval's half width to the bound of a one-sided question of equal confidence.

    Whether a model is better than something asks for one bound: 1.64 instead of 1.96 standard
    errors at 0.95, in the normal approximation.
    """
    normal = NormalDist()
    return half_width * normal.inv_cdf(confidence) / normal.inv_cdf((1 + confidence) / 2)
