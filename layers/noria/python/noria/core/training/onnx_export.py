"""A trained pipeline written as one ONNX graph that takes raw request fields.

Inputs: `field:NAME` per raw column, shape (n, 1): number float32 (double where the column needs
it), category and text string, timestamp int64.
Output `score`: P(positive) (n,), class probabilities (n, k), or the value (n,) as double.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx.checker
import onnx.compose
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.pipeline import Pipeline

from noria.core.data.dataset import Column, Kind
from noria.core.model.calibration import SMALLEST, Calibration
from noria.core.model.signature import input_name
from noria.core.training.onnx_operations import OnnxOperations

#: 20 is the first with StringSplit; onnxruntime's own domain has the hash of texts.
OPSETS = {"": 20, "ai.onnx.ml": 3}
RUNTIME_OPSETS = {"com.microsoft": 1}
IR_VERSION = 9
#: Sums of many large terms that nearly cancel out: in single precision they are off by 1e-3.
IN_DOUBLES = (GaussianProcessRegressor,)
TYPES: dict[Kind, int] = {
    "number": TensorProto.FLOAT,
    "category": TensorProto.STRING,
    "timestamp": TensorProto.INT64,
    "text": TensorProto.STRING,
}


def to_onnx(pipeline: Pipeline, columns: Sequence[Column], classes: int = 0) -> bytes:
    """Write a fitted pipeline (`features`, `model`) as a checked ONNX model.

    `classes` is the number of classes of the target, 0 for regression; classes that the training
    rows did not have get probability 0.
    """
    inputs = pipeline.named_steps["features"].inputs(columns)
    return blend_to_onnx([(1.0, pipeline)], columns, inputs, classes)


def blend_to_onnx(
    parts: Sequence[tuple[float, Pipeline]],
    columns: Sequence[Column],
    inputs: Sequence[Column],
    classes: int,
    calibration: Calibration | None = None,
) -> bytes:
    """Write the weighted mean of fitted pipelines as one checked ONNX model with these inputs.

    Its probabilities are corrected by the `calibration`.
    """
    operations = OnnxOperations([one.name for one in columns if one.double])
    kind = np.float32 if classes else np.float64
    blended = ""
    for number, (weight, pipeline) in enumerate(parts):
        score = _score(operations, pipeline, classes, f"model{number or ''}")
        if len(parts) > 1:
            score = operations.multiply(score, operations.constant(np.array(weight, dtype=kind)))
        blended = operations.add(blended, score) if blended else score
    if calibration is not None:
        blended = _corrected(operations, calibration, blended)
    return assemble(operations, inputs, blended, classes)


def _corrected(operations: OnnxOperations, calibration: Calibration, score: str) -> str:
    """Record what `Calibration.apply` computes."""
    if calibration.method == "isotonic":
        return _interpolated(operations, calibration, score)
    clipped = operations.clip(score, SMALLEST, 1 - SMALLEST)
    logs = operations.node("Log", clipped)
    slope = operations.constant(np.array(calibration.slope, dtype=np.float32))
    if calibration.method == "temperature":
        return operations.node("Softmax", operations.multiply(logs, slope), axis=1)
    one = operations.constant(np.array(1, dtype=np.float32))
    others = operations.node("Log", operations.subtract(one, clipped))
    odds = operations.multiply(operations.subtract(logs, others), slope)
    moved = operations.constant(np.array(calibration.intercept, dtype=np.float32))
    return operations.node("Sigmoid", operations.add(odds, moved))


def _interpolated(operations: OnnxOperations, calibration: Calibration, score: str) -> str:
    """The first height, and each straight piece as far as the score has come along it."""
    knots, heights = (np.array(one) for one in (calibration.knots, calibration.heights))
    steep = np.diff(heights) / np.diff(knots)
    tables = (knots[:-1].reshape(1, -1), np.diff(knots).reshape(1, -1), steep.reshape(-1, 1))
    starts, widths, slopes = (operations.constant(one.astype(np.float32)) for one in tables)
    column = operations.node(
        "Reshape", score, operations.constant(np.array([-1, 1], dtype=np.int64))
    )
    zero = operations.constant(np.array(0, dtype=np.float32))
    along = operations.node("Max", operations.subtract(column, starts), zero)
    risen = operations.node("MatMul", operations.node("Min", along, widths), slopes)
    first = operations.constant(np.array(heights[0], dtype=np.float32))
    flat = operations.constant(np.array([-1], dtype=np.int64))
    return operations.node("Reshape", operations.add(risen, first), flat)


def _score(operations: OnnxOperations, pipeline: Pipeline, classes: int, name: str) -> str:
    """Record a pipeline's features and its estimator, whose nodes have names below `name`."""
    encoder, estimator = pipeline.named_steps["features"], pipeline.named_steps["model"]
    features, wide = encoder.to_onnx(operations), len(encoder.get_feature_names_out())
    if classes:
        return _classify(operations, estimator, features, wide, classes, name)
    return _regress(operations, estimator, features, wide, name)


def _classify(
    operations: OnnxOperations, estimator: Any, features: str, wide: int, classes: int, name: str
) -> str:
    """Append a classifier; binary models answer with the positive column only."""
    options = {id(estimator): {"zipmap": False}}
    probabilities = _append(operations, estimator, features, wide, 1, options, name)
    if classes == 2:
        one = operations.constant(np.array(1, dtype=np.int64))
        return operations.node("Gather", probabilities, one, axis=1)
    spread = np.zeros((len(estimator.classes_), classes), dtype=np.float32)
    spread[np.arange(len(estimator.classes_)), estimator.classes_] = 1
    return operations.node("MatMul", probabilities, operations.constant(spread))


def _regress(
    operations: OnnxOperations, estimator: Any, features: str, wide: int, name: str
) -> str:
    """Append a regressor that was trained on a scaled target, or on the logarithm of one."""
    values = _append(operations, estimator.regressor_, features, wide, 0, {}, name)
    flat = operations.node("Reshape", values, operations.constant(np.array([-1], dtype=np.int64)))
    exact = operations.node("Cast", flat, to=TensorProto.DOUBLE)
    if getattr(estimator.regressor_, "loss", "") == "poisson":
        exact = operations.node("Exp", exact)  # skl2onnx leaves the logarithms that were summed
    steps = getattr(estimator.transformer_, "named_steps", {})
    scaler = steps.get("standardscaler", estimator.transformer_)
    scaled = operations.multiply(exact, operations.constant(scaler.scale_.astype(np.float64)))
    if scaler.with_mean:
        scaled = operations.add(scaled, operations.constant(scaler.mean_.astype(np.float64)))
    if not steps:
        return scaled
    one = operations.constant(np.array(1.0, dtype=np.float64))
    return operations.subtract(operations.node("Exp", scaled), one)


def _append(
    operations: OnnxOperations,
    estimator: Any,
    features: str,
    wide: int,
    output: int,
    options: dict[int, dict[str, bool]],
    name: str,
) -> str:
    """Convert the estimator and put its nodes behind ours; return the name of one output."""
    exact = isinstance(estimator, IN_DOUBLES)
    with warnings.catch_warnings():
        # skl2onnx 1.20 writes booleans into integer attributes, which protobuf 6 deprecates, and
        # reads attributes of SVC that scikit-learn 1.11 will not have.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        kind = DoubleTensorType if exact else FloatTensorType
        converted = convert_sklearn(
            estimator,
            initial_types=[("features", kind([None, wide]))],
            target_opset=OPSETS,
            options=options,
        )
    graph = onnx.compose.add_prefix(converted, f"{name}/").graph
    given = operations.node("Cast", features, to=TensorProto.DOUBLE) if exact else features
    operations.nodes.append(helper.make_node("Identity", [given], [f"{name}/features"]))
    operations.nodes.extend(graph.node)
    operations.initializers.extend(graph.initializer)
    return str(graph.output[output].name)


def assemble(
    operations: OnnxOperations, columns: Sequence[Column], score: str, classes: int
) -> bytes:
    """Write recorded nodes as a checked model whose output `score` is the tensor of that name.

    It is float32 where there are `classes`, else double; shape (n,), with many classes (n, k).
    """
    operations.nodes.append(helper.make_node("Identity", [score], ["score"]))
    inputs = [
        helper.make_tensor_value_info(
            input_name(column.name),
            TensorProto.DOUBLE if column.double else TYPES[column.kind],
            [None, 1],
        )
        for column in columns
    ]
    kind = TensorProto.FLOAT if classes else TensorProto.DOUBLE
    shape = [None, classes] if classes > 2 else [None]
    graph = helper.make_graph(
        operations.nodes,
        "noria",
        inputs,
        [helper.make_tensor_value_info("score", kind, shape)],
        operations.initializers,
    )
    domains = {node.domain for node in operations.nodes}
    asked = OPSETS | {k: v for k, v in RUNTIME_OPSETS.items() if k in domains}
    opsets = [helper.make_opsetid(domain, version) for domain, version in asked.items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
