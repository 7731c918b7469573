"""Whether a model's probabilities need a correction, and which."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.contracts import Problem
from noria.core.model.calibration import SMALLEST, Calibration, Method, reliability
from noria.core.statistics import metrics
from noria.core.statistics.corrected_t_test import surely_gains
from noria.core.training.candidate_search import OutOfFold

Fit = Callable[[Array, Array], Calibration]
#: Rows of the rarer class below which nothing is corrected. Convention: twenty for each of the two
#: parameters of a sigmoid (Harrell 2015, "Regression Modeling Strategies", 4.4, has 10 to 20).
FEWEST_OF_CLASS = 40
FEWEST_FOR_CURVE = 500  # of the rarer class: with fewer a free curve follows chance
MOST_KNOTS = 50
#: A steep piece that is shorter magnifies the rounding of 32 bits beyond `evaluation.parity`.
SHORTEST_PIECE = 0.002
LONGEST_SLOPE = 10.0


def calibrate(problem: Problem, predicted: OutOfFold) -> tuple[Calibration | None, OutOfFold]:
    """Find the correction that lowers the log loss most, and what it makes of these rows.

    Each fold is corrected by what the other folds found, and judged so: none is made where the gain
    is not above zero with `evaluation.champion_confidence`, corrected for the methods tried, nor
    for a metric of regression, or where too few rows of a class could tell.
    """
    tried = _methods(problem, predicted)
    folds = [predicted.folds == fold for fold in dict.fromkeys(predicted.folds.tolist())]
    if not tried or len(folds) < 2:
        return None, predicted
    before = _losses(predicted.target, predicted.scores, folds)
    overlap = float(np.mean([fold.sum() / predicted.learnt[fold][0] for fold in folds]))
    confidence = problem.evaluation.champion_confidence
    found: list[tuple[float, Method, Array]] = []
    for method, fit in tried.items():
        corrected = np.array(predicted.scores, dtype=np.float64)
        for fold in folds:
            known = fit(predicted.target[~fold], predicted.scores[~fold])
            corrected[fold] = known.apply(predicted.scores[fold])
        gains = before - _losses(predicted.target, corrected, folds)
        if surely_gains(gains, overlap, confidence, len(tried)):
            found.append((float(gains.mean()), method, corrected))
    if not found:
        return None, predicted
    _, method, corrected = max(found, key=lambda one: one[0])
    told: dict[str, Any] = {
        "rows": len(predicted.rows),
        "log_loss_before": metrics.score("log_loss", predicted.target, predicted.scores),
        "log_loss": metrics.score("log_loss", predicted.target, corrected),
    }
    if corrected.ndim == 1:
        told["before"] = reliability(predicted.target, predicted.scores)
        told["after"] = reliability(predicted.target, corrected)
    chosen = tried[method](predicted.target, predicted.scores).model_copy(update=told)
    return chosen, predicted._replace(scores=corrected)


def why_uncorrected(problem: Problem, predicted: OutOfFold) -> str:
    """Say why `calibrate` left probabilities as they are; nothing for a regression, without any."""
    if problem.task == "regression":
        return ""
    if not len(predicted.rows):
        return "the folds' answers are too many to keep, so nothing could tell whether they are off"
    if not _methods(problem, predicted):
        counts = np.bincount(np.asarray(predicted.target, dtype=np.int64), minlength=2)
        few = counts.sum() if predicted.scores.ndim == 2 else counts.min()
        of_class = "" if predicted.scores.ndim == 2 else " of the rarer class"
        return (
            f"{counted(int(few), 'row')}{of_class} that the folds held out, of "
            f"{FEWEST_OF_CLASS} that could tell whether they are off"
        )
    return (
        f"no correction surely lowered the log loss on {counted(len(predicted.rows), 'row')} that "
        "the folds held out"
    )


def _methods(problem: Problem, predicted: OutOfFold) -> dict[Method, Fit]:
    if problem.task == "regression" or not len(predicted.rows):
        return {}
    counts = np.bincount(np.asarray(predicted.target, dtype=np.int64), minlength=2)
    if predicted.scores.ndim == 2:
        return {"temperature": _temperature} if counts.sum() >= FEWEST_OF_CLASS else {}
    found: dict[Method, Fit] = {"platt": _platt} if counts.min() >= FEWEST_OF_CLASS else {}
    return found | ({"isotonic": _isotonic} if counts.min() >= FEWEST_FOR_CURVE else {})


def _losses(target: Array, scores: Array, folds: list[Array]) -> Array:
    return np.array([metrics.score("log_loss", target[fold], scores[fold]) for fold in folds])


def _platt(target: Array, scores: Array) -> Calibration:
    if len(np.unique(target)) < 2:
        return Calibration(method="platt")
    clipped = np.clip(scores, SMALLEST, 1 - SMALLEST)
    odds = (np.log(clipped) - np.log(1 - clipped)).reshape(-1, 1)
    fitted = LogisticRegression(C=1e6).fit(odds, target)
    slope = float(np.clip(fitted.coef_[0, 0], 1 / LONGEST_SLOPE, LONGEST_SLOPE))
    return Calibration(method="platt", slope=slope, intercept=float(fitted.intercept_[0]))


def _isotonic(target: Array, scores: Array) -> Calibration:
    fitted = IsotonicRegression(y_min=SMALLEST, y_max=1 - SMALLEST, out_of_bounds="clip")
    fitted.fit(scores, target == 1)
    quantiles = np.quantile(fitted.X_thresholds_, np.linspace(0, 1, MOST_KNOTS))
    knots: list[float] = []
    for knot in quantiles.tolist():
        if not knots or knot - knots[-1] >= SHORTEST_PIECE:
            knots.append(knot)
    if len(knots) < 2:  # all scores are alike: nothing is told apart
        return Calibration(method="platt")
    heights = fitted.predict(np.array(knots))
    return Calibration(method="isotonic", knots=tuple(knots), heights=tuple(heights.tolist()))


def _temperature(target: Array, scores: Array) -> Calibration:
    def loss(log_slope: float) -> float:
        known = Calibration(method="temperature", slope=float(np.exp(log_slope)))
        return metrics.score("log_loss", target, known.apply(scores))

    edge = float(np.log(LONGEST_SLOPE))
    best = minimize_scalar(loss, bounds=(-edge, edge), method="bounded", options={"xatol": 1e-3})
    return Calibration(method="temperature", slope=float(np.exp(best.x)))
