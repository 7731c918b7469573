"""Small real models for tests: ONNX graphs written by hand, with their signatures."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from noria.aws.model_registry import Champion, Registry
from noria.aws.s3 import Store
from noria.core.data.dataset import Column, Dataset
from noria.core.model.background_rows import BACKGROUND, BackgroundRows
from noria.core.model.signature import Field, Signature, input_name
from noria.core.statistics.drift import build_reference
from noria.lifecycle.environment import parse_time

BUCKET = "noria-test"
WEIGHT = 0.5
AS_OF = parse_time("2013-04-01T00:00:00Z")


def binary_signature() -> Signature:
    """A model of three columns: P(late) = sigmoid(0.5 * distance)."""
    return Signature(
        problem="flight-delays",
        statement="Will it be late? <b>",
        task="binary",
        target="late",
        classes=("False", "True"),
        label_type="bool",
        columns=(
            Field(name="distance", kind="number", minimum=-3, maximum=3),
            Field(name="carrier", kind="category", values=("AA", "UA")),
            Field(name="departure", kind="timestamp"),
        ),
        example={"distance": 1.5, "carrier": "AA", "departure": "2013-01-31T17:00:00Z"},
        metric="roc_auc",
        recipe="basic",
        candidate="logistic",
    )


def regression_signature() -> Signature:
    """The same columns; the value is distance squared, which can overflow."""
    given = binary_signature().model_dump()
    changes = {"task": "regression", "classes": (), "label_type": "str", "metric": "rmse"}
    return Signature.model_validate(given | changes)


def multiclass_signature() -> Signature:
    """The same columns; two probabilities and a third class that never wins."""
    given = binary_signature().model_dump()
    changes = {"task": "multiclass", "classes": ("a", "b", "c"), "metric": "accuracy"}
    return Signature.model_validate(given | changes | {"label_type": "str"})


def graph(signature: Signature) -> bytes:
    """Write the graph; the unused columns are inputs all the same."""
    element = {
        "number": TensorProto.FLOAT, "category": TensorProto.STRING,
        "text": TensorProto.STRING, "timestamp": TensorProto.INT64,
    }  # fmt: skip
    inputs = [
        helper.make_tensor_value_info(input_name(f.name), element[f.kind], [None, 1])
        for f in signature.columns
    ]
    x = input_name("distance")
    if signature.task == "regression":
        nodes = [helper.make_node("Mul", [x, x], ["wide"])]
    else:
        nodes = [
            helper.make_node("Mul", [x, "weight"], ["scaled"]),
            helper.make_node("Sigmoid", ["scaled"], ["wide"]),
        ]
    shape: list[int | None] = [None]
    if signature.task == "multiclass":
        shape = [None, 3]
        nodes += [
            helper.make_node("Sub", ["one", "wide"], ["rest"]),
            helper.make_node("Mul", ["wide", "zero"], ["none"]),
            helper.make_node("Concat", ["rest", "wide", "none"], ["score"], axis=1),
        ]
    else:
        nodes.append(helper.make_node("Reshape", ["wide", "flat"], ["score"]))
    constants = {
        "weight": np.array([[WEIGHT]], np.float32), "flat": np.array([-1], np.int64),
        "one": np.array([[1]], np.float32), "zero": np.array([[0]], np.float32),
    }  # fmt: skip
    used = {name for node in nodes for name in node.input}
    made = helper.make_graph(
        nodes, "tiny", inputs,
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(v, k) for k, v in constants.items() if k in used],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def training(rows: int = 2000, shift: float = 0.0, seed: int = 0) -> Dataset:
    """Rows whose distance is normal and whose carrier is one of two."""
    draw = np.random.default_rng(seed)
    distance = draw.normal(shift, 1, rows)
    return Dataset(
        columns=(
            Column("distance", "number"), Column("carrier", "category"),
            Column("departure", "timestamp"),
        ),
        data={
            "distance": distance,
            "carrier": draw.choice(["AA", "UA"], rows),
            "departure": np.arange(rows),
        },
        target=(draw.random(rows) < probability(distance)).astype(int),
        classes=("False", "True"),
        holdout=np.zeros(rows, bool),
    )  # fmt: skip


def probability(distance: np.ndarray) -> np.ndarray:
    """What the binary graph computes."""
    return 1 / (1 + np.exp(-WEIGHT * distance))


def write_model(store: Store, version: str, signature: Signature | None = None) -> None:
    """Store a version with every file that serving and monitoring read."""
    signature = signature or binary_signature()
    data = training()
    scores = probability(data.data["distance"].astype(float))
    if signature.task == "multiclass":
        scores = np.column_stack((1 - scores, scores, 0 * scores))
    if signature.task == "regression":
        scores = data.data["distance"].astype(float) ** 2
    reference = build_reference(data, scores, {"distance": 1.0})
    files = {
        "model.onnx": graph(signature),
        "signature.json": signature.model_dump_json().encode(),
        "reference.json": reference.model_dump_json().encode(),
        BACKGROUND: BackgroundRows.of(data).model_dump_json().encode(),
    }
    Registry(store).write_version(version, files)
    evaluation = {"metrics": {signature.metric: 0.75}}
    store.put(f"models/{version}/evaluation.json", json.dumps(evaluation).encode())


def make_champion(store: Store, version: str, metric: str = "roc_auc") -> None:
    """Point the registry to a version."""
    Registry(store).promote(
        Champion(
            version=version,
            run_id=version.rpartition("-")[0],
            as_of=AS_OF,
            function_version="1",
            metric=metric,
            metrics={metric: 0.75},
            training_rows=2000,
            promoted_at=AS_OF,
        )
    )
