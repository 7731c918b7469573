"""Which values of each column mean missing: all that the contract names are values."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from noria.common.expressions import Expression, parse
from noria.common.missing_marks import MissingMarks, marks_of
from noria.contracts import ColumnRule, Fill, Problem

#: Marks that people write too, as the name of a class; software writes the other ones.
WORDS = ("None", "NA")
POSSIBLE = (*WORDS, "N/A", "n/a", "NULL", "null")
FREQUENT = 0.05  # convention: of twenty rows one
CODE_LETTERS = 2  # upper case letters from which a text is a code such as NA, not a grade


def marks_for(name: str, problem: Problem) -> MissingMarks:
    """Return what means missing in a column of the contract's data."""
    rule = problem.quality.columns.get(name)
    return marks_of(rule.missing_values if rule else None, set(_named(name, problem)))


def _named(name: str, problem: Problem) -> Iterator[str]:
    """List the texts that the contract names as values of a column."""
    rule = problem.quality.columns.get(name)
    if rule is not None:
        yield from named_by_rule(rule)
    if name == problem.target.name and isinstance(problem.positive_class, str):
        yield problem.positive_class
    texts = [problem.target.expression, problem.baseline.rule, *problem.quality.checks]
    for text in filter(None, texts):
        yield from _compared_with(name, parse(text))


def named_by_rule(rule: ColumnRule) -> Iterator[str]:
    """List the texts that a column's rule names as its values."""
    yield from (value for value in rule.allowed or () if isinstance(value, str))
    for kept, others in rule.aliases.items():
        yield from (kept, *others)
    if isinstance(rule.missing, Fill) and isinstance(rule.missing.value, str):
        yield rule.missing.value


def _compared_with(name: str, expression: Expression) -> Iterator[str]:
    """List the texts that an expression compares a column with."""
    for node in ast.walk(expression._tree):
        if isinstance(node, ast.Compare):
            parts = list(ast.walk(node))
            if any(isinstance(part, ast.Name) and part.id == name for part in parts):
                yield from (
                    part.value
                    for part in parts
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )


def classes_among(marks: MissingMarks, counts: Mapping[Any, int], *, binary: bool) -> list[str]:
    """List the usual marks that are classes of a target whose tidy texts are counted.

    One is a class where it is frequent among others of its kind, such as None among Insomnia and
    Sleep Apnea, and where a binary target has one other class only.
    """
    others = {text: count for text, count in counts.items() if not marks.mean(text)}
    if not others or (binary and len(others) > 1):
        return []
    found = []
    for text in POSSIBLE:
        alike = text in WORDS and is_alike(text, others)
        if text not in counts or text in marks.given or not (alike or len(others) == 1):
            continue
        share = counts[text] / (counts[text] + sum(others.values()))
        if share >= FREQUENT or (len(others) > 1 and counts[text] >= min(others.values())):
            found.append(text)
    return found


def values_among(marks: MissingMarks, counts: Mapping[Any, int]) -> list[str]:
    """List the usual marks that look like values of a category: frequent, and of its kind."""
    others = {text: count for text, count in counts.items() if not marks.mean(text)}
    rows = sum(counts.values())
    return [
        text
        for text in POSSIBLE
        if counts.get(text, 0) >= FREQUENT * rows
        and marks.mean(text)
        and text not in marks.given
        and is_alike(text, others)
    ]


def with_values(marks: MissingMarks, texts: list[str]) -> MissingMarks:
    """Return the marks without those that are values."""
    return replace(marks, kept=marks.kept | set(texts)) if texts else marks


def is_alike(text: str, others: Mapping[str, int]) -> bool:
    """Whether at least half of the other texts are written as this one is."""
    style = _style(text)
    same = sum(_style(other) == style for other in others)
    return style is not None and same > 0 and 2 * same >= len(others)


def _style(text: str) -> str | None:
    """Tell words (Capital or lower) from codes (UPPER); None for anything else."""
    first = text.split()[0].strip(".,;:()-") if text.strip() else ""
    if not first.replace("-", "").isalpha():
        return None
    if first.isupper():
        return "code" if len(first) >= CODE_LETTERS else None
    return "Capital" if first[0].isupper() else "lower"
