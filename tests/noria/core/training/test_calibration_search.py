"""Probabilities are corrected where the folds tell that they are off, and left where not."""

import numpy as np
import pytest

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import make_plan
from noria.core.model.calibration import Calibration
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.statistics import metrics
from noria.core.training.calibration_search import calibrate
from noria.core.training.candidate_search import OutOfFold
from noria.core.training.fitted_model import Member, fit_members
from tests.support.model_data import bare_signature, mixed, problem

ROWS = 6_000
FOLDS = np.repeat(np.arange(5), ROWS // 5)


def of_folds(target: Array, scores: Array) -> OutOfFold:
    rows = len(target)
    return OutOfFold(np.arange(rows), target, scores, FOLDS[:rows], np.full(rows, rows), 1.5)


def drawn(seed: int = 0) -> tuple[Array, Array]:
    """True probabilities of two classes, and what was drawn from them."""
    generator = np.random.default_rng(seed)
    true = 1 / (1 + np.exp(-generator.normal(-1, 1.5, ROWS)))
    return (generator.random(ROWS) < true).astype(int), true


def odds(probability: Array) -> Array:
    return np.asarray(np.log(probability / (1 - probability)))


def test_answers_that_are_too_sure_are_taken_back() -> None:
    """GIVEN log odds three times too large THEN what is corrected is what is true."""
    target, true = drawn()
    sure = 1 / (1 + np.exp(-(3 * odds(true) + 1)))
    found, corrected = calibrate(problem(), of_folds(target, sure))
    assert found is not None
    assert found.method == "platt"
    assert found.slope == pytest.approx(1 / 3, rel=0.1)
    assert np.abs(found.apply(sure) - true).max() < 0.05
    assert found.log_loss < found.log_loss_before - 0.05
    assert metrics.score("log_loss", target, corrected.scores) == found.log_loss
    assert len(found.after) == 10
    assert max(abs(one.said - one.true) for one in found.after) < 0.05
    assert max(abs(one.said - one.true) for one in found.before) > 0.1
    # A rising correction leaves the order of the rows alone.
    assert metrics.score("roc_auc", target, found.apply(sure)) == pytest.approx(
        metrics.score("roc_auc", target, sure)
    )


def test_what_no_sigmoid_corrects_a_curve_does() -> None:
    target, true = drawn()
    stepped = np.where(true < 0.5, true / 4, 1 - (1 - true) / 4) * 0.5 + 0.25 * (true > 0.2)
    found, _ = calibrate(problem(), of_folds(target, stepped))
    assert found is not None
    assert found.method == "isotonic"
    assert (np.diff(found.heights) >= 0).all()
    assert np.abs(found.apply(stepped) - true).mean() < 0.03


@pytest.mark.parametrize("seed", range(5))
def test_right_probabilities_are_left_alone(seed: int) -> None:
    target, true = drawn(seed)
    found, same = calibrate(problem(), of_folds(target, true))
    assert found is None or found.log_loss > found.log_loss_before - 0.002
    if found is None:
        assert same.scores is true


def test_many_classes_are_cooled_or_heated_together() -> None:
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 1.5, (ROWS, 4))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = (true.cumsum(axis=1) < generator.random((ROWS, 1))).sum(axis=1)
    sure = np.exp(2 * logits) / np.exp(2 * logits).sum(axis=1, keepdims=True)
    found, corrected = calibrate(problem("multiclass", "accuracy"), of_folds(target, sure))
    assert found is not None
    assert found.slope == pytest.approx(0.5, rel=0.1)
    assert np.abs(corrected.scores - true).max() < 0.05
    assert (metrics.labels(corrected.scores) == metrics.labels(sure)).all()


def test_few_rows_and_numbers_are_not_corrected() -> None:
    target, true = drawn()
    few = np.flatnonzero(np.cumsum(target) <= 20)
    assert calibrate(problem(), of_folds(target[few], true[few] ** 3))[0] is None
    numbers = of_folds(target.astype(float), true)
    assert calibrate(problem("regression", "rmse"), numbers)[0] is None
    assert calibrate(problem(), OutOfFold.empty())[0] is None


CORRECTIONS = [
    (2, Calibration(method="platt", slope=0.4, intercept=-1.2)),
    (2, Calibration(method="isotonic", knots=(0.1, 0.3, 0.7), heights=(0.02, 0.5, 0.8))),
    (3, Calibration(method="temperature", slope=1.7)),
]


@pytest.mark.parametrize(("classes", "correction"), CORRECTIONS)
def test_the_artifact_corrects_as_its_pipeline(classes: int, correction: Calibration) -> None:
    task, metric = ("binary", "roc_auc") if classes == 2 else ("multiclass", "accuracy")
    asked, dataset = problem(task, metric), mixed(600, classes)
    members = [Member(make_plan(dataset, asked, 0), "hist_gradient_boosting")]
    model = fit_members(members, dataset, asked, 0, correction)
    read: Dataset = dataset.only([one.name for one in model.inputs(dataset.columns)])
    artifact = OnnxModel(model.to_onnx(dataset.columns), bare_signature(read, task))
    expected, found = model.scores(frame_of(dataset)), artifact.score(dataset.data)
    assert np.abs(found - expected).max() < 2e-6
    assert (metrics.labels(found) == metrics.labels(expected)).all()


def test_a_step_in_what_is_true_does_not_magnify_rounding() -> None:
    """GIVEN a share that leaps within a hair's breadth THEN 32 bits answer as 64 do."""
    generator = np.random.default_rng(0)
    scores = np.sort(generator.uniform(0.1, 0.9, ROWS))
    scores[2000:4000] = np.linspace(0.5, 0.5 + 1e-5, 2000)
    target = (generator.random(ROWS) < np.where(scores > 0.500005, 0.9, 0.1)).astype(int)
    shuffled = generator.permutation(ROWS)
    found, _ = calibrate(problem(), of_folds(target[shuffled], scores[shuffled]))
    assert found is not None
    single = scores.astype(np.float32).astype(np.float64)
    assert np.abs(found.apply(single) - found.apply(scores)).max() < 1e-4
