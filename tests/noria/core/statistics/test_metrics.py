"""Our metrics agree with scikit-learn's, and say when they are undefined."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as reference

from noria.contracts import Objective
from noria.core.statistics import metrics
from noria.errors import DataError
from tests.support.examples import examples

seeds = st.integers(0, 2**32 - 1)


def recall_at_precision(y: np.ndarray, p: np.ndarray) -> float:
    precision, recall, _ = reference.precision_recall_curve(y, p)
    return float(recall[precision >= 0.8].max())


def precision_at_recall(y: np.ndarray, p: np.ndarray) -> float:
    precision, recall, _ = reference.precision_recall_curve(y, p)
    return float(precision[recall >= 0.8].max())


BINARY = {
    "accuracy": lambda y, p: reference.accuracy_score(y, p >= 0.5),
    "balanced_accuracy": lambda y, p: reference.balanced_accuracy_score(y, p >= 0.5),
    "f1": lambda y, p: reference.f1_score(y, p >= 0.5, zero_division=0),
    "f1_macro": lambda y, p: reference.f1_score(y, p >= 0.5, average="macro"),
    "roc_auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "log_loss": reference.log_loss,
    "recall_at_precision": recall_at_precision,
    "precision_at_recall": precision_at_recall,
}
MULTICLASS = {
    "accuracy": lambda y, p: reference.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda y, p: reference.balanced_accuracy_score(y, p.argmax(1)),
    "f1_macro": lambda y, p: reference.f1_score(y, p.argmax(1), average="macro"),
    "roc_auc": lambda y, p: reference.roc_auc_score(y, p, multi_class="ovr"),
    "log_loss": reference.log_loss,
}
REGRESSION = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
}


@pytest.mark.parametrize("name", BINARY)
@examples(30)
@given(seed=seeds, ties=st.booleans())
def test_binary(name: str, seed: int, ties: bool) -> None:
    generator = np.random.default_rng(seed)
    y = np.concatenate(([0, 1], generator.integers(0, 2, 60)))
    p = generator.random(62)
    p = np.round(p, 1) if ties else p
    assert metrics.score(name, y, p) == pytest.approx(BINARY[name](y, p), abs=1e-12)


@pytest.mark.parametrize("name", MULTICLASS)
@examples(20)
@given(seed=seeds)
def test_multiclass(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    y = np.concatenate(([0, 1, 2], generator.integers(0, 3, 60)))
    p = generator.dirichlet(np.ones(3), 63)
    assume(np.diff(np.sort(p)[:, -2:]).min() > 1e-4)  # nearer ones are ties to us, not to sklearn
    assert metrics.score(name, y, p) == pytest.approx(MULTICLASS[name](y, p), abs=1e-12)


@pytest.mark.parametrize("name", REGRESSION)
@examples(20)
@given(seed=seeds)
def test_regression(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    y, p = generator.normal(size=(2, 50))
    assert metrics.score(name, y, p) == pytest.approx(REGRESSION[name](y, p), abs=1e-12)


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1e150, 1e300])
def test_a_unit_changes_no_score(unit: float) -> None:
    """GIVEN targets whose squares no float64 holds THEN they are scored as in any other unit."""
    y, p = np.random.default_rng(5).normal(size=(2, 50))
    for name, scale in (("r2", 1.0), ("rmse", unit), ("mae", unit)):
        expected = metrics.score(name, y, p) * scale
        assert metrics.score(name, y * unit, p * unit) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", [*BINARY, *REGRESSION])
@examples(20)
@given(seed=seeds)
def test_weights_are_counts(name: str, seed: int) -> None:
    """Weighting a row by n equals repeating it n times."""
    generator = np.random.default_rng(seed)
    y = np.concatenate(([0, 1], generator.integers(0, 2, 30))).astype(float)
    p = np.round(generator.random(32), 1)
    counts = np.concatenate(([1, 1], generator.integers(0, 4, 30)))
    expected = metrics.score(name, np.repeat(y, counts), np.repeat(p, counts))
    assert metrics.score(name, y, p, counts) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "name",
    ["balanced_accuracy", "f1", "roc_auc", "average_precision", "recall_at_precision",
     "precision_at_recall"],
)  # fmt: skip
def test_one_class_is_undefined(name: str) -> None:
    with pytest.raises(DataError, match="undefined"):
        metrics.score(name, np.zeros(5), np.linspace(0, 0.4, 5))


def test_undefined_cases_name_the_remedy() -> None:
    with pytest.raises(DataError, match="one value only"):
        metrics.score("r2", np.ones(3), np.zeros(3))
    with pytest.raises(DataError, match="no rows"):
        metrics.score("mae", np.zeros(0), np.zeros(0))
    with pytest.raises(DataError, match="finite"):
        metrics.score("mae", np.zeros(1), np.array([np.nan]))
    with pytest.raises(DataError, match="one prediction per row"):
        metrics.score("mae", np.zeros(2), np.zeros(3))
    with pytest.raises(DataError, match="'auc' is unknown"):
        metrics.score("auc", np.zeros(2), np.zeros(2))


def test_all_metrics_of_a_task_beside_each_other() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics.scores(np.array([0, 1, 1]), np.array([0.2, 0.7, 0.4]), "binary")
        assert set(found) == set(BINARY)
        assert "roc_auc" not in metrics.scores(np.zeros(3), np.zeros(3), "binary")
        assert set(metrics.scores(np.arange(3.0), np.ones(3), "regression")) == set(REGRESSION)


def test_direction_follows_from_the_metric() -> None:
    assert metrics.gain("rmse", 1.0, 3.0) == 2.0
    assert metrics.gain("r2", 1.0, 3.0) == -2.0
    assert metrics.meets("rmse", 2.0, 2.0)
    assert not metrics.meets("rmse", 2.1, 2.0)
    assert metrics.improves("roc_auc", 0.7, 0.6, 0.05)
    assert not metrics.improves("mae", 1.0, 1.0)


def test_the_limit_that_is_not_given_is_the_contracts_default() -> None:
    for limit in ("minimum_precision", "minimum_recall"):
        assert Objective.model_fields[limit].default == metrics.LEAST
    y, guess = np.array([1, 0, 1, 0, 1]), np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    asked = [metrics.score(f"recall_at_precision@{least}", y, guess) for least in (0.6, 0.65, 0.8)]
    assert asked == pytest.approx([1, 2 / 3, 1 / 3])
    assert metrics.score("recall_at_precision", y, guess) == asked[-1]
    assert "at least 65% of alarms" in metrics.named("recall_at_precision@0.65").description
    asked = [metrics.score(f"precision_at_recall@{least}", y, guess) for least in (0.3, 0.5, 0.8)]
    assert asked == pytest.approx([1, 2 / 3, 3 / 5])
    assert metrics.score("precision_at_recall", y, guess) == asked[-1]
    assert "at least 65% of positives" in metrics.named("precision_at_recall@0.65").description


def test_the_endpoint_scores_without_loading_the_contract() -> None:
    """Its start is what a first request waits for."""
    code = "import sys, noria.serving.model_loader; sys.exit('noria.contracts' in sys.modules)"
    layer = str(Path(metrics.__file__).parents[3])
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": layer})
