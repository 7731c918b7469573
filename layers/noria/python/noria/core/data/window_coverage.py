"""Which rows' time windows lie within the data: those of the first rows look back before it.

There a count is too low and a mean rests on little or is missing, which says when the data begin,
and nothing about the entities. Models learn from such rows all the same (they get what was known),
but a distribution that live rows are compared with is that of windows which could fill.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.data.dataset import MISSING_TIMESTAMP

LATEST = 1 / 3  # of the rows that always count; their windows reach farthest into the data


def window_lengths(problem: Problem) -> dict[str, int]:
    """The length in seconds of each time-window aggregation of the contract, by its name."""
    return {one.as_: int(one.over.total_seconds()) for one in problem.features.windows}


def has_full_history(times: Array, over: int) -> NDArray[np.bool_]:
    """Mark rows (times in seconds since 1970) whose window begins at the first row or after it.

    A row without a time has no window at all.
    """
    known = times != MISSING_TIMESTAMP
    start = times[known].min() if known.any() else 0
    return np.asarray(known & (np.where(known, times, start) - over >= start), dtype=bool)


def rows_to_compare(
    times: Array | None, windows: Mapping[str, int], name: str
) -> NDArray[np.bool_] | slice:
    """The rows that tell a column's distribution: all, or of a window those with full history.

    Where data are hardly longer than a window, the latest third of the rows stays.
    """
    if times is None or name not in windows:
        return slice(None)
    full = has_full_history(times, windows[name])
    if full.mean() >= LATEST:
        return full
    known = times[times != MISSING_TIMESTAMP]
    return times >= np.quantile(known, 1 - LATEST) if len(known) else slice(None)
