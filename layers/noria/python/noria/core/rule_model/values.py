"""What the parts of a rule are, and what operators make of them."""

import ast
from dataclasses import dataclass
from typing import Literal

Meaning = Literal["number", "boolean", "text", "time", "span"]
WORDS: dict[Meaning, str] = {
    "number": "a number", "boolean": "true or false", "text": "a text", "time": "a time",
    "span": "a duration",
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A part of the rule: a tensor (n, 1), or a text that is written in the rule.

    Tensors are double (numbers; times and spans in seconds), bool or string; `number` is
    that of a tensor that is one for all rows.
    """

    meaning: Meaning
    tensor: str = ""
    text: str | None = None
    number: float | None = None


def of_times(op: ast.operator, left: Meaning, right: Meaning) -> Meaning | None:
    """What times and durations make of each other."""
    found: dict[tuple[type[ast.operator], Meaning, Meaning], Meaning] = {
        (ast.Sub, "time", "time"): "span",
        (ast.Sub, "time", "span"): "time",
        (ast.Add, "time", "span"): "time",
        (ast.Add, "span", "time"): "time",
        (ast.Add, "span", "span"): "span",
        (ast.Sub, "span", "span"): "span",
        (ast.Div, "span", "span"): "number",
    }
    return found.get((type(op), left, right))


def reads_columns(node: ast.expr) -> bool:
    """Whether a part of a rule names a column; the names of functions are none."""
    called = {id(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
    return any(isinstance(one, ast.Name) and id(one) not in called for one in ast.walk(node))
