"""Feature steps of number columns that float32 does not tell apart, computed from doubles.

Estimators take float32. Trees only ask which of two numbers is larger, so they get the rank of a
number among limits in double precision, halfway between values as they are chosen for histogram
boosting (Ke et al. 2017, "LightGBM"). Linear models get the distance from the median, in units of
the spread, which is rounded once it is small.
"""

from typing import Self, TypeVar

import numpy as np
import pandas as pd

from noria.common.arrays import Array
from noria.core.features.array_operations import Operations
from noria.core.features.encoders import NAN, FeatureStep

T = TypeVar("T")
LIMITS = 254  # with 255 ranks, as many as scikit-learn's histograms have bins


class Ranked(FeatureStep):
    """How many of up to 254 limits a double is above."""

    rises = True

    def __init__(self, column: str) -> None:
        self.column, self.names, self.reads = column, [column], (column,)
        self.limits: Array = np.zeros((1, 0))

    def fit(self, frame: pd.DataFrame, target: Array) -> Self:
        """Lay limits halfway between all values, or between those at equal shares of the rows."""
        values = np.asarray(frame[self.column], dtype=np.float64)
        values = np.sort(values[np.isfinite(values)])
        distinct = np.unique(values)
        if len(distinct) > LIMITS + 1:
            shares = np.arange(1, LIMITS + 1) / (LIMITS + 1)
            cut = np.quantile(values, shares, method="higher")
            place = np.unique(np.searchsorted(distinct, cut))
            place = place[place > 0]
        else:
            place = np.arange(1, len(distinct))
        self.limits = (distinct[place - 1] / 2 + distinct[place] / 2).reshape(1, -1)
        return self

    def build(self, operations: Operations[T]) -> T:
        """Count the limits below."""
        value = operations.exact(self.column)
        # A column of one value has no limit, and a rank of 0.
        limits = self.limits if self.limits.size else np.full((1, 1), np.finfo(np.float64).max)
        above = operations.to_float(operations.greater(value, operations.constant(limits)))
        rank = operations.row_sums(above)
        return operations.where(operations.is_nan(value), operations.constant(NAN), rank)


class Standardized(FeatureStep):
    """The distance of a double from the median, in standard deviations."""

    rises = True

    def __init__(self, column: str) -> None:
        self.column, self.names, self.reads = column, [column], (column,)
        self.center, self.deviation = 0.0, 1.0

    def fit(self, frame: pd.DataFrame, target: Array) -> Self:
        """Learn median and spread."""
        values = np.asarray(frame[self.column], dtype=np.float64)
        known = values[np.isfinite(values)]
        if len(known):
            self.center = float(np.median(known))
            spread = float(np.std(known - self.center))
            self.deviation = spread if np.isfinite(spread) and spread > 0 else 1.0
        return self

    def build(self, operations: Operations[T]) -> T:
        """Subtract and divide in double precision."""
        center, deviation = (np.full((1, 1), one) for one in (self.center, self.deviation))
        centred = operations.subtract(operations.exact(self.column), operations.constant(center))
        scaled = operations.divide(centred, operations.constant(deviation))
        return operations.to_float(scaled)
