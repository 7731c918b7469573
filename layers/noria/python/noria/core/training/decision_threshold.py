"""The threshold that a binary model decides by, chosen on its folds' own predictions.

Probability 0.5 makes the fewest errors only where both kinds of error cost the same (Elkan 2001,
"The foundations of cost-sensitive learning"); of a rare class it finds next to nothing.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.model.decision import Aim, Decision, TradeOff

RESAMPLES = 200  # the ends of a 90 % interval are then known to some 2 % of its rows
CURVE_POINTS = 25  # more than a person reads off a chart
DECIMALS = 5  # as labels are rounded

#: From hits and false alarms by threshold, and the positives, how good each threshold is.
Value = Callable[[Array, Array, float], Array]


def choose_threshold(
    problem: Problem, target: Array, probability: Array, seed: int
) -> Decision | None:
    """Choose for the contract's costs, its precision, or the best F1 of the positive class.

    `target` holds 0 and 1. None where the contract's metric judges labels or probabilities
    themselves (accuracy, F1, log loss), and where too few rows of a class could tell
    (`evaluation.class_rows`).
    """
    found = _value_of(problem)
    counts = np.bincount(np.asarray(target, dtype=np.int64), minlength=2)
    if found is None or counts.min() < problem.evaluation.class_rows:
        return None
    chosen_for, value = found
    rounded = np.round(np.asarray(probability, dtype=np.float64), DECIMALS)
    thresholds, place = np.unique(-rounded, return_inverse=True)
    thresholds, positive = -thresholds, np.asarray(target) == 1
    best = _best(thresholds, _sums(place, positive, np.ones(len(positive))), value)
    generator = np.random.default_rng(seed)
    drawn = [
        _best(thresholds, _sums(place, positive, _drawn(generator, len(positive))), value)
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, (0.05, 0.95)).tolist()
    hits, alarms = _sums(place, positive, np.ones(len(positive)))
    return Decision(
        threshold=best,
        low=min(low, best),
        high=max(high, best),
        chosen_for=chosen_for,
        rows=len(positive),
        curve=_curve(thresholds, hits, alarms, len(positive)),
    )


def _value_of(problem: Problem) -> tuple[Aim, Value] | None:
    objective = problem.objective
    if problem.task != "binary":
        return None
    if objective.costs is not None:
        missed, alarm = objective.costs.false_negative, objective.costs.false_positive
        return "costs", partial(_saved, missed=missed, alarm=alarm)
    if objective.metric == "recall_at_precision":
        return "recall_at_precision", partial(_recall, least=objective.minimum_precision)
    return ("f1", _f1) if objective.metric in ("roc_auc", "average_precision") else None


def _f1(hits: Array, alarms: Array, positives: float) -> Array:
    return np.asarray(2 * hits / (alarms + positives))


def _saved(hits: Array, alarms: Array, positives: float, missed: float, alarm: float) -> Array:
    return np.asarray(missed * hits - alarm * (alarms - hits))


def _recall(hits: Array, alarms: Array, positives: float, least: float) -> Array:
    """The hits; below the wanted precision how near it comes, which is less than any hit."""
    precision = np.divide(hits, alarms, out=np.zeros_like(hits), where=alarms > 0)
    return np.where((precision >= least) & (hits > 0), hits, precision - 2)


def _drawn(generator: np.random.Generator, rows: int) -> NDArray[np.float64]:
    return np.bincount(generator.integers(0, rows, rows), minlength=rows).astype(np.float64)


def _sums(place: Array, positive: Array, weights: Array) -> tuple[Array, Array]:
    """Hits and alarms where all rows from a threshold on are called positive."""
    hits = np.bincount(place, weights=weights * positive)
    return np.cumsum(hits), np.cumsum(np.bincount(place, weights=weights))


def _best(thresholds: Array, sums: tuple[Array, Array], value: Value) -> float:
    """The best threshold: halfway to the next score below, as live scores lie between.

    A threshold above all scores calls nothing positive, which costs may want.
    """
    hits, alarms = (np.concatenate(([0.0], one)) for one in sums)
    if not hits[-1]:
        return 0.5
    values = value(hits, np.maximum(alarms, 0.0), float(hits[-1]))
    at = int(np.argmax(values))
    if at == 0:
        return float(min(1.0, (1 + thresholds[0]) / 2))
    below = thresholds[at] if at < len(thresholds) else 0.0
    return float(round((thresholds[at - 1] + below) / 2, DECIMALS))


def _curve(thresholds: Array, hits: Array, alarms: Array, rows: int) -> tuple[TradeOff, ...]:
    """Thresholds at about evenly spaced shares of rows that are called positive."""
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
