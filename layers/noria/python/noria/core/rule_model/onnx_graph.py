"""A rule of the closed grammar as ONNX nodes, with the meaning that `Expression.evaluate` has.

Numbers are computed in double precision, as the analysis computes them with pandas. What has no
such meaning in a graph, such as the order of texts, is refused by name.
"""

import ast
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce

import numpy as np
from onnx import TensorProto

from noria.common.expressions import Expression, parse
from noria.core.data.dataset import Kind
from noria.core.rule_model.onnx_operations import RuleOperations
from noria.core.rule_model.values import WORDS, Value, of_times, reads_columns
from noria.errors import ExpressionError

UNITS = {"minutes": 60.0, "hours": 3600.0, "days": 86400.0}  # in seconds
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "Equal", ast.NotEq: "Equal", ast.Lt: "Less", ast.LtE: "LessOrEqual",
    ast.Gt: "Greater", ast.GtE: "GreaterOrEqual",
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div",
}  # fmt: skip


class RuleGraph:
    """Records a rule's nodes with `operations`, column by column of the given kinds.

    `decimals` says how many decimals a number column has: see `as_written`.
    """

    def __init__(
        self,
        rule: Expression,
        kinds: Mapping[str, Kind],
        decimals: Mapping[str, int],
        operations: RuleOperations,
    ) -> None:
        self._rule, self._kinds, self._decimals = rule, kinds, decimals
        self._on = operations
        self._columns: dict[str, Value] = {}

    def answer(self) -> Value:
        """Record the whole rule; raises ExpressionError that names what a graph cannot hold."""
        return self._value(ast.parse(self._rule.text, mode="eval").body)

    def number(self, value: Value) -> str:
        """Read a number or a boolean as a double."""
        if value.meaning == "number":
            return value.tensor
        if value.meaning != "boolean":
            raise self._refusal(f"{WORDS[value.meaning]} stands where a number is needed")
        return self._on.node("Cast", value.tensor, to=TensorProto.DOUBLE)

    def _value(self, node: ast.expr) -> Value:
        if not reads_columns(node):
            return self._constant(node)
        match node:
            case ast.Name(id=name):
                return self._column(name)
            case ast.BinOp(left=left, op=op, right=right):
                return self._arithmetic(op, self._value(left), self._value(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Value(
                    "boolean", self._on.node("Not", self._as_boolean(self._value(operand)))
                )
            case ast.UnaryOp(op=op, operand=operand):
                return self._signed(self._value(operand), negative=isinstance(op, ast.USub))
            case ast.BoolOp(op=op, values=values):
                join = self._on.both if isinstance(op, ast.And) else self._on.either
                return Value(
                    "boolean", reduce(join, (self._as_boolean(self._value(v)) for v in values))
                )
            case ast.Compare():
                return self._comparison(node)
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                return self._span(name, self._value(argument))
        raise self._refusal("a part of it is outside the grammar")

    def _constant(self, node: ast.expr) -> Value:
        """Compute what reads no column now, by the grammar's own rules."""
        found = parse(ast.unparse(node)).evaluate({})
        if isinstance(found, bool):
            return Value("boolean", self._on.constant(np.array(found)), number=float(found))
        if isinstance(found, str):
            return Value("text", text=found)
        if isinstance(found, timedelta):
            return Value("span", self._on.double(found.total_seconds()))
        try:
            return Value("number", self._on.double(float(found)), number=float(found))
        except OverflowError as error:
            raise self._refusal("it has a number beyond double precision") from error

    def _column(self, name: str) -> Value:
        if name not in self._columns:
            self._columns[name] = self._read(name)
        return self._columns[name]

    def _read(self, name: str) -> Value:
        if self._kinds.get(name, "text") == "text":
            raise self._refusal(
                f"column {name!r} is no feature of the model's data (texts, identifiers and "
                "features.exclude are none), so that a request does not carry it"
            )
        if name in self._on.doubles:
            return Value("number", self._on.as_written(self._on.exact(name), 0))
        raw = self._on.column(name)
        if self._kinds[name] == "category":
            return Value("text", raw)
        if self._kinds[name] == "timestamp":
            return Value("time", self._on.node("Cast", raw, to=TensorProto.DOUBLE))
        return Value("number", self._on.as_written(raw, self._decimals.get(name, 0)))

    def _arithmetic(self, op: ast.operator, left: Value, right: Value) -> Value:
        meanings = {left.meaning, right.meaning}
        if meanings == {"boolean"}:
            # Two columns of booleans add by or and multiply by and.
            joins = {ast.Add: self._on.either, ast.Mult: self._on.both}
            if type(op) not in joins:
                raise self._refusal("truths can be combined by and, or and not, and counted by + 0")
            return Value("boolean", joins[type(op)](left.tensor, right.tensor))
        if meanings <= {"number", "boolean"}:
            one, other = self.number(left), self.number(right)
            if isinstance(op, ast.Mod):
                return Value("number", self._on.remainder(one, other))
            if isinstance(op, ast.Div) and left.number == 1:
                # ONNX Runtime fuses 1 / x * y to y / x, which is rounded once instead of twice.
                return Value("number", self._on.node("Reciprocal", other))
            return Value("number", self._on.node(ARITHMETIC[type(op)], one, other))
        result = of_times(op, left.meaning, right.meaning)
        if result is None:
            raise self._refusal(
                f"{WORDS[left.meaning]} and {WORDS[right.meaning]} are put together by an "
                "operator that only numbers have"
            )
        return Value(result, self._on.node(ARITHMETIC[type(op)], left.tensor, right.tensor))

    def _signed(self, value: Value, *, negative: bool) -> Value:
        if not negative:
            return value
        if value.meaning not in ("number", "span"):
            raise self._refusal(f"{WORDS[value.meaning]} has no negative")
        return Value(value.meaning, self._on.node("Neg", value.tensor))

    def _span(self, name: str, value: Value) -> Value:
        """A duration in whole seconds."""
        seconds = self._on.multiply(self.number(value), self._on.double(UNITS[name]))
        return Value("span", self._on.node("Round", seconds))

    def _as_boolean(self, value: Value) -> str:
        """Read a number as a boolean: neither 0 nor NaN."""
        if value.meaning == "boolean":
            return value.tensor
        if value.meaning != "number":
            raise self._refusal("and, or and not take true, false and numbers")
        zero = self._on.double(0.0)
        return self._on.either(
            self._on.node("Less", value.tensor, zero), self._on.node("Greater", value.tensor, zero)
        )

    def _comparison(self, node: ast.Compare) -> Value:
        left, found = self._value(node.left), []
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn) and isinstance(comparator, ast.List):
                found.append(self._member(left, op, [self._constant(v) for v in comparator.elts]))
                continue
            right = self._value(comparator)
            found.append(self._compared(op, left, right))
            left = right
        return Value("boolean", reduce(self._on.both, found))

    def _compared(self, op: ast.cmpop, left: Value, right: Value) -> str:
        if "text" in (left.meaning, right.meaning):
            return self._compared_texts(op, left, right)
        if left.meaning == right.meaning and left.meaning in ("time", "span"):
            one, other = left.tensor, right.tensor
        else:
            one, other = self.number(left), self.number(right)
        found = self._on.node(COMPARISONS[type(op)], one, other)
        return self._on.node("Not", found) if isinstance(op, ast.NotEq) else found

    def _compared_texts(self, op: ast.cmpop, left: Value, right: Value) -> str:
        for one, other, turned in ((left, right, False), (right, left, True)):
            if one.meaning == "time" and other.text is not None:
                moment = Value("time", self._on.double(self._moment(other.text)))
                return self._compared(op, *((moment, one) if turned else (one, moment)))
            if one.meaning == "text" and one.text is None and other.text is not None:
                if not isinstance(op, ast.Eq | ast.NotEq):
                    raise self._refusal("texts have no order that a request and the data share")
                found = self._on.is_one_of(one.tensor, [other.text])
                return self._on.node("Not", found) if isinstance(op, ast.NotEq) else found
        if left.meaning == right.meaning:
            raise self._refusal("two columns of texts cannot be compared in a graph")
        words = sorted((WORDS[left.meaning], WORDS[right.meaning]))
        raise self._refusal(f"{words[0]} is compared with {words[1]}")

    def _member(self, left: Value, op: ast.In | ast.NotIn, items: list[Value]) -> str:
        if any(item.meaning != left.meaning for item in items) or left.meaning == "time":
            raise self._refusal(
                f"a list does not hold {WORDS[left.meaning]} like what is looked for"
            )
        if left.meaning == "text":
            found = self._on.is_one_of(left.tensor, [item.text or "" for item in items])
        else:
            numbers = [self.number(item) for item in items]
            one = self.number(left)
            found = reduce(self._on.either, (self._on.equal(one, item) for item in numbers))
        return self._on.node("Not", found) if isinstance(op, ast.NotIn) else found

    def _moment(self, text: str) -> float:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            why = f"{text!r} is no ISO 8601 time such as 2013-01-31T17:00:00"
            raise self._refusal(why) from error
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def _refusal(self, why: str) -> ExpressionError:
        return ExpressionError(f"the rule {self._rule.text!r} cannot be served: {why}")
