"""Prediction intervals of a regression, by split conformal prediction on out-of-fold rows.

Vovk, Gammerman and Shafer (2005, "Algorithmic Learning in a Random World"): where rows are
exchangeable, the next error is no larger than the k-th of n known ones with chance k / (n + 1),
whatever the model. Ends have half of the missing coverage each (Romano et al. 2019, "Conformalized
quantile regression"); bins of answers are held to it each ("Mondrian"). Errors of folds' models,
which learnt from fewer rows, are rather too large (Barber et al. 2021, "Predictive inference with
the jackknife+"). Rows that move with time are not exchangeable: the holdout's coverage tells.
"""

import math

import numpy as np

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.model.prediction_interval import PredictionInterval
from noria.core.training.candidate_search import OutOfFold

MOST_BINS, ROWS_OF_BIN = 5, 200  # an end of a 90 % interval is then known to 1.5 % of the rows


def find_interval(problem: Problem, predicted: OutOfFold) -> PredictionInterval | None:
    """Offsets that hold `training.interval_coverage` of the values.

    None for classes, and where too few rows could tell.
    """
    coverage, rows = problem.training.interval_coverage, len(predicted.rows)
    fewest = math.ceil(2 / (1 - coverage))
    if problem.task != "regression" or rows < fewest:
        return None
    bins = int(np.clip(rows // max(ROWS_OF_BIN, fewest), 1, MOST_BINS))
    edges = np.unique(np.quantile(predicted.scores, np.arange(1, bins) / bins))
    places = np.searchsorted(edges, predicted.scores, side="right")
    if np.bincount(places, minlength=len(edges) + 1).min() < fewest:  # many answers are alike
        edges, places = np.zeros(0), np.zeros(rows, dtype=np.int64)
    errors = predicted.target - predicted.scores
    ends = [_ends(errors[places == place], coverage) for place in range(len(edges) + 1)]
    return PredictionInterval(
        coverage=coverage,
        edges=tuple(edges.tolist()),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        rows=rows,
    )


def _ends(errors: Array, coverage: float) -> tuple[float, float]:
    """The errors of rank k from below and from above, k = (n + 1) times half of what may miss."""
    ordered, half = np.sort(errors), (1 - coverage) / 2
    rank = max(1, math.floor((len(ordered) + 1) * half + 1e-9))
    return float(ordered[rank - 1]), float(ordered[-rank])
