"""Explanations of real models agree with those of the package `shap`."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noria.core.data.dataset import Dataset
from noria.core.features.plan import make_plan
from noria.core.model.background_rows import BackgroundRows
from noria.core.model.explanation import explain
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.shapley import sampled_values
from noria.core.model.signature import input_name
from noria.core.training.fitted_model import Member
from noria.core.training.train import train
from noria.errors import RequestError
from tests.bench.environments import python_of
from tests.support.model_data import mixed, problem, real
from tests.support.recipe_data import plan_with, planted, solved

PEER = Path(__file__).parents[3] / "support" / "shap" / "peer.py"
FIELDS, EXPLAINED = 7, 4


@dataclass
class Fitted:
    """A model, its artifact, and the rows that it was trained on."""

    onnx: bytes
    model: OnnxModel
    rows: Dataset

    @property
    def background(self) -> BackgroundRows:
        return BackgroundRows.of(self.rows)

    def inputs(self, count: int) -> dict[str, Any]:
        """The first rows as the graph takes them."""
        names = self.model.signature.names
        return self.model.inputs({name: self.rows.data[name][:count] for name in names})

    def compared(self) -> dict[str, Any]:
        """The background rows as the graph takes them."""
        return self.model.inputs(self.background.arrays(self.model.signature))


def fitted(dataset: Dataset, task: str, metric: str, candidate: str) -> Fitted:
    asked = problem(task, metric)
    made = train(dataset, [Member(make_plan(dataset, asked, 0), candidate)], asked, 0)
    return Fitted(made.onnx, OnnxModel(made.onnx, made.signature), dataset.training)


@pytest.fixture(scope="module")
def boosted() -> Fitted:
    """A boosting of seven numbers of scikit-learn's tumours."""
    dataset, _ = real("binary")
    few = dataset.only(dataset.names()[:FIELDS])
    return fitted(few, "binary", "roc_auc", "hist_gradient_boosting")


def matrix(inputs: dict[str, Any]) -> Any:
    return np.hstack([*inputs.values()]).astype(np.float64)


def flat(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: values.reshape(-1) for name, values in inputs.items()}


def test_exact_explanations_are_those_of_shap(boosted: Fitted, tmp_path: Path) -> None:
    python = python_of("shap", within=PEER.parents[1])
    if python is None:
        pytest.skip("the packages of the peer cannot be had")
    names, inputs = boosted.model.signature.names, boosted.inputs(EXPLAINED)
    (tmp_path / "model.onnx").write_bytes(boosted.onnx)
    (tmp_path / "names.json").write_text(json.dumps(names))
    np.savez(tmp_path / "given.npz", rows=matrix(inputs), background=matrix(boosted.compared()))
    subprocess.run([python, PEER, tmp_path], check=True)
    theirs = np.load(tmp_path / "found.npz")
    ours = explain(boosted.model, inputs, boosted.background)
    assert len(ours) == EXPLAINED
    for number, one in enumerate(ours):
        found = [one["contributions"][name] for name in names]
        assert one["method"] == "exact"
        assert np.abs(theirs["values"][number]).max() > 0.05
        assert found == pytest.approx(theirs["values"][number], abs=1e-6)
        assert one["base"] == pytest.approx(theirs["base"][number], abs=1e-6)


def test_sampled_explanations_are_near_the_exact_ones(boosted: Fitted) -> None:
    inputs = boosted.inputs(1)
    [exact] = explain(boosted.model, inputs, boosted.background)

    def score(columns: Any) -> Any:
        return boosted.model.run({name: one.reshape(-1, 1) for name, one in columns.items()})

    sampled = sampled_values(score, flat(inputs), flat(boosted.compared()), 6)
    assert sampled.errors is not None
    assert len(exact["contributions"]) == FIELDS
    for name, value in exact["contributions"].items():
        error = sampled.errors[input_name(name)]
        assert abs(sampled.values[input_name(name)] - value) < 4 * error + 1e-6
        assert error < 0.02


@pytest.mark.parametrize(
    ("task", "classes", "metric", "candidate"),
    [("multiclass", 3, "accuracy", "random_forest"), ("regression", 0, "rmse", "ridge")],
)
def test_columns_of_all_kinds_are_explained(
    task: str, classes: int, metric: str, candidate: str
) -> None:
    made = fitted(mixed(400, classes), task, metric, candidate)
    found = explain(made.model, made.inputs(2), made.background)
    assert len(found) == 2
    for one in found:
        total = one["base"] + sum(one["contributions"].values())
        assert total == pytest.approx(one["score"], rel=1e-5, abs=1e-5)
        assert set(one["contributions"]) == set(made.model.signature.names)
        sizes = np.abs([*one["contributions"].values()])
        assert (np.diff(sizes) <= 0).all()


def test_long_prose_is_explained_by_fewer_answers() -> None:
    """GIVEN a letter of long words THEN it is explained from samples, in seconds."""
    rows = planted("a keyword", 600)
    made = solved(rows, plan_with(rows, "text"), "logistic_regression")[1]
    model, found = OnnxModel(made.onnx, made.signature), []
    for more in ("please", " ".join(f"{'pleasantly' * 9}{n}" for n in range(900))):
        data = {name: rows.data[name][:1] for name in model.signature.names}
        data["note"] = np.array([f"refund {more}"])
        found += explain(model, model.inputs(data), BackgroundRows.of(rows.training))
    assert [one["method"] for one in found] == ["exact", "sampled"]
    assert set(found[1]["standard_errors"]) == set(found[1]["contributions"])
    assert next(iter(found[0]["contributions"])) == "note"
    assert found[0]["contributions"]["note"] > 0


def test_more_rows_than_are_explained_are_refused(boosted: Fitted) -> None:
    with pytest.raises(RequestError, match="6 given to explain; send at most 5"):
        explain(boosted.model, boosted.inputs(6), boosted.background)
