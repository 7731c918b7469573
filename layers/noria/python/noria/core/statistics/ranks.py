"""Ranks of whole tables, which rank statistics of many columns are made from."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from noria.common.arrays import Array


def centred_ranks(table: Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Rank each column of a table (rows by columns) over its finite values, scaled to ±0.5.

    Ties share their mean rank. Returns the ranks, 0 where missing, and where there is a value.
    """
    present = np.asarray(np.isfinite(table), dtype=bool)
    ranks = np.zeros(table.shape)
    for place in range(table.shape[1]):
        known = present[:, place]
        count = int(known.sum())
        if count:
            ranked = stats.rankdata(table[known, place])
            ranks[known, place] = (ranked - (count + 1) / 2) / count
    return ranks, present
