"""The contract's closed expression grammar: parsed to a tree of our own, never run as Python.

Grammar: columns (in "double quotes" where the name is no plain word), numbers, 'strings',
true/false, arithmetic (+ - * / %), comparisons (chained too), ``in [..]``, and/or/not,
parentheses, and the time functions of `FUNCTIONS`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from noria.common.expression_evaluation import ARITHMETIC, COMPARISONS, FUNCTIONS, evaluate
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
            return evaluate(self.tree, columns)
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
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
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
        elif type(op) in COMPARISONS:
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
