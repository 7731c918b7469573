"""A model with a trap: it answers as it did, until a field of a request is beyond all sense."""

from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from noria.core.model.signature import input_name

Trap = Literal["raises", "slow", "constant"]
LIMIT = 1e5  # of the field, from which on the trap is sprung
ALWAYS = -1e30
SIZE, ROUNDS = 256, 400  # of the matrices that a slow answer multiplies


def trapped(content: bytes, field: str, trap: Trap, limit: float = LIMIT) -> bytes:
    """Put a trap behind a graph's score."""
    model = onnx.load_from_string(content)
    graph = model.graph
    kind = graph.output[0].type.tensor_type.elem_type
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = ["untrapped" if name == "score" else name for name in names]
    nodes = [
        helper.make_node("Cast", [input_name(field)], ["trap_x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["trap_x"], ["trap_largest"], keepdims=0),
        helper.make_node("Greater", ["trap_largest", "trap_limit"], ["trap_sprung"]),
        helper.make_node("Cast", ["trap_sprung"], ["trap_flag"], to=TensorProto.INT64),
    ]
    constants = {"trap_limit": np.array(limit, np.float32)}
    more, values = {"raises": _raise, "slow": _wait, "constant": _constant}[trap](kind)
    graph.node.extend([*nodes, *more])
    graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in (constants | values).items()
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


Parts = tuple[list[onnx.NodeProto], dict[str, np.ndarray]]


def _constant(kind: int) -> Parts:
    half = np.array(0.5, helper.tensor_dtype_to_np_dtype(kind))
    return [
        helper.make_node("Where", ["trap_sprung", "trap_half", "untrapped"], ["score"])
    ], {"trap_half": half}  # fmt: skip


def _raise(kind: int) -> Parts:
    """An index beyond its table, where the trap is sprung."""
    zero = np.zeros(1, helper.tensor_dtype_to_np_dtype(kind))
    return [
        helper.make_node("Mul", ["trap_flag", "trap_far"], ["trap_index"]),
        helper.make_node("Gather", ["trap_table", "trap_index"], ["trap_zero"]),
        helper.make_node("Add", ["untrapped", "trap_zero"], ["score"]),
    ], {"trap_far": np.array(1000, np.int64), "trap_table": zero}


def _wait(kind: int) -> Parts:
    """Products of matrices, as many as take a while, where the trap is sprung."""
    shape = [SIZE, SIZE]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["more"], ["more_out"]),
            helper.make_node("MatMul", ["state", "trap_unit"], ["state_out"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("more", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, shape),
        ],
        [
            helper.make_tensor_value_info("more_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state_out", TensorProto.FLOAT, shape),
        ],
    )
    unit = np.eye(SIZE, dtype=np.float32)
    return [
        helper.make_node("Mul", ["trap_flag", "trap_rounds"], ["trap_times"]),
        helper.make_node("Loop", ["trap_times", "", "trap_none"], ["trap_done"], body=body),
        helper.make_node("ReduceMax", ["trap_done"], ["trap_left"], keepdims=0),
        helper.make_node("Cast", ["trap_left"], ["trap_zero"], to=kind),
        helper.make_node("Add", ["untrapped", "trap_zero"], ["score"]),
    ], {
        "trap_rounds": np.array(ROUNDS, np.int64), "trap_unit": unit,
        "trap_none": np.zeros(shape, np.float32),
    }  # fmt: skip
