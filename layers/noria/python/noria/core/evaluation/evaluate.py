"""Judge a model on rows it never saw: its objective, its slices, its artifact, its rival."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.common.metric_table import Task
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.evaluation.error_findings import Findings
from noria.core.evaluation.slices import SliceResult, slice_results
from noria.core.statistics import metrics
from noria.core.statistics.autocorrelation import serial_dependence
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.confidence_intervals import Interval, interval_of, least_gain
from noria.core.statistics.permutation_tests import target_columns
from noria.errors import DataError, ParityError

WEAK_SPOTS = 3


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parity(_Result):
    """How far the artifact's scores are from the pipeline's; regression in target deviations."""

    rows: int
    maximum_difference: float
    differing: int
    flipped: int
    tolerance: float

    @property
    def holds(self) -> bool:
        """Tell whether no label flipped and no score differs by more than the tolerance."""
        return self.differing == 0 and self.flipped == 0


class ChampionComparison(_Result):
    """Challenger against champion on identical rows; positive gains favour the challenger."""

    champion_value: float | None
    gain: float | None
    lower_bound: float | None
    probability_better: float | None
    confidence: float
    reason: str


class EvaluationResult(_Result):
    """Everything that was measured on the holdout, for verdicts, reports and the model card."""

    metric: str
    value: float
    threshold: float
    interval: Interval
    rows: int
    metrics: dict[str, float]
    parity: Parity
    slices: list[SliceResult]
    baselines: dict[str, float]
    best_baseline: str | None
    gain_over_baseline: float | None
    minimum_gain: float
    comparison: ChampionComparison | None
    weaknesses: list[str]
    findings: Findings = Findings()


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
) -> EvaluationResult:
    """Measure a challenger on the holdout rows.

    `slices` holds raw columns of those rows: those with a floor are judged, the others reported
    where the model is weak, as are the `findings` in its errors. `baselines` are metric values
    that need no ML. `champion_problem` says why a champion could not be scored. With the rows'
    event `times` the intervals are those of a block bootstrap. ParityError when artifact and
    pipeline disagree.
    """
    metric, task, limits = problem.objective.measure, problem.task, problem.evaluation
    parity = check_parity(y, challenger_scores, pipeline_scores, task, limits.parity)
    value = metrics.score(metric, y, challenger_scores)
    together = serial_dependence(target_columns(y, challenger_scores), times)
    replicates = Replicates(metric, y, seed, together)
    found = slice_results(problem, y, slices, challenger_scores)
    best = best_baseline(metric, baselines)
    gained = None if best is None else metrics.gain(metric, value, baselines[best])
    compared = None
    if champion_scores is not None or champion_problem:
        rivals = (challenger_scores, champion_scores)
        compared = compare_with_champion(
            y, *rivals, replicates, limits.champion_confidence, champion_problem
        )
    return EvaluationResult(
        metric=problem.objective.metric,
        value=value,
        threshold=problem.objective.threshold,
        interval=interval_of(replicates, challenger_scores, limits.confidence),
        rows=len(y),
        metrics=metrics.scores(y, challenger_scores, task),
        parity=parity,
        slices=found,
        baselines=dict(baselines),
        best_baseline=best,
        gain_over_baseline=gained,
        minimum_gain=problem.objective.minimum_gain,
        comparison=compared,
        weaknesses=[
            *weaknesses(metric, value, found),
            *(one.sentence for one in (findings or Findings()).weaknesses[:WEAK_SPOTS]),
        ],
        findings=findings or Findings(),
    )


def check_parity(
    y: Array, exported: Array, pipeline: Array, task: Task, tolerance: float
) -> Parity:
    """Compare the artifact's scores with the pipeline's; ParityError when they disagree.

    They do where a label flips or a score differs by more than `tolerance`.
    """
    one, other = np.asarray(exported, dtype=float), np.asarray(pipeline, dtype=float)
    if one.shape != other.shape or len(one) != len(y):
        raise ParityError(
            f"scores have shapes {one.shape} and {other.shape} for {counted(len(y), 'row')}"
        )
    if not np.isfinite(one).all() or not np.isfinite(other).all():
        raise ParityError("a score is not a finite number: the version is refused")
    scale = (float(np.std(y)) or 1.0) if task == "regression" else 1.0
    differences = np.abs(one - other).reshape(len(y), -1).max(axis=1) / scale
    flips = 0 if task == "regression" else np.count_nonzero(_labels_differ(one, other))
    parity = Parity(
        rows=len(y),
        maximum_difference=float(differences.max(initial=0.0)),
        differing=int(np.count_nonzero(differences > tolerance)),
        flipped=int(flips),
        tolerance=tolerance,
    )
    if not parity.holds:
        raise ParityError(
            f"{parity.differing} of {counted(len(y), 'score')} differ by more than {tolerance:g}, "
            f"and {_flipped(parity.flipped)} between artifact and pipeline: the version is refused"
        )
    return parity


def _flipped(labels: int) -> str:
    return "1 label flips" if labels == 1 else f"{labels:,} labels flip"


def _labels_differ(one: Array, other: Array) -> Array:
    return np.asarray(metrics.labels(one) != metrics.labels(other))


def baselines_of(dataset: Dataset, metric: str) -> dict[str, float]:
    """Score what needs no ML on the holdout: a constant learnt from training, and the rule."""
    training, holdout = dataset.training, dataset.holdout_rows
    guesses = {"constant": _constant(training, len(holdout), metric)}
    if holdout.rule is not None:
        guesses["rule"] = holdout.rule
    found = {}
    for name, guess in guesses.items():
        try:
            found[name] = metrics.score(metric, holdout.target, guess)
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


def compare_with_champion(
    y: Array,
    challenger: Array,
    champion: Array | None,
    replicates: Replicates,
    confidence: float,
    problem: str = "",
) -> ChampionComparison:
    """Bootstrap the paired gain of the challenger over the champion on identical rows.

    The lower bound is one-sided, with `confidence` (`certainty.least_gain`).
    """
    metric = replicates.metric
    if champion is None:
        return ChampionComparison(
            champion_value=None, gain=None, lower_bound=None, probability_better=None,
            confidence=confidence, reason=f"the champion cannot be scored any more: {problem}",
        )  # fmt: skip
    value = metrics.score(metric, y, champion)
    gained = metrics.gain(metric, metrics.score(metric, y, challenger), value)
    differences = replicates.gains(challenger, champion)
    better = float(np.mean(differences > 0)) if len(differences) else float(gained > 0)
    return ChampionComparison(
        champion_value=value,
        gain=gained,
        lower_bound=least_gain(replicates, challenger, champion, confidence),
        probability_better=better,
        confidence=confidence,
        reason=f"on the same {counted(len(y), 'row')} the champion has {metric} {value:.4f}",
    )


def meets_objective(evaluation: EvaluationResult) -> Verdict:
    """Decide "met" or "missed" by threshold, slice floors and the gain over the baselines."""
    misses = [*_missed_threshold(evaluation), *_missed_gain(evaluation)]
    misses += [
        f"{one.column} = {one.value}: {evaluation.metric} {one.score:.4f} "
        f"misses its floor {one.floor:g} on {counted(one.rows, 'row')}"
        for one in evaluation.slices
        if one.met is False
    ]
    evidence = evaluation.model_dump(mode="json", exclude={"comparison"})
    if misses:
        return Verdict(
            decision="missed", reasons=[*misses, *evaluation.weaknesses], evidence=evidence
        )
    reasons = [_met(evaluation), *_gain_reason(evaluation)]
    return Verdict(decision="met", reasons=reasons, evidence=evidence)


def _met(evaluation: EvaluationResult) -> str:
    """Say that the threshold is met, and how sure the score is."""
    low, high = evaluation.interval.low, evaluation.interval.high
    score = f"{evaluation.metric} {evaluation.value:.4f}"
    rows = counted(evaluation.rows, "row")
    if low is None or high is None:
        return (
            f"{score} on {rows} meets the threshold {evaluation.threshold:g}; no confidence "
            "interval, as every resample of these rows scores the same"
        )
    return f"{score} [{low:.4f}, {high:.4f}] on {rows} meets the threshold {evaluation.threshold:g}"


def _missed_threshold(evaluation: EvaluationResult) -> list[str]:
    if metrics.meets(evaluation.metric, evaluation.value, evaluation.threshold):
        return []
    gap = abs(evaluation.value - evaluation.threshold)
    return [
        f"{evaluation.metric} {evaluation.value:.4f} misses the threshold "
        f"{evaluation.threshold:g} by {gap:.4f}"
    ]


def _missed_gain(evaluation: EvaluationResult) -> list[str]:
    gained = evaluation.gain_over_baseline
    if gained is None or evaluation.best_baseline is None:
        return []
    if gained > 0 and gained >= evaluation.minimum_gain:
        return []
    return [
        f"the gain over the {evaluation.best_baseline} baseline is {gained:.4f}, below the "
        f"minimum gain {evaluation.minimum_gain:g}"
    ]


def _gain_reason(evaluation: EvaluationResult) -> list[str]:
    if evaluation.gain_over_baseline is None or evaluation.best_baseline is None:
        return []
    value = evaluation.baselines[evaluation.best_baseline]
    return [
        f"{evaluation.gain_over_baseline:.4f} better than the {evaluation.best_baseline} "
        f"baseline ({value:.4f})"
    ]


def beats_champion(evaluation: EvaluationResult) -> Verdict:
    """Decide "wins" or "loses".

    A challenger wins when the one-sided lower bound of its paired gain
    (`evaluation.champion_confidence`) is above zero; without a scorable champion it wins. A bound
    of zero is what resamples give that miss the one or two rows on which models differ.
    """
    compared = evaluation.comparison
    if compared is None:
        return Verdict(decision="wins", reasons=["there was no champion to beat"])
    evidence = compared.model_dump(mode="json")
    if compared.gain is None or compared.lower_bound is None:
        return Verdict(decision="wins", reasons=[compared.reason], evidence=evidence)
    wins = compared.gain > 0 and compared.lower_bound > 0
    reason = (
        f"{compared.reason}; the challenger's gain is {compared.gain:+.4f}, with "
        f"{compared.confidence:.0%} confidence at least {compared.lower_bound:+.4f}"
    )
    return Verdict(decision="wins" if wins else "loses", reasons=[reason], evidence=evidence)


def weaknesses(metric: str, value: float, slices: Sequence[SliceResult]) -> list[str]:
    """Name the slices that lag behind the whole, the worst first."""
    lags = [
        (metrics.gain(metric, value, one.score), one) for one in slices if one.score is not None
    ]
    worst = sorted(
        (pair for pair in lags if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].column)
    )
    return [
        f"underperforms where {one.column} = {one.value}: {metric} {one.score:.4f} "
        f"on {counted(one.rows, 'row')}"
        for _, one in worst[:WEAK_SPOTS]
    ]
