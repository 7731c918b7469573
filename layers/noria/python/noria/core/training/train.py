"""Train the winner on all training rows, and export it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.data.frame_columns import with_column
from noria.core.features.feature_encoder import frame_of
from noria.core.model.calibration import Calibration
from noria.core.model.decision import Decision
from noria.core.model.prediction_interval import PredictionInterval
from noria.core.model.signature import (
    BlendMember,
    Signature,
)
from noria.core.statistics import metrics
from noria.core.training.artifact_size import check_size
from noria.core.training.blend_search import BLEND
from noria.core.training.candidate_search import Clock
from noria.core.training.fitted_model import FittedModel, Member, fit_members
from noria.core.training.partial_dependence import partial_dependences
from noria.core.training.robustness import measure_robustness
from noria.core.training.signatures import signature_of
from noria.errors import DataError, TrainingError

IMPORTANCE_ROWS, MOST_SHUFFLES = 1_000, 5
SHUFFLED_ROWS = 200_000  # in all copies: some seconds of scoring


@dataclass(frozen=True)
class Trained:
    """A trained model: the artifact, its signature, and its own scores of the holdout."""

    onnx: bytes
    signature: Signature
    holdout_scores: NDArray[np.float64]
    importances: dict[str, float]
    seconds: float


def train(
    dataset: Dataset,
    members: Sequence[Member],
    problem: Problem,
    seed: int,
    versions: Mapping[str, str] | None = None,
    clock: Clock = time.perf_counter,
    decision: Decision | None = None,
    calibration: Calibration | None = None,
    interval: PredictionInterval | None = None,
) -> Trained:
    """Fit the members on all training rows and export them as one; the holdout is only scored.

    The first member's recipe names the model. `calibration` corrects its probabilities, `decision`
    is the threshold that a binary model answers by, `interval` how sure a regression is.
    """
    start = clock()
    training, holdout = dataset.training, dataset.holdout_rows
    if not len(training) or (dataset.classes and len(np.unique(training.target)) < 2):
        raise TrainingError(
            f"{len(training)} training rows of one class or none: collect rows of both outcomes"
        )
    model = fit_members(members, training, problem, seed, calibration)
    artifact = model.to_onnx(dataset.columns)
    check_size(len(artifact), problem)
    judged, metric = holdout if len(holdout) else training, problem.objective.measure
    threshold = decision.threshold if decision else metrics.LABEL_THRESHOLD
    importances, errors = permutation_importances(model, judged, metric, seed, threshold)
    robustness = measure_robustness(model, judged, importances, metric, seed, threshold)
    signature = _signature(model, members, training, problem, versions)
    dependences = partial_dependences(model, judged, importances, seed)
    told = {"seed": seed, "importances": importances, "decision": decision,
            "calibration": calibration, "interval": interval,
            "robustness": tuple(robustness), "importance_errors": errors,
            "dependences": tuple(dependences)}  # fmt: skip
    return Trained(
        onnx=artifact,
        signature=signature.model_copy(update=told),
        holdout_scores=model.scores(frame_of(holdout)) if len(holdout) else np.zeros(0),
        importances=importances,
        seconds=clock() - start,
    )


def permutation_importances(
    model: FittedModel,
    rows: Dataset,
    metric: str,
    seed: int,
    threshold: float = metrics.LABEL_THRESHOLD,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return how much the metric loses when one raw column is shuffled, largest first.

    Measured on up to 1,000 rows, all shuffled copies scored in one call. The second of the two is
    the standard error of each, over up to five shuffles: none where columns are too many.
    """
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(rows))[:IMPORTANCE_ROWS]
    sample = rows.take(np.sort(chosen))
    frame = frame_of(sample)
    names, copies = rows.names(), [frame]
    shuffles = int(np.clip(SHUFFLED_ROWS // max(1, len(frame) * len(names)), 1, MOST_SHUFFLES))
    for name in names:
        for _ in range(shuffles):
            shuffled = frame[name].iloc[generator.permutation(len(frame))].set_axis(frame.index)
            copies.append(with_column(frame, name, shuffled))
    scores = model.scores(pd.concat(copies, ignore_index=True))
    parts = np.split(metrics.decided(metric, scores, threshold), len(copies))
    try:
        found = [metrics.score(metric, sample.target, part) for part in parts]
    except DataError:
        return {}, {}
    losses = np.array([metrics.gain(metric, found[0], value) for value in found[1:]])
    table = losses.reshape(len(names), shuffles)
    means = dict(zip(names, table.mean(axis=1).tolist(), strict=True))
    errors: dict[str, float] = {}
    if shuffles > 1:
        spread = table.std(axis=1, ddof=1) / np.sqrt(shuffles)
        errors = dict(zip(names, spread.tolist(), strict=True))
    return dict(sorted(means.items(), key=lambda item: (-item[1], item[0]))), errors


def fit_all_rows(
    dataset: Dataset,
    members: Sequence[Member],
    judged: Signature,
    problem: Problem,
    seed: int,
    versions: Mapping[str, str] | None = None,
    clock: Clock = time.perf_counter,
) -> Trained:
    """Fit a judged model once more, on the holdout's rows too, and export it.

    What was measured on rows that a model had not seen stays that of the judged one: importances,
    robustness, calibration, threshold and interval. The scores of the holdout are of rows that this
    model has seen.
    """
    start, every = clock(), dataset.without_holdout
    model = fit_members(members, every, problem, seed, judged.calibration)
    importances = {name: loss for name, loss in judged.importances.items() if name in every.data}
    signature = _signature(model, members, every, problem, versions)
    told = {"seed": seed, "importances": importances, "decision": judged.decision,
            "calibration": judged.calibration, "interval": judged.interval,
            "calibration_note": judged.calibration_note, "reliability": judged.reliability,
            "robustness": judged.robustness, "dependences": judged.dependences,
            "importance_errors": judged.importance_errors}  # fmt: skip
    artifact = model.to_onnx(dataset.columns)
    check_size(len(artifact), problem)
    return Trained(
        onnx=artifact,
        signature=signature.model_copy(update=told),
        holdout_scores=model.scores(frame_of(dataset.holdout_rows)),
        importances=importances,
        seconds=clock() - start,
    )


def _signature(
    model: FittedModel,
    members: Sequence[Member],
    training: Dataset,
    problem: Problem,
    versions: Mapping[str, str] | None,
) -> Signature:
    """Describe a model by the columns that it reads of the rows that it was fitted on."""
    read, first = [one.name for one in model.inputs(training.columns)], members[0]
    candidate = BLEND if len(members) > 1 else first.candidate
    plain = signature_of(training.only(read), problem, first.plan.recipe, candidate, versions or {})
    blend = tuple(
        BlendMember(
            candidate=one.candidate, recipe=one.plan.recipe, setting=one.setting, weight=one.weight
        )
        for one in members
    )
    told = {
        "iteration": first.plan.iteration,
        "unused": tuple(name for name in training.names() if name not in read),
        "blend": blend if len(members) > 1 else (),
    }
    return plain.model_copy(update=told)
