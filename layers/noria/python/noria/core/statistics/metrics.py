"""The contract's metrics in numpy alone, so that every layer scores the same way.

`y` holds class codes (binary: 0 and 1) or values; a prediction is P(positive) of shape (n,),
class probabilities of shape (n, k), or values of shape (n,). Weights are counts per row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.common.metric_table import METRICS as TABLE
from noria.common.metric_table import REGRESSION, Task
from noria.errors import DataError

Function = Callable[[Array, Array, Array], float]
LABEL_THRESHOLD = 0.5  # no choice: the more probable class makes the fewest errors (Bayes)
LABEL_DECIMALS = 5
OF_LABELS = ("accuracy", "balanced_accuracy", "f1", "f1_macro")
AT_PRECISION, AT_RECALL = "recall_at_precision", "precision_at_recall"
LEAST = 0.8  # of the other one: the contract's default; the endpoint starts without the contract


@dataclass(frozen=True)
class Metric:
    """How a metric is computed, its direction, and what it answers in plain words."""

    name: str
    function: Function
    higher_is_better: bool
    needs_regression: bool
    description: str


def labels(prediction: Array, threshold: float | Array = LABEL_THRESHOLD) -> NDArray[np.int64]:
    """Turn probabilities into class codes: at least the threshold, or the most probable class.

    A threshold may be one for all rows or one each. Rounded first, so that a tie is a tie on every
    runtime, whatever its last digits.
    """
    rounded = np.round(np.asarray(prediction, dtype=np.float64), LABEL_DECIMALS)
    if rounded.ndim == 2:
        return np.asarray(rounded.argmax(axis=1), dtype=np.int64)
    least = _rounded(threshold) if type(threshold) is float else np.round(threshold, LABEL_DECIMALS)
    return np.asarray(rounded >= least, dtype=np.int64)


@lru_cache(maxsize=8)
def _rounded(threshold: float) -> float:
    """A threshold as scores are rounded; a model's is asked for with each request."""
    return float(np.round(threshold, LABEL_DECIMALS))


def decided(metric: str, prediction: Array, threshold: float | Array) -> Array:
    """What a metric judges of a model that decides by a threshold: its answers, 0 or 1.

    The prediction as it is where the metric is not one of labels, or classes are many.
    """
    if metric not in OF_LABELS or np.ndim(prediction) != 1:
        return np.asarray(prediction)
    return labels(prediction, threshold).astype(np.float64)


def score(metric: str, y: Array, prediction: Array, weights: Array | None = None) -> float:
    """Compute a metric; DataError where it is undefined (one class, no rows, NaN)."""
    target, guess = np.asarray(y), np.asarray(prediction, dtype=np.float64)
    _check(metric, target, guess)
    counts = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=np.float64)
    return float(named(metric).function(target, guess, counts))


def scores(
    y: Array, prediction: Array, task: Task, threshold: float | Array = LABEL_THRESHOLD
) -> dict[str, float]:
    """Compute all metrics of a task, leaving out the undefined ones.

    Those of labels take the labels that a binary model answers with, by its threshold.
    """
    found = {}
    for name in names_of(task):
        try:
            found[name] = score(name, y, decided(name, prediction, threshold))
        except DataError:
            continue
    return found


def named(metric: str) -> Metric:
    """Look a metric up by its contract name, or by `Objective.measure`: name@limit."""
    name, _, given = metric.partition("@")
    if name in (AT_PRECISION, AT_RECALL):
        return _at(name, float(given) if given else LEAST)
    if metric not in METRICS:
        raise DataError(f"metric {metric!r} is unknown: choose one of {', '.join(METRICS)}")
    return METRICS[metric]


def names_of(task: Task) -> list[str]:
    """List the metrics that fit a task."""
    wanted = task == "regression"
    return [metric.name for metric in METRICS.values() if metric.needs_regression == wanted]


def is_better_higher(metric: str) -> bool:
    """Tell whether larger values of the metric are better."""
    return named(metric).higher_is_better


def gain(metric: str, new: float, old: float) -> float:
    """Return how much better `new` is than `old`: positive is better in either direction."""
    return new - old if is_better_higher(metric) else old - new


def meets(metric: str, value: float, threshold: float) -> bool:
    """Tell whether a value is as good as the threshold or better."""
    return gain(metric, value, threshold) >= 0


def improves(metric: str, new: float, old: float, minimum: float = 0.0) -> bool:
    """Tell whether `new` is better than `old` by more than nothing and by at least `minimum`."""
    difference = gain(metric, new, old)
    return difference > 0 and difference >= minimum


def _check(metric: str, target: Array, guess: Array) -> None:
    if len(target) == 0:
        raise DataError(f"{metric} of no rows is undefined: give at least one row")
    if guess.shape[:1] != target.shape or guess.ndim > 2:
        raise DataError(f"{metric} needs one prediction per row: {guess.shape} for {target.shape}")
    if not np.isfinite(guess).all() or not np.isfinite(target).all():
        raise DataError(f"{metric} is undefined: the truth or a prediction is not a finite number")


def _confusion(target: Array, guess: Array, weights: Array) -> NDArray[np.float64]:
    """Count rows by (true, predicted) class."""
    predicted = labels(guess)
    observed = target.astype(np.int64)
    size = int(max(observed.max(), predicted.max(), 1)) + 1
    cells = np.bincount(observed * size + predicted, weights=weights, minlength=size * size)
    return cells.reshape(size, size).astype(np.float64)


def _accuracy(target: Array, guess: Array, weights: Array) -> float:
    return float(np.average(labels(guess) == target, weights=weights))


def _balanced_accuracy(target: Array, guess: Array, weights: Array) -> float:
    table = _confusion(target, guess, weights)
    present = table.sum(axis=1) > 0
    _need_two_classes("balanced_accuracy", int(present.sum()))
    return float(np.mean(table.diagonal()[present] / table.sum(axis=1)[present]))


def _f1_by_class(target: Array, guess: Array, weights: Array) -> NDArray[np.float64]:
    """Return F1 per class code, NaN for classes neither true nor predicted."""
    table = _confusion(target, guess, weights)
    both = table.sum(axis=0) + table.sum(axis=1)
    found = np.full(len(both), np.nan)
    np.divide(2 * table.diagonal(), both, out=found, where=both > 0)
    return found


def _f1(target: Array, guess: Array, weights: Array) -> float:
    if guess.ndim == 2:
        return _f1_macro(target, guess, weights)
    if not weights[target == 1].any():
        raise DataError("f1 is undefined: there is no positive row")
    return float(_f1_by_class(target, guess, weights)[1])


def _f1_macro(target: Array, guess: Array, weights: Array) -> float:
    return float(np.nanmean(_f1_by_class(target, guess, weights)))


def _need_two_classes(metric: str, present: int) -> None:
    if present < 2:
        raise DataError(f"{metric} is undefined: all rows are of one class")


def _by_class(
    curve: Callable[[Array, Array, Array], float], target: Array, guess: Array, weights: Array
) -> float:
    """Average a binary measure over the classes that occur, each against the rest."""
    if guess.ndim == 1:
        return curve(target == 1, guess, weights)
    present = [code for code in range(guess.shape[1]) if weights[target == code].any()]
    _need_two_classes("a measure per class", len(present))
    return float(np.mean([curve(target == code, guess[:, code], weights) for code in present]))


def _counts_by_threshold(positive: Array, guess: Array, weights: Array) -> tuple[Array, Array]:
    """Return weighted true and false positives at each distinct score, highest first."""
    order = np.argsort(-guess, kind="stable")
    ordered = guess[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(np.where(positive[order], weights[order], 0.0))[last_of_tie]
    misses = np.cumsum(np.where(positive[order], 0.0, weights[order]))[last_of_tie]
    if hits[-1] == 0 or misses[-1] == 0:
        raise DataError("a ranking metric is undefined: all rows are of one class")
    return hits, misses


def _auc_curve(positive: Array, guess: Array, weights: Array) -> float:
    hits, misses = _counts_by_threshold(positive, guess, weights)
    heights = np.concatenate(([0.0], hits))
    widths = np.diff(np.concatenate(([0.0], misses)))
    return float(np.sum(widths * (heights[1:] + heights[:-1]) / 2) / (hits[-1] * misses[-1]))


def _precision_and_recall(positive: Array, guess: Array, weights: Array) -> tuple[Array, Array]:
    hits, misses = _counts_by_threshold(positive, guess, weights)
    marked = hits + misses
    precision = np.divide(hits, marked, out=np.zeros_like(hits), where=marked > 0)
    return precision, hits / hits[-1]


def _precision_curve(positive: Array, guess: Array, weights: Array) -> float:
    precision, recall = _precision_and_recall(positive, guess, weights)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _recall_curve(positive: Array, guess: Array, weights: Array, least: float) -> float:
    precision, recall = _precision_and_recall(positive, guess, weights)
    return float(recall[precision >= least].max(initial=0.0))


def _precision_at(positive: Array, guess: Array, weights: Array, least: float) -> float:
    precision, recall = _precision_and_recall(positive, guess, weights)
    return float(precision[recall >= least].max())


def _roc_auc(target: Array, guess: Array, weights: Array) -> float:
    return _by_class(_auc_curve, target, guess, weights)


def _average_precision(target: Array, guess: Array, weights: Array) -> float:
    return _by_class(_precision_curve, target, guess, weights)


def _at(name: str, least: float) -> Metric:
    curve = partial(_recall_curve if name == AT_PRECISION else _precision_at, least=least)

    def function(target: Array, guess: Array, weights: Array) -> float:
        return _by_class(curve, target, guess, weights)

    said = TABLE[name].description.replace(f"{LEAST:.0%}", f"{least:.0%}")
    return Metric(name, function, True, False, said)


def _log_loss(target: Array, guess: Array, weights: Array) -> float:
    """Mean negative log probability of the true class, clipped as scikit-learn does."""
    table = guess if guess.ndim == 2 else np.column_stack((1 - guess, guess))
    table = table / table.sum(axis=1, keepdims=True)
    chosen = table[np.arange(len(target)), target.astype(np.int64)]
    smallest = np.finfo(np.float64).eps
    return float(np.average(-np.log(np.clip(chosen, smallest, 1 - smallest)), weights=weights))


def _rmse(target: Array, guess: Array, weights: Array) -> float:
    # In units of the largest error: squares of 1e-200 and of 1e200 are no float64 numbers.
    error = target - guess
    unit = float(np.abs(error).max()) or 1.0
    return unit * float(np.sqrt(np.average((error / unit) ** 2, weights=weights)))


def _mae(target: Array, guess: Array, weights: Array) -> float:
    return float(np.average(np.abs(target - guess), weights=weights))


def _r2(target: Array, guess: Array, weights: Array) -> float:
    deviation = target - np.average(target, weights=weights)
    unit = float(np.abs(deviation).max())
    spread = np.sum(weights * (deviation / unit) ** 2) if unit else 0.0
    if spread == 0:
        raise DataError("r2 is undefined: the target has one value only")
    return float(1 - np.sum(weights * ((target - guess) / unit) ** 2) / spread)


#: One for each row of `noria.common.metric_table`.
FUNCTIONS: dict[str, Function] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    AT_PRECISION: _at(AT_PRECISION, LEAST).function,
    AT_RECALL: _at(AT_RECALL, LEAST).function,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}
METRICS = {
    name: Metric(
        name, FUNCTIONS[name], row.higher_is_better, row.tasks == REGRESSION, row.description
    )
    for name, row in TABLE.items()
}
