"""Judge a model on rows it never saw: its objective, its slices, its artifact, its rival."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.evaluation.champion import compare_with_champion
from noria.core.evaluation.error_findings import Findings
from noria.core.evaluation.fairness import fairness
from noria.core.evaluation.parity import check_parity
from noria.core.evaluation.results import EvaluationResult, QuickModelComparison
from noria.core.evaluation.slices import SliceResult, slice_results
from noria.core.statistics import metrics
from noria.core.statistics.autocorrelation import serial_dependence
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.confidence_intervals import interval_of, least_gain, score_bound
from noria.core.statistics.permutation_tests import target_columns
from noria.core.statistics.sample_size import RowsNeeded, rows_needed
from noria.errors import DataError

WEAK_SPOTS = 3


def evaluate(
    problem: Problem,
    y: Array,
    slices: Mapping[str, Array],
    challenger_scores: Array,
    pipeline_scores: Array,
    champion_scores: Array | None,
    baselines: Mapping[str, float],
    seed: int = 0,
    champion_problem: str = "",
    findings: Findings | None = None,
    times: Array | None = None,
    threshold: float | Array = metrics.LABEL_THRESHOLD,
    out_of_fold: int = 0,
    widening: float = 1.0,
    quick: Array | None = None,
) -> EvaluationResult:
    """Measure a challenger on the holdout rows.

    `slices` holds raw columns of those rows: those with a floor are judged, the others reported
    where the model is weak, as are the `findings` in its errors. `baselines` are metric values
    that need no ML. `champion_problem` says why a champion could not be scored. With the rows'
    event `times` the intervals are those of a block bootstrap. `threshold` is what a binary
    challenger decides by, for all rows or each; `champion_scores` and `quick`, those of the
    analysis's quick model, are as the metric judges them (`metrics.decided`). Of the rows
    `out_of_fold` were answered by models of folds without them, by whose overlap the intervals are
    wider (`training_overlap`). ParityError when artifact and pipeline disagree.
    """
    metric, task, limits = problem.objective.measure, problem.task, problem.evaluation
    parity = check_parity(y, challenger_scores, pipeline_scores, task, limits.parity, threshold)
    judged = metrics.decided(metric, challenger_scores, threshold)
    value = metrics.score(metric, y, judged)
    together = serial_dependence(target_columns(y, challenger_scores), times)
    replicates = Replicates(metric, y, seed, together, widening)
    bound = score_bound(replicates, judged, limits.objective_confidence)
    found = slice_results(problem, y, slices, judged, seed)
    best = best_baseline(metric, baselines)
    gained = None if best is None else metrics.gain(metric, value, baselines[best])
    compared = None
    if champion_scores is not None or champion_problem:
        compared = compare_with_champion(
            y, judged, champion_scores, replicates, limits.champion_confidence, champion_problem
        )
    return EvaluationResult(
        metric=problem.objective.metric,
        value=value,
        threshold=problem.objective.threshold,
        interval=interval_of(replicates, judged, limits.confidence),
        bound=bound,
        bound_confidence=limits.objective_confidence,
        needed=_needed(problem, value, bound, len(y), all_rows=out_of_fold > 0),
        rows=len(y),
        out_of_fold=out_of_fold,
        metrics=metrics.scores(y, challenger_scores, task, threshold),
        parity=parity,
        slices=found,
        baselines=dict(baselines),
        best_baseline=best,
        gain_over_baseline=gained,
        minimum_gain=problem.objective.minimum_gain,
        comparison=compared,
        quick_model=None
        if quick is None
        else QuickModelComparison(
            value=metrics.score(metric, y, quick),
            lead=least_gain(replicates, quick, judged, limits.confidence),
            confidence=limits.confidence,
        ),
        weaknesses=[
            *weaknesses(problem, value, found),
            *(one.sentence for one in (findings or Findings()).weaknesses[:WEAK_SPOTS]),
        ],
        findings=findings or Findings(),
        fairness=fairness(problem, y, slices, challenger_scores, threshold),
    )


def _needed(
    problem: Problem, value: float, bound: float | None, rows: int, *, all_rows: bool
) -> RowsNeeded | None:
    """How many rows would tell that a value that meets the threshold is surely as good."""
    margin = metrics.gain(problem.objective.measure, value, problem.objective.threshold)
    if (
        bound is None
        or margin <= 0
        or metrics.meets(problem.objective.measure, bound, problem.objective.threshold)
    ):
        return None
    total = rows if all_rows else math.ceil(rows / problem.evaluation.holdout)
    return rows_needed(abs(value - bound), margin, rows, total)


def baselines_of(training: Dataset, judged: Dataset, metric: str) -> dict[str, float]:
    """Score what needs no ML on the judged rows: a constant learnt from training, and the rule."""
    guesses = {"constant": _constant(training, len(judged), metric)}
    if judged.rule is not None:
        guesses["rule"] = judged.rule
    found = {}
    for name, guess in guesses.items():
        try:
            found[name] = metrics.score(metric, judged.target, guess)
        except DataError:
            continue
    return found


def _constant(training: Dataset, rows: int, metric: str) -> Array:
    """Answer every row with the class shares, or with the mean (the median for mae)."""
    if not training.classes:
        middle = np.median if metric == "mae" else np.mean
        return np.full(rows, float(middle(training.target)))
    shares = np.bincount(training.target, minlength=len(training.classes)) / len(training)
    return np.full(rows, shares[1]) if len(shares) == 2 else np.tile(shares, (rows, 1))


def best_baseline(metric: str, baselines: Mapping[str, float]) -> str | None:
    """Name the baseline that is hardest to beat."""
    names = sorted(baselines)
    return max(names, key=lambda name: metrics.gain(metric, baselines[name], 0), default=None)


def weaknesses(problem: Problem, value: float, slices: Sequence[SliceResult]) -> list[str]:
    """Name the slices that surely lag behind the whole, the worst first."""
    metric = problem.objective.measure
    surely = [
        one
        for one in slices
        if one.p_value is not None and one.p_value < problem.analysis.significance
    ]
    lags = [
        (metrics.gain(metric, value, one.score), one) for one in surely if one.score is not None
    ]
    worst = sorted(lags, key=lambda pair: (-pair[0], pair[1].column))
    return [
        f"underperforms where {one.column} = {one.value}: {metric} {one.score:.4f} "
        f"on {counted(one.rows, 'row')}"
        for _, one in worst[:WEAK_SPOTS]
    ]
