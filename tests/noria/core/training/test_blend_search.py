"""Several models answer together where that is better than the best of them alone."""

import hashlib

import numpy as np
import pytest

from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import make_plan
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.statistics import metrics
from noria.core.training.blend_search import find_blend
from noria.core.training.candidate_search import OutOfFold
from noria.core.training.fitted_model import Member, fit_members
from noria.core.training.train import train
from tests.support.model_data import bare_signature, mixed, problem

ROWS = 3_000
FOLDS = np.repeat(np.arange(5)[::-1], ROWS // 5)
TARGET = np.random.default_rng(0).integers(0, 2, ROWS)


def answered(noise: float, seed: int) -> OutOfFold:
    """Answers that know the target but for noise of their own."""
    found = TARGET + np.random.default_rng(seed).normal(0, noise, ROWS)
    scores = 1 / (1 + np.exp(1 - 2 * found))
    return OutOfFold(np.arange(ROWS), TARGET, scores, FOLDS, np.full(ROWS, ROWS * 4 // 5), 1.5)


def test_models_with_errors_of_their_own_are_better_together() -> None:
    answers = {"one": answered(1, 1), "other": answered(1.1, 2), "poor": answered(6, 3)}
    asked = problem()
    found = find_blend(answers, "one", asked)
    assert found is not None
    assert sum(found.weights.values()) == pytest.approx(1)
    assert set(found.weights) >= {"one", "other"}
    assert found.weights.get("poor", 0) <= 0.1
    together, alone = (
        metrics.score("roc_auc", TARGET, scores)
        for scores in (found.predicted.scores, answers["one"].scores)
    )
    assert together > alone + 0.03
    assert np.mean(found.scores) == pytest.approx(together, abs=0.02)


def test_models_that_answer_alike_are_not_blended() -> None:
    one = answered(1, 1)
    assert find_blend({"one": one, "same": one}, "one", problem()) is None
    worse = one._replace(scores=answered(40, 2).scores)
    assert find_blend({"one": one, "worse": worse}, "one", problem()) is None


def test_a_trial_that_was_stopped_early_is_left_out() -> None:
    """GIVEN answers of other rows THEN they cannot be weighed against those of all."""
    one, other = answered(1, 1), answered(1, 2)
    rows = slice(0, ROWS // 5 * 2)
    stopped = other._replace(
        rows=other.rows[rows],
        target=TARGET[rows],
        scores=other.scores[rows],
        folds=FOLDS[rows],
        learnt=other.learnt[rows],
    )
    assert find_blend({"one": one, "stopped": stopped}, "one", problem()) is None
    assert find_blend({"one": one, "nothing": OutOfFold.empty()}, "one", problem()) is None


@pytest.mark.parametrize(("classes", "task"), [(0, "regression"), (2, "binary"), (3, "multiclass")])
def test_a_blend_is_one_artifact_that_answers_as_its_pipelines(classes: int, task: str) -> None:
    asked = problem(task, {0: "rmse", 2: "roc_auc", 3: "accuracy"}[classes])
    dataset, fresh = mixed(900, classes), mixed(2000, classes, seed=1, unseen=True)
    linear = "logistic_regression" if classes else "ridge"
    members = [
        Member(make_plan(dataset, asked, 3), "hist_gradient_boosting", "larger steps", 0.5),
        Member(make_plan(dataset, asked, 0), linear, "", 0.3),
        Member(make_plan(dataset, asked, 1), "extra_trees", "", 0.2),
    ]
    model = fit_members(members, dataset, asked, 0)
    read = [one.name for one in model.inputs(dataset.columns)]
    artifact = OnnxModel(model.to_onnx(dataset.columns), bare_signature(dataset.only(read), task))
    expected, found = model.scores(frame_of(fresh)), artifact.score(fresh.data)
    scale = 1 if classes else dataset.target.std()
    assert np.abs(found - expected).max() / scale < 2e-6
    if classes:
        assert (metrics.labels(found) == metrics.labels(expected)).all()
        assert (found >= 0).all()
        assert found.max() <= 1 + 1e-6


def test_a_blend_tells_what_it_is_made_of_and_is_the_same_twice() -> None:
    dataset, asked = mixed(500, 2), problem()
    members = [
        Member(make_plan(dataset, asked, 0), "logistic_regression", "", 0.6),
        Member(make_plan(dataset, asked, 3), "hist_gradient_boosting", "", 0.4),
    ]
    one, two = (train(dataset, members, asked, 0) for _ in range(2))
    assert one.signature.candidate == "blend"
    assert one.signature.recipe == "basic"
    assert str(one.signature.blend[0]) == "60% logistic_regression (basic)"
    assert hashlib.sha256(one.onnx).digest() == hashlib.sha256(two.onnx).digest()
    assert one.importances
