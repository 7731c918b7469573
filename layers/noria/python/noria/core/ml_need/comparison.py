"""Answers without ML and a quick model, scored side by side on the same holdout rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.evaluation.baselines import rule_answer, trivial_answers
from noria.core.evaluation.slices import slice_results
from noria.core.ml_need.quick_forms import Form, forms_of, named
from noria.core.ml_need.quick_model import quick_model
from noria.core.statistics import metrics
from noria.core.statistics.autocorrelation import serial_dependence
from noria.core.statistics.best_threshold import answers_by_halves
from noria.core.statistics.confidence_intervals import score_interval
from noria.core.statistics.overlapping_folds import training_overlap, widened
from noria.core.statistics.permutation_tests import (
    PermutationTest,
    permutation_test,
    target_columns,
)
from noria.core.statistics.resampled_scores import (
    Bounds,
    drawn_counts,
    gain_interval,
    resampled_scores,
)

Split = tuple[Array, Array]  # training and test positions
QUICK = "quick model"
RULE = "rule"


@dataclass(frozen=True)
class Scored:
    """A way to answer, with its score and interval on the holdout, and its resampled scores."""

    name: str
    prediction: Array
    score: float
    interval: Bounds
    resampled: Array

    def evidence(self) -> dict[str, Any]:
        """The numbers without the arrays."""
        return {"name": self.name, "score": self.score, "interval": self.interval.listed()}


@dataclass(frozen=True)
class Gain:
    """How much better one way to answer is than another, paired on the same rows."""

    value: float
    interval: Bounds


@dataclass(frozen=True)
class Compared:
    """All ways to answer, scored on `judged` of `holdout` rows, out of `total`.

    `block` is how many neighbours in time the bootstrap draws together, 1 without event time.
    `forms` says what the quick model saw beside the columns themselves, `folds` in how many folds
    all rows were judged, 0 where it was the holdout.
    """

    problem: Problem
    trivial: list[Scored]
    rule: Scored | None
    quick: Scored
    permutation: PermutationTest
    block: int
    judged: int
    holdout: int
    total: int
    floors_missed: list[str]
    forms: str = ""
    folds: int = 0

    @property
    def attempts(self) -> int:
        """How often signal was looked for: again with `forms` of the columns, again in folds."""
        return (2 if self.forms else 1) * (2 if self.folds else 1)

    @property
    def rows(self) -> str:
        """The rows that judged, in words."""
        return "out-of-fold rows" if self.folds else "holdout rows"

    @property
    def metric(self) -> str:
        """The metric of the objective, with its precision where it has one."""
        return self.problem.objective.measure

    @property
    def best_trivial(self) -> Scored:
        """The best answer that is the same for every row."""
        return self._best(self.trivial)

    @property
    def baseline(self) -> Scored:
        """The best answer that is not ML."""
        return self._best([*self.trivial, *([self.rule] if self.rule else [])])

    @property
    def scored(self) -> list[Scored]:
        """Every way to answer, the quick model last."""
        return [*self.trivial, *([self.rule] if self.rule else []), self.quick]

    def meets(self, item: Scored) -> bool:
        """Whether a way to answer is as good as the threshold."""
        return metrics.meets(self.metric, item.score, self.problem.objective.threshold)

    def beyond(self, value: float, other: float) -> float:
        """How much better a score is than another, whichever way the metric goes."""
        return metrics.gain(self.metric, value, other)

    def gain_over(self, other: Scored) -> Gain:
        """The quick model's gain, with its paired bootstrap interval."""
        return self.gain(self.quick, other)

    def gain(self, one: Scored, other: Scored) -> Gain:
        """The gain of one way to answer over another, with its paired bootstrap interval."""
        confidence = self.problem.evaluation.confidence
        return Gain(
            self.beyond(one.score, other.score),
            gain_interval(self.metric, one.resampled, other.resampled, confidence),
        )

    def _best(self, items: list[Scored]) -> Scored:
        best = items[0]
        for item in items[1:]:
            if metrics.improves(self.metric, item.score, best.score):
                best = item
        return best


def compare_answers(
    dataset: Dataset,
    training: Dataset,
    judged: Dataset,
    problem: Problem,
    generator: np.random.Generator,
    seed: int,
    forms: Sequence[Form] = (),
) -> Compared:
    """Score trivial answers, the rule and a quick model on `judged`, all on the same resamples.

    `training` and `judged` are the training and holdout rows of `dataset`, or samples of them.
    The quick model sees `forms` beside the columns.
    """
    answers = _answers(dataset, training, judged, problem, seed, forms)
    compared = _compared(answers, judged, problem, generator)
    return replace(compared, holdout=dataset.holdout_size, total=len(dataset), forms=named(forms))


def compare_out_of_fold(
    dataset: Dataset,
    splits: Sequence[Split],
    problem: Problem,
    generator: np.random.Generator,
    seed: int,
    with_forms: bool = False,
) -> Compared:
    """Compare on all rows that folds of `dataset` hold out, each answered without its own fold.

    The intervals are wider than those of so many rows of one holdout, as the folds' models share
    rows to learn from (`training_overlap`).
    """
    parts, forms = [], []
    for train, test in splits:
        training, judged = dataset.take(train), dataset.take(test)
        forms = forms_of(training, judged) if with_forms else []
        parts.append(_answers(dataset, training, judged, problem, seed, forms))
    answers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rows = dataset.take(np.concatenate([test for _, test in splits]))
    return replace(
        _compared(answers, rows, problem, generator, training_overlap(splits)),
        total=len(dataset),
        forms=named(forms),
        folds=len(splits),
    )


def _answers(
    dataset: Dataset,
    training: Dataset,
    judged: Dataset,
    problem: Problem,
    seed: int,
    forms: Sequence[Form],
) -> dict[str, Array]:
    mean = 0.0 if dataset.classes else float(dataset.target.mean())
    trivial = trivial_answers(training, judged, problem.objective.metric, problem.analysis.recent)
    quick = quick_model(training, judged, seed, forms)
    return {**trivial, **rule_answer(judged, mean), QUICK: quick}


def _compared(
    answers: Mapping[str, Array],
    judged: Dataset,
    problem: Problem,
    generator: np.random.Generator,
    widen: float = 1.0,
) -> Compared:
    y, times, limits = judged.target, judged.event_time, problem.analysis
    together = serial_dependence(target_columns(y, answers[QUICK]), times)
    counts = drawn_counts(len(judged), limits.resamples, generator, together)
    block = together.length if together else 1
    scored = {
        name: _scored(name, answer, judged, problem, counts, block, widen)
        for name, answer in answers.items()
    }
    quick, rule = scored.pop(QUICK), scored.pop(RULE, None)
    permutation = permutation_test(
        y, quick.prediction, limits.permutations, generator, times, limits.stretches
    )
    return Compared(
        problem=problem,
        trivial=list(scored.values()),
        rule=rule,
        quick=quick,
        permutation=permutation,
        block=block,
        judged=len(judged),
        holdout=len(judged),
        total=len(judged),
        floors_missed=[] if rule is None else _floors_missed(rule, judged, problem),
    )


def _scored(
    name: str,
    prediction: Array,
    judged: Dataset,
    problem: Problem,
    counts: Array,
    block: int,
    widen: float,
) -> Scored:
    metric, confidence = problem.objective.measure, problem.evaluation.confidence
    answers = prediction
    if name == QUICK:
        answers = answers_by_halves(problem, judged.target, prediction)
    score = metrics.score(metric, judged.target, answers)
    resampled = resampled_scores(metric, judged.target, answers, counts)
    resampled = widened(metric, resampled, score, widen)
    defined = resampled[np.isfinite(resampled)]
    found = score_interval(metric, judged.target, answers, defined, block, confidence)
    return Scored(
        name=name,
        prediction=prediction,
        score=score,
        interval=Bounds.of(resampled, confidence)
        if found.low is None or found.high is None
        else Bounds(found.low, found.high),
        resampled=resampled,
    )


def _floors_missed(rule: Scored, judged: Dataset, problem: Problem) -> list[str]:
    """Say where the rule stays below a floor of objective.slices."""
    columns = judged.slice_columns(piece.column for piece in problem.objective.slices)
    if len(columns) < len(problem.objective.slices):
        return []  # evaluation says that a column is gone
    results = slice_results(problem, judged.target, columns, rule.prediction)
    return [
        f"{one.column} = {one.value}: {one.score:.4g} on {counted(one.rows, 'row')}, floor "
        f"{one.floor:g}"
        for one in results
        if one.met is False
    ]
