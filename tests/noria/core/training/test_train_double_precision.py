"""Numbers that float32 does not tell apart are learnt and served as doubles, others as float32."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from noria.core.data.dataset import Column, Dataset
from noria.core.data.precision import needs_double
from noria.core.features.plan import make_plan
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from noria.core.statistics import metrics
from noria.core.training.fitted_model import Member
from noria.core.training.train import Trained, train
from noria.errors import RequestError
from tests.support.model_data import problem

ROWS = 1_500
TREES = ("hist_gradient_boosting", "extra_trees", "random_forest")


def drawn(name: str, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return {
        "a counter beyond 24 bits": lambda: generator.integers(16_777_215, 16_777_219, ROWS) * 1.0,
        "epochs in milliseconds of one minute": lambda: (
            1_700_000_000_000.0 + generator.integers(0, 60_000, ROWS)
        ),
        "identifiers as numbers": lambda: 9_007_199_254_730_000.0 + np.arange(ROWS)[::-1],
        "amounts with cents": lambda: 25_000_000 + generator.integers(0, 400, ROWS) / 100,
        "small differences on a large offset": lambda: -1e9 + generator.normal(size=ROWS) / 50,
        "beyond the range of float32": lambda: 10.0 ** generator.integers(30, 60, ROWS),
    }[name]()


EVERY = (
    "a counter beyond 24 bits",
    "epochs in milliseconds of one minute",
    "identifiers as numbers",
    "amounts with cents",
    "small differences on a large offset",
    "beyond the range of float32",
)


def table(values: np.ndarray, target: np.ndarray, classes: tuple[str, ...]) -> Dataset:
    generator = np.random.default_rng(5)
    values = values.copy()
    values[::50] = np.nan
    return Dataset(
        (
            Column("value", "number", double=needs_double(values)),
            Column("noise", "number"),
            Column("kind", "category"),
        ),
        {
            "value": values,
            "noise": generator.normal(size=ROWS),
            "kind": generator.choice(["a", "b"], ROWS),
        },
        target,
        classes,
        np.arange(ROWS) % 5 == 0,
    )


def split(values: np.ndarray) -> Dataset:
    """Whether a value is at least the median, which only double precision tells."""
    above = (values >= np.sort(values)[ROWS // 2]).astype(int)
    return table(values, above, ("no", "yes"))


def served(trained: Trained, dataset: Dataset) -> np.ndarray:
    return OnnxModel(trained.onnx, trained.signature).score(dataset.holdout_rows.data)


def input_types(artifact: bytes) -> dict[str, int]:
    inputs = onnx.load_from_string(artifact).graph.input
    return {one.name: one.type.tensor_type.elem_type for one in inputs}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("candidate", [*TREES, "logistic_regression"])
def test_a_threshold_that_float32_cannot_hold_is_learnt_and_served(
    name: str, candidate: str
) -> None:
    dataset = split(drawn(name))
    assert dataset.data["value"].dtype == np.float64
    plan = make_plan(dataset, problem(), 1)
    trained = train(dataset, [Member(plan, candidate)], problem(), 0)
    found = served(trained, dataset)
    assert np.abs(found - trained.holdout_scores).max() < 2e-6
    known = ~np.isnan(dataset.holdout_rows.data["value"])
    right = metrics.labels(found)[known] == dataset.holdout_rows.target[known]
    if candidate in TREES:
        assert right.mean() > 0.985
    elif name != "beyond the range of float32":  # no weighted sum tells those apart
        assert right.mean() > 0.8
    assert input_types(trained.onnx)["field:value"] == TensorProto.DOUBLE


@pytest.mark.parametrize("iteration", [0, 2])
def test_a_request_is_told_apart_as_a_training_row_was(iteration: int) -> None:
    dataset = split(drawn("a counter beyond 24 bits"))
    plan = make_plan(dataset, problem(), iteration)
    trained = train(dataset, [Member(plan, "hist_gradient_boosting")], problem(), 0)
    signature = Signature.model_validate_json(trained.signature.model_dump_json())
    model = OnnxModel(trained.onnx, signature)
    low, high = np.sort(dataset.data["value"])[[ROWS // 2 - 500, ROWS // 2]]
    assert (low, high) != (np.float32(low), np.float32(low))
    answers = model.predict([{"value": 16_777_216}, {"value": 16_777_217}, {"value": 1e300}])
    assert [one["prediction"] for one in answers] == ["no", "yes", "yes"]
    with pytest.raises(RequestError, match="64-bit"):
        model.predict([{"value": 10**400}])
    assert signature.example["value"] == dataset.training.data["value"][-1]


def test_an_ordinary_table_is_served_in_float32() -> None:
    generator = np.random.default_rng(0)
    ordinary = {
        "money": np.round(generator.gamma(2, 500, ROWS), 2),
        "continuous": generator.normal(size=ROWS),
        "whole": generator.integers(-(10**6), 10**6, ROWS),
        "computed twice": np.where(generator.random(ROWS) < 0.5, 0.1 + 0.2, 0.3),
        "large and far apart": generator.integers(0, 2**53, ROWS),
        "empty": np.full(ROWS, np.nan),
    }
    assert {name: needs_double(values * 1.0) for name, values in ordinary.items()} == dict.fromkeys(
        ordinary, False
    )
    dataset = split(ordinary["continuous"])
    trained = train(
        dataset, [Member(make_plan(dataset, problem(), 1), "extra_trees")], problem(), 0
    )
    assert TensorProto.DOUBLE not in input_types(trained.onnx).values()
    kinds = {n.op_type for n in onnx.load_from_string(trained.onnx).graph.node}
    assert "ReduceSum" not in kinds


def test_numbers_are_predicted_from_and_as_doubles() -> None:
    values = drawn("epochs in milliseconds of one minute")
    target = values + 1e12
    dataset = table(values, np.where(np.isnan(values), target.mean(), target), ())
    asked = problem("regression", "rmse")
    for candidate in ("hist_gradient_boosting", "ridge"):
        trained = train(dataset, [Member(make_plan(dataset, asked, 0), candidate)], asked, 0)
        found = served(trained, dataset)
        assert np.abs(found - trained.holdout_scores).max() < 1e-4 * target.std()
        known = ~np.isnan(dataset.holdout_rows.data["value"])
        assert metrics.score("r2", dataset.holdout_rows.target[known], found[known]) > 0.9


def test_a_target_beyond_float32_is_predicted() -> None:
    values = np.random.default_rng(0).normal(size=ROWS)
    dataset = table(values, (values + 5) * 1e40, ())
    asked = problem("regression", "r2")
    trained = train(dataset, [Member(make_plan(dataset, asked, 0), "ridge")], asked, 0)
    found = served(trained, dataset)
    assert found.max() > 4e40
    known = ~np.isnan(dataset.holdout_rows.data["value"])
    assert metrics.score("r2", dataset.holdout_rows.target[known], found[known]) > 0.9


def test_a_dataset_keeps_the_precision_of_its_columns() -> None:
    dataset = split(drawn("amounts with cents"))
    again = Dataset.from_bytes(dataset.to_bytes())
    assert again.columns == dataset.columns
    assert [one.double for one in again.columns] == [True, False, False]
    assert np.array_equal(again.data["value"], dataset.data["value"], equal_nan=True)
    assert again.data["noise"].dtype == np.float32
