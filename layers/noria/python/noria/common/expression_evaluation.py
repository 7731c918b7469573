"""Expressions over values: operators, comparisons and time functions, for scalars and columns."""

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from noria.errors import ExpressionError

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _duration(unit: str) -> Callable[[Any], Any]:
    """A function from a number, or a column of numbers, to a duration in `unit`."""

    def convert(value: Any) -> Any:
        if hasattr(value, "astype"):
            seconds = value * timedelta(**{unit: 1}).total_seconds()
            return seconds.round().astype("timedelta64[s]")
        return timedelta(**{unit: value})

    return convert


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "minutes": _duration("minutes"),
    "hours": _duration("hours"),
    "days": _duration("days"),
}


def evaluate(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    """Evaluate a checked tree over columns; what does not fit raises as Python and pandas do."""
    match node:
        case ast.Name(id=name):
            return columns[name]
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, evaluate(left, columns), evaluate(right, columns))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _not(_as_boolean(evaluate(operand, columns)))
        case ast.UnaryOp(op=op, operand=operand):
            value = evaluate(operand, columns)
            return -value if isinstance(op, ast.USub) else value
        case ast.BoolOp(op=op, values=values):
            join = operator.and_ if isinstance(op, ast.And) else operator.or_
            return reduce(join, (_as_boolean(evaluate(value, columns)) for value in values))
        case ast.Compare():
            return _evaluate_comparison(node, columns)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return FUNCTIONS[name](evaluate(argument, columns))
    raise ExpressionError(f"'{ast.dump(node)}' is outside the grammar")


def _evaluate_comparison(node: ast.Compare, columns: Mapping[str, Any]) -> Any:
    left, results = evaluate(node.left, columns), []
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn) and isinstance(comparator, ast.List):
            results.append(_membership(left, op, comparator))
            continue
        right = evaluate(comparator, columns)
        results.append(COMPARISONS[type(op)](left, right))
        left = right
    return reduce(operator.and_, results)


def _membership(left: Any, op: ast.In | ast.NotIn, items: ast.List) -> Any:
    values = [evaluate(item, {}) for item in items.elts]
    if hasattr(left, "isin"):
        member = left.isin(values)
    elif hasattr(left, "dtype"):  # numpy's own `in` asks about the whole array
        member = reduce(operator.or_, (left == value for value in values))
    else:
        member = left in values
    return _not(member) if isinstance(op, ast.NotIn) else member


def _arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    """Apply an operator; * and % would repeat and format text, without any bound."""
    if isinstance(op, ast.Mult | ast.Mod) and (_has_length(left) or _has_length(right)):
        raise TypeError("text cannot be multiplied or divided")
    if _is_time(left) != _is_time(right) and not (_is_duration(left) or _is_duration(right)):
        raise TypeError("to a time only durations such as minutes(5) can be added")
    return ARITHMETIC[type(op)](left, _duration_for(left, right))


def _is_time(value: Any) -> bool:
    return isinstance(value, datetime) or getattr(getattr(value, "dtype", None), "kind", "") == "M"


def _is_duration(value: Any) -> bool:
    return isinstance(value, timedelta) or getattr(getattr(value, "dtype", None), "kind", "") == "m"


def _has_length(value: Any) -> bool:
    """Whether a scalar, or any value of a column, is text or another sequence."""
    if not hasattr(value, "dtype"):
        return hasattr(value, "__len__")
    return value.dtype.kind in "USOT" and any(hasattr(item, "__len__") for item in value)


def _duration_for(left: Any, right: Any) -> Any:
    """Numpy adds its own durations to an array of times, and no others."""
    if isinstance(right, timedelta) and getattr(getattr(left, "dtype", None), "kind", "") == "M":
        return (left - left).dtype.type(right)
    return right


def _as_boolean(value: Any) -> Any:
    """Read numbers as booleans (not 0), so that and, or and not are never bitwise."""
    dtype = getattr(value, "dtype", None)
    kind = getattr(dtype, "kind", "")
    if isinstance(value, bool) or kind == "b":
        # A column of strings compares to Arrow's booleans, which join with no others.
        return value.astype("boolean") if str(dtype) == "bool[pyarrow]" else value
    if isinstance(value, int | float) or (kind and kind in "iuf"):
        return (value < 0) | (value > 0)
    if str(dtype) == "object" and hasattr(value, "isin"):
        return value.astype("boolean")
    raise TypeError("and, or and not take true, false and numbers")


def _not(value: Any) -> Any:
    return not value if isinstance(value, bool) else ~value
