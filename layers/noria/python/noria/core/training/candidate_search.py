"""Try a candidate on folds of the training rows, within the seconds that its trial has."""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Self

import numpy as np
from sklearn.pipeline import Pipeline

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import Plan
from noria.core.statistics import metrics
from noria.core.statistics.best_threshold import answers_by_halves
from noria.core.statistics.overlapping_folds import mean_overlap, training_overlap
from noria.core.training.artifact_size import check_size
from noria.core.training.candidates import CANDIDATES
from noria.core.training.estimators import fit, make_pipeline, parameters_of, predict_scores
from noria.core.training.folds import Split, folds_of, label_gap, sample_positions
from noria.core.training.onnx_export import to_onnx
from noria.core.training.setting_search import TAKEN, Race, SettingTrial, search
from noria.core.training.trial import Experiment, Trial, TriedSetting
from noria.errors import DataError, FeatureError, TrainingError

Clock = Callable[[], float]
#: Out-of-fold scores that a trial keeps, 16 MB for each setting: two classes' always, of many
#: classes those of small tables, which are judged by them.
KEPT_SCORES = 2_000_000
#: Standard deviation of a target, in means, from which its logarithm is tried: below it that is
#: nearly a straight line.
LEAST_SPREAD = 0.3
#: What estimators raise on data they cannot take.
FIT_ERRORS = (ValueError, ArithmeticError, MemoryError, np.linalg.LinAlgError, DataError,
              FeatureError, TrainingError)  # fmt: skip


class OutOfFold(NamedTuple):
    """A model's scores of rows that it was not fitted on, and their targets; latest fold first.

    `rows` are positions in the dataset, `folds` the numbers of their folds, and `learnt` says from
    how many rows the models of those learnt. `widening` is what the folds' overlap takes from the
    certainty of what is measured on all of them (`training_overlap`).
    """

    rows: Array
    target: Array
    scores: Array
    folds: Array
    learnt: Array
    widening: float

    @classmethod
    def empty(cls) -> Self:
        """No rows at all."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, np.zeros(0), none, none, 1.0)


def explore(
    dataset: Dataset,
    plan: Plan,
    trial: Trial,
    problem: Problem,
    seed: int,
    clock: Clock = time.perf_counter,
) -> Experiment:
    """Score a trial's candidate on folds of the training rows; the holdout is never touched.

    A candidate that cannot be fitted gives an experiment with `error`.
    """
    return explore_with_predictions(dataset, plan, trial, problem, seed, clock)[0]


def explore_with_predictions(
    dataset: Dataset,
    plan: Plan,
    trial: Trial,
    problem: Problem,
    seed: int,
    clock: Clock = time.perf_counter,
) -> tuple[Experiment, OutOfFold]:
    """As `explore`, with the predictions of the rows that were scored.

    There are none after an error, and none of many rows with many classes.
    """
    places = sample_positions(dataset.training, trial.rows, seed)
    search_of = _Search(dataset.training.take(places), plan, trial, problem, seed, clock)
    search_of.training_size = dataset.training_size
    try:
        search_of.run()
    except FIT_ERRORS as error:
        return search_of.result(error=f"{type(error).__name__}: {error}"), OutOfFold.empty()
    predicted = search_of.out_of_fold()
    rows = np.flatnonzero(~dataset.holdout)[places[predicted.rows]]
    return search_of.result(), predicted._replace(rows=rows)


class _Search:
    """A trial's setting, scored until done or out of time; then the candidate's others."""

    def __init__(
        self,
        sample: Dataset,
        plan: Plan,
        trial: Trial,
        problem: Problem,
        seed: int,
        clock: Clock,
    ) -> None:
        self.sample, self.plan, self.trial, self.candidate = sample, plan, trial, trial.candidate
        self.problem, self.seed, self.clock = problem, seed, clock
        self.frame = frame_of(sample)
        self.splits: list[Split] = []
        self.usual: list[float | None] = []
        self.done = 0
        self.best: dict[int, float] = {}
        self.setting = trial.setting
        self.trials: list[SettingTrial] = []
        self.predictions: dict[tuple[str, int], Array] = {}
        self.training_size = len(sample)
        self.fitted: dict[str, tuple[Pipeline, int]] = {}  # with the rows that it learnt from
        self.artifact_bytes: int | None = None
        columns = len(sample.classes) if len(sample.classes) > 2 else 1
        self.keeps = len(sample) * columns <= KEPT_SCORES
        self.notes: list[str] = []
        self.seconds = {"fit": 0.0, "score": 0.0}
        self.features = 0
        self.fold_note = ""

    def run(self) -> None:
        """Score the folds, the latest first, then search; the one that exceeds the time is last."""
        folds = folds_of(
            self.sample, self.problem.exploration.folds, self.seed, label_gap(self.problem)
        )
        self.splits, self.fold_note = folds.splits, folds.note
        self.usual = [None] * len(self.splits)
        latest_first = [*range(len(self.splits))][::-1][: self.trial.folds]
        for done, fold in enumerate(latest_first, 1):
            self.usual[fold] = self._usual_score(fold)
            self.done = done
            if self._spent() > self.trial.seconds and done < len(latest_first):
                self.notes.append(
                    f"stopped after {done} of {len(latest_first)} folds: "
                    f"its share of exploration.seconds is {self.trial.seconds:.1f} s"
                )
                break
        scored = [(fold, self.usual[fold]) for fold in latest_first]
        self.best = {fold: score for fold, score in scored if score is not None}
        if not self.best:
            raise DataError("; ".join(self.notes) or "no fold could be scored")
        self._try_settings()
        self._measure_artifact()

    def _measure_artifact(self) -> None:
        """Export a fold's model, in a last rung, so that none wins that cannot be served.

        A setting that cannot be gives its place back to the trial's own.
        """
        own = self.trial.setting
        try:
            self._export(self.setting)
        except TrainingError as error:
            if self.setting == own:
                raise
            for one in self.trials:
                if one.setting == self.setting:
                    one.outcome = f"better, and not taken: {error}"
            self.setting = own
            scored = {fold: self.usual[fold] for fold in self.best}
            self.best = {fold: score for fold, score in scored.items() if score is not None}
            self._export(own)

    def _export(self, setting: str) -> None:
        """TrainingError where no artifact can be made of a setting's model, or none to serve."""
        if setting not in self.fitted:
            return
        pipeline, learnt = self.fitted[setting]
        try:
            content = to_onnx(pipeline, self.sample.columns, len(self.sample.classes))
        except Exception as error:  # a converter may raise anything
            raise TrainingError(f"cannot be exported: {type(error).__name__}: {error}") from error
        check_size(len(content), self.problem, learnt / self.training_size)
        self.artifact_bytes = len(content)

    def _spent(self) -> float:
        return sum(self.seconds.values())

    def _usual_score(self, fold: int) -> float | None:
        classes, target = len(self.sample.classes), self.sample.target
        if classes and len(np.unique(target[self.splits[fold][0]])) < 2:
            self.notes.append(f"fold {fold + 1} skipped: its training rows are of one class")
            return None
        try:
            return self._score_fold(self.trial.setting, fold)[0]
        except DataError as error:
            self.notes.append(f"fold {fold + 1} skipped: {error}")
            return None

    def _score_fold(self, setting: str, fold: int) -> tuple[float, float]:
        (train, test), target = self.splits[fold], self.sample.target
        classes = len(self.sample.classes)
        pipeline = make_pipeline(
            self.candidate, self.plan, self.problem, classes, len(train), self.seed, setting
        )
        start = self.clock()
        fit(pipeline, self.frame.iloc[train], target[train])
        fitted = self.clock()
        prediction = predict_scores(pipeline, self.frame.iloc[test], classes)
        scored = self.clock()
        if self.keeps:
            self.predictions[setting, fold] = prediction
        if self.trial.folds is None:
            self.fitted.setdefault(setting, (pipeline, len(train)))
        self.seconds["fit"] += fitted - start
        self.seconds["score"] += scored - fitted
        self.features = len(pipeline.named_steps["features"].get_feature_names_out())
        answers = answers_by_halves(self.problem, target[test], prediction)
        return metrics.score(self._metric, target[test], answers), scored - start

    @property
    def _metric(self) -> str:
        return self.problem.objective.measure

    def _try_settings(self) -> None:
        """Search the candidate's settings with what is left of the trial's seconds."""
        candidate, own = CANDIDATES[self.candidate], self.trial.setting
        known = candidate.settings_for(
            len(self.sample.classes), by_factors=_differ_by_factors(self.sample.target)
        )
        others = [(name, setting) for name, setting in known.items() if name != own]
        settings = others[: self.trial.settings]
        if len(self.best) < 2 or not settings:
            return
        cost = candidate.setting(own).cost if own else 1.0
        race = Race(
            against=f"'{own}'" if own else "the usual setting",
            usual=self.usual,
            gain=partial(metrics.gain, self._metric),
            overlap=mean_overlap(self.splits),
            costs={name: setting.cost / cost for name, setting in settings},
            fold_seconds=self._spent() / self.done,
            seconds=self.trial.seconds - self._spent(),
            confidence=self.problem.evaluation.champion_confidence,
        )
        self.trials = search(race, self._score_fold, FIT_ERRORS)
        for taken in self.trials:
            if taken.outcome == TAKEN:
                self.setting = taken.setting
                self.best = {fold: taken.scores[fold] for fold in self.best}

    def out_of_fold(self) -> OutOfFold:
        """The predictions of the setting that was taken, by positions in the sample."""
        if not self.keeps:
            return OutOfFold.empty()
        splits = [self.splits[fold] for fold in self.best]
        rows = np.concatenate([test for _, test in splits])
        found = np.concatenate([self.predictions[self.setting, fold] for fold in self.best])
        sizes = [len(test) for _, test in splits]
        folds = np.repeat([*self.best], sizes)
        learnt = np.repeat([len(train) for train, _ in splits], sizes)
        target = self.sample.target[rows]
        return OutOfFold(rows, target, found, folds, learnt, training_overlap(splits))

    def result(self, error: str | None = None) -> Experiment:
        """Sum up what was found."""
        classes, rows = len(self.sample.classes), len(self.sample)
        scores = [] if error else [*self.best.values()]
        return Experiment(
            candidate=self.candidate,
            setting=self.setting,
            recipe=self.plan.recipe,
            iteration=self.plan.iteration,
            rung=self.trial.rung,
            metric=self.problem.objective.metric,
            scores=scores,
            mean=float(np.mean(scores)) if scores else None,
            std=float(np.std(scores)) if scores else None,
            fit_seconds=round(self.seconds["fit"], 3),
            score_seconds=round(self.seconds["score"], 3),
            rows=rows,
            features=self.features,
            artifact_bytes=self.artifact_bytes,
            folds=len(self.splits),
            fold_note=self.fold_note,
            parameters=parameters_of(
                self.candidate, self.problem, classes, rows, self.seed, self.setting
            ),
            seed=self.seed,
            trials=[_told(trial) for trial in self.trials],
            notes=self.notes,
            error=error,
        )


def _differ_by_factors(target: Array) -> bool:
    """Whether values are never negative and spread widely about their mean."""
    return bool(target.min() >= 0 and target.std() > LEAST_SPREAD * target.mean())


def _told(trial: SettingTrial) -> TriedSetting:
    gained = trial.mean_gain if trial.gains else None
    return TriedSetting(
        setting=trial.setting,
        gain=gained,
        folds=len(trial.gains),
        seconds=round(trial.seconds, 3),
        outcome=trial.outcome,
    )


def raise_if_all_failed(experiments: list[Experiment]) -> None:
    """TrainingError that names every candidate's error when none could be fitted."""
    if not any(experiment.mean is not None for experiment in experiments):
        causes = "; ".join(f"{one.candidate}: {one.error}" for one in experiments)
        raise TrainingError(f"no candidate could be fitted ({causes or 'none was tried'})")
