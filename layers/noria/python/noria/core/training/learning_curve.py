"""Whether more rows would help the winner: its folds again, with half and a quarter of their rows.

Learning curves mostly follow a power law towards a limit, so that each doubling gains a fixed share
of what the one before did (Viering and Loog 2023, "The Shape of Learning Curves: A Review"). What
the last doubling gained bounds what the next one can. It is judged fold by fold, paired, with the
standard error of Nadeau and Bengio (2003), as folds share training rows.
"""

import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.model.learning_curve import LearningCurve
from noria.core.statistics import metrics
from noria.core.statistics.best_threshold import answers_by_halves
from noria.core.statistics.corrected_t_test import mean_gain, most_gain, surely_gains
from noria.core.training.candidate_search import FIT_ERRORS, Clock, OutOfFold
from noria.core.training.fitted_model import Member, fit_members
from noria.core.training.folds import Split, folds_of, label_gap, sample_rows

#: Share of `exploration.seconds` that the curve may take. Convention: a tenth, as it chooses
#: nothing; half and a quarter of the rows cost three quarters of what the folds did.
CURVE_SHARE = 1 / 10
MOST_SECONDS = 120.0  # JudgeTrials, which has 900, must not end for what chooses nothing
FEWEST_FOLDS = 2
FEWEST_ROWS = 10  # with fewer a model knows next to nothing, nor does its score say much
PARTS = (2, 4)  # of a fold's rows a half, then a quarter


def learning_curve(
    dataset: Dataset,
    members: Sequence[Member],
    whole: OutOfFold,
    problem: Problem,
    seed: int,
    clock: Clock = time.perf_counter,
) -> tuple[LearningCurve | None, str]:
    """Fit the members on parts of the folds' rows; the curve, and what it says or why it is none.

    `whole` are the members' answers with all rows, of the folds that `seed` makes. Of folds that go
    forward in time those are taken that learnt from half as many rows as the last one, or more. It
    stops after the fold that exceeds `CURVE_SHARE` of the seconds.
    """
    folds = _CurveFolds(dataset, members, whole, problem, seed)
    seconds = min(MOST_SECONDS, CURVE_SHARE * problem.exploration.seconds)
    start = clock()
    found: dict[int, dict[int, float]] = {part: {} for part in PARTS}
    late = folds.late
    for part in PARTS:
        for fold in late:
            if clock() - start > seconds:
                break
            score = folds.score(fold, part)
            if score is not None:
                found[part][fold] = score
        late = [fold for fold in late if fold in found[part]]
    if len(found[PARTS[0]]) < FEWEST_FOLDS:
        return None, f"whether more rows would help is not known: {_why(folds, seconds)}"
    curve = _curve(folds, found, problem)
    return curve, curve.sentence


def _why(folds: "_CurveFolds", seconds: float) -> str:
    if len(folds.late) < FEWEST_FOLDS:
        return f"{counted(len(folds.late), 'fold')} with answers could tell, {FEWEST_FOLDS} must"
    return (
        f"fewer than {FEWEST_FOLDS} folds could be fitted on half of their rows in the "
        f"{seconds:.1f} s that it may take, a tenth of exploration.seconds at most"
    )


class _CurveFolds:
    """The winner's folds, by what its models learnt from and how they scored."""

    def __init__(
        self,
        dataset: Dataset,
        members: Sequence[Member],
        whole: OutOfFold,
        problem: Problem,
        seed: int,
    ) -> None:
        self.members, self.problem, self.seed = members, problem, seed
        self.training_rows = dataset.training_size
        self.sample = sample_rows(dataset.training, problem.exploration.rows, seed)
        self.splits: dict[int, Split] = {}
        if len(whole.rows):
            splits = folds_of(self.sample, problem.exploration.folds, seed, label_gap(problem))
            numbers = dict.fromkeys(whole.folds.tolist())
            self.splits = {fold: splits.splits[fold] for fold in numbers}
        self.full = {
            fold: self._measured(whole.target[rows], whole.scores[rows])
            for fold, rows in ((one, whole.folds == one) for one in self.splits)
        }

    @property
    def late(self) -> list[int]:
        """The folds whose models learnt from half as many rows as any or more, the latest first."""
        sizes = {fold: len(train) for fold, (train, _) in self.splits.items()}
        most = max(sizes.values(), default=0)
        return [fold for fold, size in sizes.items() if 2 * size >= most]

    def score(self, fold: int, part: int) -> float | None:
        """The score of a fold's rows by models of a part of its training rows, if it has one."""
        train, test = self.splits[fold]
        rows, judged = self.sample.take(self._part(train, fold, part)), self.sample.take(test)
        one_class = bool(rows.classes) and len(np.unique(rows.target)) < 2
        if len(rows) < FEWEST_ROWS or one_class:
            return None
        try:
            model = fit_members(self.members, rows, self.problem, self.seed)
            return self._measured(judged.target, model.scores(frame_of(judged)))
        except FIT_ERRORS:
            return None

    def _measured(self, target: Array, scores: Array) -> float:
        answers = answers_by_halves(self.problem, target, scores)
        return metrics.score(self.problem.objective.measure, target, answers)

    def _part(self, train: Array, fold: int, part: int) -> Array:
        """Random rows, whole entities where rows of one belong together; a quarter of the half."""
        generator = np.random.default_rng([self.seed, fold])
        if self.sample.groups is None:
            chosen = generator.permutation(len(train))[: len(train) // part]
            return np.asarray(train[np.sort(chosen)])
        entities = self.sample.groups[train]
        order = generator.permutation(np.unique(entities))
        return np.asarray(train[np.isin(entities, order[: len(order) // part])])

    def rows(self, folds: Sequence[int], part: int) -> int:
        """How many rows models of these folds learn from, on average."""
        return round(float(np.mean([len(self.splits[one][0]) for one in folds])) / part)

    def overlap(self, folds: Sequence[int]) -> float:
        """The mean size of a fold in rows that its model learnt from."""
        pairs = [self.splits[one] for one in folds]
        return float(np.mean([len(test) / len(train) for train, test in pairs]))


def _curve(
    folds: _CurveFolds, found: dict[int, dict[int, float]], problem: Problem
) -> LearningCurve:
    half, quarter = (found[part] for part in PARTS)
    metric, confidence = problem.objective.measure, problem.evaluation.confidence
    judged = [*half]
    gains = np.array([metrics.gain(metric, folds.full[one], half[one]) for one in judged])
    overlap = folds.overlap(judged)
    gain, error = mean_gain(gains, overlap)
    parts = [*([4] if len(quarter) == len(half) else []), 2, 1]
    scores = {4: quarter, 2: half, 1: folds.full}
    means = [float(np.mean([scores[part][one] for one in judged])) for part in parts]
    return LearningCurve(
        metric=problem.objective.metric,
        rows=tuple(folds.rows(judged, part) for part in parts),
        scores=tuple(means),
        folds=len(judged),
        gain=gain,
        error=error,
        most=most_gain(gains, overlap, confidence),
        sure=surely_gains(gains, overlap, confidence),
        confidence=confidence,
        next_gain=_next_gain(metric, means),
        training_rows=folds.training_rows if len(folds.sample) < folds.training_rows else None,
    )


def _next_gain(metric: str, means: Sequence[float]) -> float | None:
    """The next doubling's gain where each gains the same share of the one before."""
    if len(means) < 3:
        return None
    before, last = (metrics.gain(metric, b, a) for a, b in pairwise(means))
    return last * (last / before) if 0 < last <= before else None
