"""The threshold that a binary model decides by, chosen on its folds' own predictions."""

import numpy as np

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.model.decision import Decision, TradeOff
from noria.core.statistics.best_threshold import RankedScores, aim_of

RESAMPLES = 200  # the ends of a 90 % interval are then known to some 2 % of its rows
CURVE_POINTS = 25  # more than a person reads off a chart


def choose_threshold(
    problem: Problem, target: Array, probability: Array, seed: int
) -> Decision | None:
    """Choose for what the contract wants (`aim_of`).

    `target` holds 0 and 1. None where 0.5 is right, and where too few rows of a class could tell
    (`evaluation.class_rows`).
    """
    found = aim_of(problem)
    if found is None:
        return None
    counts = np.bincount(np.asarray(target, dtype=np.int64), minlength=2)
    if counts.min() < problem.evaluation.class_rows:
        return None
    (chosen_for, value), rows = found, len(target)
    ranked, generator = RankedScores(target, probability), np.random.default_rng(seed)
    best = ranked.best(value)
    drawn = [ranked.best(value, _drawn(generator, rows)) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, (0.05, 0.95)).tolist()
    return Decision(
        threshold=best,
        low=min(low, best),
        high=max(high, best),
        chosen_for=chosen_for,
        rows=rows,
        curve=_curve(ranked, rows),
    )


def _drawn(generator: np.random.Generator, rows: int) -> Array:
    return np.bincount(generator.integers(0, rows, rows), minlength=rows).astype(np.float64)


def _curve(ranked: RankedScores, rows: int) -> tuple[TradeOff, ...]:
    """Thresholds at about evenly spaced shares of rows that are called positive."""
    (hits, alarms), thresholds = ranked.sums(), ranked.values
    wanted = np.linspace(0, rows, CURVE_POINTS + 1)[1:]
    places = np.unique(np.minimum(np.searchsorted(alarms, wanted), len(alarms) - 1))
    return tuple(
        TradeOff(
            threshold=float(thresholds[at]),
            share=round(float(alarms[at] / rows), 4),
            precision=round(float(hits[at] / alarms[at]), 4),
            recall=round(float(hits[at] / hits[-1]), 4),
        )
        for at in places.tolist()
    )
