"""The target of a problem: a column or an expression, as class labels or as numbers."""

from typing import Any

import pandas as pd

from noria.contracts import Problem
from noria.core.expressions import Expression, parse
from noria.core.inference import (
    FALSE_TEXTS,
    TRUE_TEXTS,
    Typed,
    as_declared,
    cleaned_text,
    inferred,
)
from noria.errors import DataError

MAXIMUM_CLASSES = 100
CONTINUOUS_DISTINCT = 20  # more distinct fractional numbers than this are a quantity, no classes
SHOWN = 10


def target_columns(problem: Problem) -> frozenset[str]:
    """List the columns that the target is read or computed from."""
    expression = problem.target.expression
    return parse(expression).columns if expression else frozenset({problem.target.name})


def target_values(frame: pd.DataFrame, problem: Problem) -> pd.Series:
    """Compute the target: text labels for classes, float64 for regression; missing where unknown.

    Raises DataError when a regression target is not numeric.
    """
    expression = problem.target.expression
    raw = evaluated(parse(expression), frame) if expression else frame[problem.target.name]
    return _numeric_target(raw, problem) if problem.task == "regression" else labels_of(raw)


def evaluated(expression: Expression, frame: pd.DataFrame) -> pd.Series:
    """Evaluate an expression per row; missing where any of its columns is missing."""
    typed = {name: inferred(frame[name]) for name in expression.columns}
    inputs = {name: _as_input(column) for name, column in typed.items()}
    result = pd.Series(expression.evaluate(inputs), index=frame.index)
    unknown = pd.Series(False, index=frame.index)
    for column in typed.values():
        unknown |= column.values.isna()
    return result.astype("object").where(~unknown, None) if unknown.any() else result


def _as_input(column: Typed) -> pd.Series:
    """Hand booleans on as booleans; where they are missing the result is discarded anyway."""
    return column.values.fillna(0).astype(bool) if column.kind == "bool" else column.values


def labels_of(values: pd.Series) -> pd.Series:
    """Write class labels as text: `true`, `1` (not 1.0), or the text itself."""
    if values.dtype == object:
        values = values.infer_objects()
        present = values.dropna()
        if len(present) and present.map(lambda value: isinstance(value, bool)).all():
            values = values.astype("boolean")
    return cleaned_text(values)


def label_text(value: Any) -> str:
    """Write one label of the contract as `labels_of` writes those of the data."""
    return str(labels_of(pd.Series([value])).iloc[0])


def class_order(labels: pd.Series, problem: Problem) -> tuple[str, ...]:
    """Order the classes: (negative, positive) for binary, else by name, numbers by value.

    Raises DataError when the positive class is not among them.
    """
    classes = sorted(labels.dropna().unique().tolist(), key=_sort_key)
    if problem.task != "binary" or problem.positive_class is None:
        return tuple(classes)
    positive = matching_class(problem.positive_class, classes)
    if positive is None:
        raise DataError(
            f"positive_class {problem.positive_class!r} is not among the classes of "
            f"{problem.target.name!r}: {', '.join(classes[:SHOWN])}"
        )
    return (*(label for label in classes if label != positive), positive)


def _sort_key(label: str) -> tuple[int, float, str]:
    number = pd.to_numeric(label, errors="coerce")
    return (0, float(number), label) if pd.notna(number) else (1, 0.0, label)


def matching_class(wanted: Any, classes: list[str]) -> str | None:
    """Find the wanted class among the labels, or None.

    YAML reads a bare yes, on or true as a boolean, so a boolean also finds such a label.
    """
    text = label_text(wanted)
    if text in classes or not isinstance(wanted, bool):
        return text if text in classes else None
    alike = (TRUE_TEXTS if wanted else FALSE_TEXTS) | {str(int(wanted))}
    found = [label for label in classes if label.lower() in alike]
    return found[0] if len(found) == 1 else None


def _numeric_target(raw: pd.Series, problem: Problem) -> pd.Series:
    typed = as_declared(raw, "float")
    if typed.unreadable.any():
        example = raw[typed.unreadable].iloc[0]
        raise DataError(
            f"target {problem.target.name!r} is not numeric: {int(typed.unreadable.sum())} values "
            f"such as {example!r}. Clean them, or set task to binary or multiclass."
        )
    return typed.values.astype("float64")


def class_problems(labels: pd.Series, problem: Problem) -> list[str]:
    """Say why labels cannot be learnt as classes; empty when they can."""
    counts = labels.value_counts()
    name, task = problem.target.name, problem.task
    if len(counts) < 2:
        only = f"only class {counts.index[0]!r}" if len(counts) else "no known value"
        return [f"target {name!r} has {only}: a model needs rows of at least two classes"]
    numbers = pd.to_numeric(counts.index.to_series(), errors="coerce")
    if len(counts) > CONTINUOUS_DISTINCT and numbers.notna().all() and (numbers % 1 != 0).any():
        return [f"target {name!r} is continuous ({len(counts)} values): set task to regression"]
    if task == "binary" and len(counts) > 2:
        shown = ", ".join(str(label) for label in counts.index[:SHOWN])
        return [
            f"target {name!r} has {len(counts)} classes ({shown}) but task is binary: "
            "set task to multiclass, or give the target an expression"
        ]
    if len(counts) > MAXIMUM_CLASSES or len(counts) > len(labels) / 2:
        return [
            f"target {name!r} has {len(counts)} classes in {len(labels)} rows, at most "
            f"{MAXIMUM_CLASSES} and two rows each can be learnt: group them"
        ]
    return []
