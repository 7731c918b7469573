"""The operations of feature recipes, recorded as nodes of an ONNX graph."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from noria.common.arrays import Array
from noria.core.model.signature import input_name


class OnnxOperations:
    """Record operations as nodes; a value is the name of a tensor.

    `doubles` names the inputs in double precision.
    """

    def __init__(self, doubles: Collection[str] = ()) -> None:
        self.doubles = frozenset(doubles)
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._constants: dict[tuple[bytes, str, tuple[int, ...]], str] = {}

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, list(inputs), [output], domain=domain, **attributes)
        )
        return output

    def column(self, name: str) -> str:
        if name not in self.doubles:
            return input_name(name)
        single = self.to_float(input_name(name))
        missing = self.constant(np.array(np.nan, dtype=np.float32))
        return self.where(self.node("IsInf", single), missing, single)

    def exact(self, name: str) -> str:
        return input_name(name)

    def constant(self, values: Array) -> str:
        key = (values.tobytes(), values.dtype.str, values.shape)
        if key not in self._constants:
            self._constants[key] = f"constant_{len(self._constants)}"
            tensor = numpy_helper.from_array(values.copy(order="C"), self._constants[key])
            self.initializers.append(tensor)
        return self._constants[key]

    def lookup(self, category: str, table: Mapping[str, float], default: float) -> str:
        entries = table or {"": default}
        return self.node(
            "LabelEncoder",
            category,
            domain="ai.onnx.ml",
            keys_strings=list(entries),
            values_floats=[float(np.float32(value)) for value in entries.values()],
            default_float=float(np.float32(default)),
        )

    def hashed_words(self, text: str) -> str:
        """MurmurHash3 of each word; the padding's empty texts hash to 0."""
        words = f"stringsplit_{len(self.nodes)}"
        counts = f"{words}_counts"
        split = helper.make_node("StringSplit", [text], [words, counts], delimiter=" ")
        self.nodes.append(split)
        hashes = self.node("MurmurHash3", words, domain="com.microsoft", positive=1, seed=0)
        middle = self.constant(np.array([1], dtype=np.int64))
        found = self.node("Squeeze", self.to_integer(hashes), middle)
        return self.concatenate([found, self.to_integer(self.lookup(text, {}, 0.0))])

    def tally(self, positions: str, width: int) -> str:
        """Add 1 per position to a row of zeros."""
        ones = self.to_float(self.equal(positions, positions))
        first = self.take(self.subtract(ones, ones), np.zeros(1))
        zeros = self.add(first, self.constant(np.zeros((1, width), dtype=np.float32)))
        return self.node("ScatterElements", zeros, positions, ones, axis=1, reduction="add")

    def from_column(self, one: str, start: int) -> str:
        limits = [np.array([limit], dtype=np.int64) for limit in (start, np.iinfo(np.int64).max, 1)]
        return self.node("Slice", one, *map(self.constant, limits))

    def gather(self, table: Array, positions: str) -> str:
        return self.node("Gather", self.constant(table), positions, axis=0)

    def add(self, one: str, other: str) -> str:
        return self.node("Add", one, other)

    def subtract(self, one: str, other: str) -> str:
        return self.node("Sub", one, other)

    def multiply(self, one: str, other: str) -> str:
        return self.node("Mul", one, other)

    def divide(self, one: str, other: str) -> str:
        return self.node("Div", one, other)

    def modulo(self, one: str, other: str) -> str:
        return self.node("Mod", one, other)

    def equal(self, one: str, other: str) -> str:
        return self.node("Equal", one, other)

    def greater(self, one: str, other: str) -> str:
        return self.node("Greater", one, other)

    def either(self, one: str, other: str) -> str:
        return self.node("Or", one, other)

    def both(self, one: str, other: str) -> str:
        return self.node("And", one, other)

    def is_nan(self, one: str) -> str:
        return self.node("IsNaN", one)

    def absolute(self, one: str) -> str:
        return self.node("Abs", one)

    def where(self, condition: str, yes: str, no: str) -> str:
        return self.node("Where", condition, yes, no)

    def clip(self, one: str, lowest: float, highest: float) -> str:
        limits = [self.constant(np.array(limit, dtype=np.float32)) for limit in (lowest, highest)]
        return self.node("Clip", one, *limits)

    def take(self, one: str, columns: Array) -> str:
        return self.node("Gather", one, self.constant(columns.astype(np.int64)), axis=1)

    def row_sums(self, one: str) -> str:
        axes = self.constant(np.array([1], dtype=np.int64))
        return self.node("ReduceSum", one, axes, keepdims=1)

    def to_float(self, one: str) -> str:
        return self.node("Cast", one, to=TensorProto.FLOAT)

    def to_integer(self, one: str) -> str:
        return self.node("Cast", one, to=TensorProto.INT64)

    def concatenate(self, columns: Sequence[str]) -> str:
        return columns[0] if len(columns) == 1 else self.node("Concat", *columns, axis=1)
