"""Try one candidate on folds of the training rows, within its share of the budget."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import Plan
from noria.core.statistics import metrics
from noria.core.training.estimators import fit, make_pipeline, parameters_of, predict_scores
from noria.core.training.folds import folds_of, sample_rows
from noria.errors import DataError, TrainingError

Clock = Callable[[], float]
#: What estimators raise on data they cannot take.
FIT_ERRORS = (ValueError, ArithmeticError, MemoryError, np.linalg.LinAlgError, DataError)


class Experiment(BaseModel):
    """One candidate tried with one recipe: its scores per fold, costs, and what went wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    candidate: str
    recipe: str
    iteration: int
    metric: str
    scores: list[float] = []
    mean: float | None = None
    std: float | None = None
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    rows: int = 0
    features: int = 0
    folds: int = 0
    fold_note: str = ""
    parameters: dict[str, Any] = {}
    seed: int = 0
    notes: list[str] = []
    error: str | None = None


def explore(
    dataset: Dataset,
    plan: Plan,
    candidate: str,
    problem: Problem,
    seed: int,
    clock: Clock = time.perf_counter,
) -> Experiment:
    """Score a candidate on folds of the training rows; the holdout is never touched.

    A candidate that cannot be fitted gives an experiment with `error`.
    """
    sample = sample_rows(dataset.training, problem.exploration.rows, seed)
    trial = _Trial(sample, plan, candidate, problem, seed, clock)
    try:
        trial.run()
    except FIT_ERRORS as error:
        return trial.result(error=f"{type(error).__name__}: {error}")
    return trial.result()


class _Trial:
    """The folds of one candidate, scored until done or out of time."""

    def __init__(
        self,
        sample: Dataset,
        plan: Plan,
        candidate: str,
        problem: Problem,
        seed: int,
        clock: Clock,
    ) -> None:
        self.sample, self.plan, self.candidate = sample, plan, candidate
        self.problem, self.seed, self.clock = problem, seed, clock
        self.scores: list[float] = []
        self.notes: list[str] = []
        self.seconds = {"fit": 0.0, "score": 0.0}
        self.features = self.folds = 0
        self.fold_note = ""

    def run(self) -> None:
        """Score fold after fold; the fold that exceeds the share of the budget is the last."""
        share = self.problem.exploration.seconds / max(1, len(self.problem.candidates))
        folds = folds_of(self.sample, self.problem.exploration.folds, self.seed)
        splits, self.fold_note = folds.splits, folds.note
        self.folds = len(splits)
        frame = frame_of(self.sample)
        for number, (train, test) in enumerate(splits, 1):
            self._score_fold(frame, train, test, number)
            if sum(self.seconds.values()) > share and number < len(splits):
                self.notes.append(
                    f"stopped after fold {number} of {len(splits)}: "
                    f"its share of exploration.seconds is {share:.0f} s"
                )
                break
        if not self.scores:
            raise DataError("; ".join(self.notes) or "no fold could be scored")

    def _score_fold(self, frame: Any, train: Array, test: Array, number: int) -> None:
        classes, target = len(self.sample.classes), self.sample.target
        if classes and len(np.unique(target[train])) < 2:
            self.notes.append(f"fold {number} skipped: its training rows are of one class")
            return
        pipeline = make_pipeline(
            self.candidate, self.plan, self.problem, classes, len(train), self.seed
        )
        start = self.clock()
        fit(pipeline, frame.iloc[train], target[train])
        fitted = self.clock()
        prediction = predict_scores(pipeline, frame.iloc[test], classes)
        self.seconds["fit"] += fitted - start
        self.seconds["score"] += self.clock() - fitted
        self.features = len(pipeline.named_steps["features"].get_feature_names_out())
        try:
            found = metrics.score(self.problem.objective.measure, target[test], prediction)
            self.scores.append(found)
        except DataError as error:
            self.notes.append(f"fold {number} skipped: {error}")

    def result(self, error: str | None = None) -> Experiment:
        """Sum up what was found."""
        classes, rows = len(self.sample.classes), len(self.sample)
        return Experiment(
            candidate=self.candidate,
            recipe=self.plan.recipe,
            iteration=self.plan.iteration,
            metric=self.problem.objective.metric,
            scores=self.scores,
            mean=float(np.mean(self.scores)) if self.scores and not error else None,
            std=float(np.std(self.scores)) if self.scores and not error else None,
            fit_seconds=round(self.seconds["fit"], 3),
            score_seconds=round(self.seconds["score"], 3),
            rows=rows,
            features=self.features,
            folds=self.folds,
            fold_note=self.fold_note,
            parameters=parameters_of(self.candidate, self.problem, classes, rows, self.seed),
            seed=self.seed,
            notes=self.notes,
            error=error,
        )


def raise_if_all_failed(experiments: list[Experiment]) -> None:
    """TrainingError that names every candidate's error when none could be fitted."""
    if not any(experiment.mean is not None for experiment in experiments):
        causes = "; ".join(f"{one.candidate}: {one.error}" for one in experiments)
        raise TrainingError(f"no candidate could be fitted ({causes or 'none was tried'})")
