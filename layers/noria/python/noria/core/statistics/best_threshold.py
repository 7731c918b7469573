"""The threshold of a binary model that is best for what the contract wants.

Probability 0.5 makes the fewest errors only where both kinds of error cost the same (Elkan 2001,
"The foundations of cost-sensitive learning"); of a rare class it finds next to nothing.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from noria.common.arrays import Array
from noria.common.metric_table import Aim
from noria.contracts import Problem
from noria.core.statistics import metrics

DECIMALS = metrics.LABEL_DECIMALS
#: From hits and alarms by threshold, the positives and the negatives, how good each threshold is.
Value = Callable[[Array, Array, float, float], Array]


def aim_of(problem: Problem) -> tuple[Aim, Value] | None:
    """What a threshold is chosen for: costs, a share of alarms, or what the metric judges.

    A ranking without costs is answered by the best F1 of the positive class. None where 0.5 is
    right: of many classes, of numbers, and where accuracy or log loss judges.
    """
    objective = problem.objective
    if problem.task != "binary":
        return None
    if objective.costs is not None:
        missed, alarm = objective.costs.false_negative, objective.costs.false_positive
        return "costs", partial(_saved, missed=missed, alarm=alarm)
    if objective.alarm_share is not None:
        return "alarm_share", partial(_found, most=objective.alarm_share)
    if objective.metric == "recall_at_precision":
        return "recall_at_precision", partial(_recall, least=objective.minimum_precision)
    if objective.metric == "precision_at_recall":
        return "precision_at_recall", partial(_precision, least=objective.minimum_recall)
    if objective.metric == "f1_macro":
        return "f1_macro", _f1_macro
    if objective.metric == "balanced_accuracy":
        return "balanced_accuracy", _balanced
    return ("f1", _f1) if objective.metric in ("f1", "roc_auc", "average_precision") else None


def _f1(hits: Array, alarms: Array, positives: float, negatives: float) -> Array:
    return np.asarray(2 * hits / (alarms + positives))


def _f1_macro(hits: Array, alarms: Array, positives: float, negatives: float) -> Array:
    rejected = positives + negatives - alarms
    right = negatives - (alarms - hits)
    return np.asarray(hits / (alarms + positives) + right / (rejected + negatives))


def _balanced(hits: Array, alarms: Array, positives: float, negatives: float) -> Array:
    return np.asarray(hits / positives - (alarms - hits) / negatives)


def _saved(
    hits: Array, alarms: Array, positives: float, negatives: float, missed: float, alarm: float
) -> Array:
    return np.asarray(missed * hits - alarm * (alarms - hits))


def _found(hits: Array, alarms: Array, positives: float, negatives: float, most: float) -> Array:
    """The alarms, as many as are allowed; beyond that the fewer the better."""
    share = alarms / (positives + negatives)
    return np.where(share <= most, share, -share)


def _precision(
    hits: Array, alarms: Array, positives: float, negatives: float, least: float
) -> Array:
    """The precision; below the wanted recall how near it comes, which is less than any."""
    precision = np.divide(hits, alarms, out=np.zeros_like(hits), where=alarms > 0)
    return np.where(hits >= least * positives, precision, hits / positives - 2)


def _recall(hits: Array, alarms: Array, positives: float, negatives: float, least: float) -> Array:
    """The hits; below the wanted precision how near it comes, which is less than any hit."""
    precision = np.divide(hits, alarms, out=np.zeros_like(hits), where=alarms > 0)
    return np.where((precision >= least) & (hits > 0), hits, precision - 2)


class RankedScores:
    """Binary scores by distinct value, the highest first, with the rows of each."""

    def __init__(self, target: Array, scores: Array) -> None:
        rounded = np.round(np.asarray(scores, dtype=np.float64), DECIMALS)
        values, self._place = np.unique(-rounded, return_inverse=True)
        self.values, self._positive = -values, np.asarray(target) == 1

    def sums(self, weights: Array | None = None) -> tuple[Array, Array]:
        """Hits and alarms where all rows from a value on are called positive."""
        counts = np.ones(len(self._positive)) if weights is None else weights
        hits = np.bincount(self._place, weights=counts * self._positive)
        return np.cumsum(hits), np.cumsum(np.bincount(self._place, weights=counts))

    def best(self, value: Value, weights: Array | None = None) -> float:
        """The best threshold: halfway to the next score below, as live scores lie between.

        A threshold above all scores calls nothing positive, which costs may want; 0.5 where rows
        are of one class.
        """
        hits, alarms = (np.concatenate(([0.0], one)) for one in self.sums(weights))
        positives, negatives = float(hits[-1]), float(alarms[-1] - hits[-1])
        if positives <= 0 or negatives <= 0:
            return metrics.LABEL_THRESHOLD
        at = int(np.argmax(value(hits, np.maximum(alarms, 0.0), positives, negatives)))
        if at == 0:
            return float(min(1.0, (1 + self.values[0]) / 2))
        below = self.values[at] if at < len(self.values) else 0.0
        return float(round((self.values[at - 1] + below) / 2, DECIMALS))


def thresholds_by_halves(problem: Problem, target: Array, scores: Array) -> Array:
    """A threshold for each row, chosen on the half of the rows that it is not in.

    So no row is judged by a threshold that knew it. Rows of each class go to the halves in turn.
    """
    found, aim = np.full(len(target), metrics.LABEL_THRESHOLD), aim_of(problem)
    if aim is None:
        return found
    second = np.zeros(len(target), dtype=bool)
    for code in (0, 1):
        second[np.flatnonzero(np.asarray(target) == code)[code::2]] = True
    for half in (second, ~second):
        found[half] = RankedScores(target[~half], scores[~half]).best(aim[1])
    return found


def answers_by_halves(problem: Problem, target: Array, scores: Array) -> Array:
    """What the contract's metric judges of scores whose threshold is not chosen yet.

    The answers at `thresholds_by_halves` where a metric of labels judges two classes, else the
    scores themselves.
    """
    metric = problem.objective.measure
    if metric not in metrics.OF_LABELS or problem.task != "binary":
        return scores
    return metrics.decided(metric, scores, thresholds_by_halves(problem, target, scores))
