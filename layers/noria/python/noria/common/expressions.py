"""The contract's closed expression grammar: parsed to a tree of our own, never run as Python.

Grammar: columns (in "double quotes" where the name is no plain word), numbers, 'strings',
true/false, arithmetic (+ - * / %), comparisons (chained too), ``in [..]``, and/or/not,
parentheses, and the time functions of `FUNCTIONS`.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, NoReturn

from noria.common.expression_text import (
    Prepared,
    could_be_header,
    prepare,
    quoted,
    with_quotes,
)
from noria.errors import ExpressionError

MAXIMUM_LENGTH = 2000  # a header may be a whole question
MAXIMUM_DEPTH = 30

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
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

_CALLED = frozenset(FUNCTIONS)
HOW_TO_QUOTE = "a column whose name is no plain word goes in double quotes"


@dataclass(frozen=True)
class Expression:
    """A parsed expression: the columns it reads and how to evaluate it.

    Every name in `tree` is a column's, but for those of functions that are called.
    """

    text: str
    columns: frozenset[str]
    tree: ast.expr

    def evaluate(self, columns: Mapping[str, Any]) -> Any:
        """Evaluate over scalars, numpy arrays or pandas Series of one length.

        Raises `ExpressionError` when a column is missing or its type does not fit.
        """
        missing = sorted(self.columns - set(columns))
        if missing:
            raise ExpressionError(
                f"expression '{self.text}' reads column '{missing[0]}', which does not exist; "
                f"the columns are {', '.join(sorted(map(str, columns)))}"
            )
        try:
            return _evaluate(self.tree, columns)
        except (TypeError, ValueError, ArithmeticError, NotImplementedError) as error:
            raise ExpressionError(
                f"expression '{self.text}' cannot be evaluated: {error}; "
                "compare columns with values of their own type"
            ) from error


def parse(text: str) -> Expression:
    """Parse `text`; raises `ExpressionError` that names the part outside the grammar."""
    try:
        return _parsed(text)
    except _UnreadableError as error:
        meant = with_quotes(text, _is_readable)
        hint = f": did you mean '{meant}'?" if meant else ', as in "Order Date" > 15'
        raise ExpressionError(f"{error}; {HOW_TO_QUOTE}{hint}") from error


def parse_field(text: str) -> Expression:
    """Parse the whole text of a field; one that can only be a column's name is that column."""
    try:
        return parse(text)
    except ExpressionError:
        if len(text) > MAXIMUM_LENGTH or not could_be_header(text):
            raise
        return parse(quoted(text.strip()))


class _UnreadableError(ExpressionError):
    """A text that is no expression, which quotes may make one."""


def _is_readable(text: str) -> bool:
    try:
        _parsed(text)
    except ExpressionError:
        return False
    return True


def _parsed(text: str) -> Expression:
    if len(text) > MAXIMUM_LENGTH:
        raise ExpressionError(f"expression of {len(text)} characters; at most {MAXIMUM_LENGTH}")
    try:
        prepared = prepare(text, _CALLED)
        tree = ast.parse(prepared.text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _UnreadableError(
            f"expression '{text}' is not well formed; write for example 'arr_delay > 15'"
        ) from error
    _check(tree, _Source(text, prepared), 0)
    prepared.restore(tree)
    return Expression(text.strip(), frozenset(prepared.columns), tree)


@dataclass(frozen=True)
class _Source:
    """An expression as it was written, and as Python's parser took it."""

    text: str
    prepared: Prepared


def _refuse(node: ast.AST, source: _Source) -> NoReturn:
    raise _UnreadableError(
        f"'{source.prepared.part(node)}' in expression '{source.text}' is outside the grammar; "
        "allowed are columns, numbers, strings, + - * / %, comparisons, in [...], and/or/not and "
        f"{', '.join(FUNCTIONS)}(...)"
    )


def _check(node: ast.expr, source: _Source, depth: int) -> None:
    """Walk the tree and refuse whatever is not in the grammar."""
    if depth > MAXIMUM_DEPTH:
        raise ExpressionError(
            f"expression '{source.text}' is nested deeper than {MAXIMUM_DEPTH} levels"
        )
    for child in _children(node, source):
        _check(child, source, depth + 1)


def _children(node: ast.expr, source: _Source) -> list[ast.expr]:
    match node:
        case ast.Name() | ast.Constant(value=bool() | int() | float() | str()):
            return []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return [left, right]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
            return [operand]
        case ast.BoolOp(values=values):
            return values
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return [left, *_compared(ops, comparators, source)]
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return [argument]
    _refuse(node, source)


def _compared(ops: list[ast.cmpop], comparators: list[ast.expr], source: _Source) -> list[ast.expr]:
    children: list[ast.expr] = []
    for op, comparator in zip(ops, comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn) and isinstance(comparator, ast.List):
            if len(ops) > 1 or not comparator.elts or not all(map(_is_value, comparator.elts)):
                _refuse(comparator, source)
        elif type(op) in _COMPARE:
            children.append(comparator)
        else:
            _refuse(comparator, source)
    return children


def _is_value(item: ast.expr) -> bool:
    """Whether a list's item is a number, a string, true or false."""
    match item:
        case ast.Constant(value=bool() | int() | float() | str()):
            return True
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            return True
    return False


def _evaluate(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return columns[name]
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, _evaluate(left, columns), _evaluate(right, columns))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _not(_as_boolean(_evaluate(operand, columns)))
        case ast.UnaryOp(op=op, operand=operand):
            value = _evaluate(operand, columns)
            return -value if isinstance(op, ast.USub) else value
        case ast.BoolOp(op=op, values=values):
            join = operator.and_ if isinstance(op, ast.And) else operator.or_
            return reduce(join, (_as_boolean(_evaluate(value, columns)) for value in values))
        case ast.Compare():
            return _evaluate_comparison(node, columns)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return FUNCTIONS[name](_evaluate(argument, columns))
    raise ExpressionError(f"'{ast.dump(node)}' is outside the grammar")


def _evaluate_comparison(node: ast.Compare, columns: Mapping[str, Any]) -> Any:
    left, results = _evaluate(node.left, columns), []
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn) and isinstance(comparator, ast.List):
            results.append(_membership(left, op, comparator))
            continue
        right = _evaluate(comparator, columns)
        results.append(_COMPARE[type(op)](left, right))
        left = right
    return reduce(operator.and_, results)


def _membership(left: Any, op: ast.In | ast.NotIn, items: ast.List) -> Any:
    values = [_evaluate(item, {}) for item in items.elts]
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
    return _BINARY[type(op)](left, _duration_for(left, right))


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
