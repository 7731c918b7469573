"""Whether a weighted mean of several trials' models is better than the best of them.

Ensemble selection (Caruana et al. 2004, "Ensemble selection from libraries of models"): models are
drawn one after another, each time the one with which the mean is best, the same one again if it is.
How often a model was drawn is its weight. Weights are found and judged on out-of-fold predictions.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.statistics import metrics
from noria.core.statistics.best_threshold import answers_by_halves
from noria.core.statistics.corrected_t_test import surely_gains
from noria.core.training.candidate_search import OutOfFold

BLEND = "blend"
DRAWS = 10  # weights in tenths; finer ones fit the folds' noise
#: Two to one that it is better, no more: a mean of good models is seldom much worse than the one of
#: them that seems best, which the folds' noise chose among many.
CONFIDENCE = 2 / 3
#: Metrics that a mean of scores moves in small steps. Others are steps or extremes themselves:
#: there the log loss finds the weights.
SMOOTH = ("roc_auc", "average_precision", "log_loss", "rmse", "mae", "r2")


class Blend(NamedTuple):
    """Trials and their weights, which sum to one; scores by fold of what other folds weighted."""

    weights: dict[str, float]
    scores: list[float]
    predicted: OutOfFold


def find_blend(answers: Mapping[str, OutOfFold], best: str, problem: Problem) -> Blend | None:
    """Blend what was tried on the same rows; None where that is not better than the best.

    Each fold is scored with the weights that the other folds found, and the gain over the best
    trial must be above zero with `CONFIDENCE`.
    """
    whole = _late(answers[best])
    same = {
        name: _late(one).scores
        for name, one in answers.items()
        if len(one.rows) and np.array_equal(one.rows, answers[best].rows)
    }
    folds = [whole.folds == fold for fold in dict.fromkeys(whole.folds.tolist())]
    if len(same) < 2 or len(folds) < 2:
        return None
    metric = problem.objective.measure
    scores, gains = [], []
    for fold in folds:
        found = _weights(same, whole.target, ~fold, problem)
        target, mixed = whole.target[fold], _mean(same, found, fold)
        score, before = (
            metrics.score(metric, target, answers_by_halves(problem, target, one))
            for one in (mixed, whole.scores[fold])
        )
        scores.append(score)
        gains.append(metrics.gain(metric, score, before))
    every = np.ones(len(whole.rows), dtype=bool)
    weights = _weights(same, whole.target, every, problem)
    overlap = float(np.mean([fold.sum() / whole.learnt[fold][0] for fold in folds]))
    if len(weights) < 2 or not surely_gains(np.array(gains), overlap, CONFIDENCE):
        return None
    kept = {name: answers[name].scores for name in weights}
    mixed = _mean(kept, weights, np.ones(len(answers[best].rows), dtype=bool))
    return Blend(weights, scores, answers[best]._replace(scores=mixed))


def _late(answers: OutOfFold) -> OutOfFold:
    """The folds that learnt from half as many rows as any did, or more.

    Folds that go forward in time begin with few rows, where other models are good than on all.
    """
    kept = answers.learnt * 2 >= answers.learnt.max(initial=0)
    per_row = ("rows", "target", "scores", "folds", "learnt")
    return answers._replace(**{name: getattr(answers, name)[kept] for name in per_row})


def _weights(
    answers: Mapping[str, Array], target: Array, rows: Array, problem: Problem
) -> dict[str, float]:
    """Draw ten models, with replacement, so that their mean is best; the heaviest comes first."""
    metric = problem.objective.measure if problem.objective.metric in SMOOTH else "log_loss"
    truth, known = target[rows], {name: one[rows] for name, one in answers.items()}
    drawn: list[str] = []
    total = np.zeros_like(next(iter(known.values())))
    for _ in range(DRAWS):
        tried = {
            name: metrics.score(metric, truth, (total + one) / (len(drawn) + 1))
            for name, one in known.items()
        }
        chosen = max(tried, key=lambda name: metrics.gain(metric, tried[name], 0.0))
        drawn.append(chosen)
        total = total + known[chosen]
    return _shares(drawn)


def _shares(drawn: Sequence[str]) -> dict[str, float]:
    counts = {name: drawn.count(name) for name in drawn}
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: counts[name] / len(drawn) for name in ordered}


def _mean(answers: Mapping[str, Array], weights: Mapping[str, float], rows: Array) -> Array:
    return np.asarray(sum(weight * answers[name][rows] for name, weight in weights.items()))
