"""The target of a problem: a column or an expression, as class labels or as numbers."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from noria.common.categories import tidy, without_case
from noria.common.expressions import Expression, parse
from noria.common.messages import cell_text
from noria.common.missing_marks import NO_MARKS
from noria.contracts import ColumnRule, Problem
from noria.core.column_types.cell_values import is_textual, missing_cells, without_marks
from noria.core.column_types.type_inference import (
    FALSE_TEXTS,
    TRUE_TEXTS,
    Typed,
    cleaned_text,
    declared_type,
    typed_column,
)
from noria.errors import DataError

SPAN = 'target: {name: days, expression: "(delivered - ordered) / days(1)"}'
SHOWN = 10
#: Nothing means missing in a column that was cleansed, but for what is.
CLEAN = ColumnRule(missing_values=[])


def target_columns(problem: Problem) -> frozenset[str]:
    """List the columns that the target is read or computed from."""
    expression = problem.target.expression
    return parse(expression).columns if expression else frozenset({problem.target.name})


def target_values(
    frame: pd.DataFrame, problem: Problem, typed_columns: Mapping[str, Typed] | None = None
) -> pd.Series:
    """Compute the target: text labels for classes, float64 for regression; missing where unknown.

    `typed_columns` are the frame's columns as their rules read them; without, the frame is a
    cleansed one.
    Raises DataError when a regression target is not numeric.
    """
    expression, columns = problem.target.expression, typed_columns or {}
    if expression:
        raw = evaluated(parse(expression), frame, columns)
    else:
        raw = _as_ruled(frame[problem.target.name], columns.get(problem.target.name), problem)
    return _numeric_target(raw, problem) if problem.task == "regression" else labels_of(raw)


def _as_ruled(raw: pd.Series, column: Typed | None, problem: Problem) -> pd.Series:
    """Take a target column as its rule reads it; labels of no rule only get one spelling each."""
    if column is None:
        return raw
    raw = without_marks(raw, column.marks.given)
    if is_textual(raw):
        raw = raw.mask(missing_cells(raw, column.marks), None)
    rule = problem.quality.columns.get(problem.target.name)
    if problem.task == "regression":
        return column.values if rule is not None and declared_type(rule) else raw
    if column.kind in ("category", "text"):
        return column.values
    if rule is None:
        return _one_spelling(raw)
    if column.kind == "bool" and rule.aliases:
        return column.values.map({1.0: True, 0.0: False}).astype("object")
    return _one_spelling(raw.mask(column.unreadable))


def _one_spelling(raw: pd.Series) -> pd.Series:
    """Merge labels such as Yes and yes, which are read as booleans and not as categories."""
    if pd.api.types.is_numeric_dtype(raw) or pd.api.types.is_bool_dtype(raw):
        return raw
    if raw.dtype == object and not raw.dropna().map(lambda value: isinstance(value, str)).all():
        return raw
    return typed_column(raw, CLEAN.model_copy(update={"type": "category"})).values


def evaluated(
    expression: Expression, frame: pd.DataFrame, typed_columns: Mapping[str, Typed] | None = None
) -> pd.Series:
    """Evaluate an expression per row; missing where any of its columns is missing."""
    known = typed_columns or {}
    columns = {
        name: known.get(name) or typed_column(frame[name], CLEAN) for name in expression.columns
    }
    inputs = {name: _as_input(column) for name, column in columns.items()}
    result = pd.Series(expression.evaluate(inputs), index=frame.index)
    unknown = pd.Series(False, index=frame.index)
    for column in columns.values():
        unknown |= column.values.isna()
    return result.astype("object").where(~unknown, None) if unknown.any() else result


def _as_input(column: Typed) -> pd.Series:
    """Hand booleans on as booleans; where they are missing the result is discarded anyway."""
    return column.values.fillna(0).astype(bool) if column.kind == "bool" else column.values


def labels_of(values: pd.Series) -> pd.Series:
    """Write class labels as text: `true`, `1` (not 1.0), or the text itself."""
    if values.dtype == object:
        values = values.infer_objects()
        if pd.api.types.infer_dtype(values, skipna=True) == "boolean":
            values = values.astype("boolean")
    return cleaned_text(values, NO_MARKS)


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
    """Find the wanted class among the labels, without regard to case, or None.

    YAML reads a bare yes, on or true as a boolean, so a boolean also finds such a label.
    """
    text = label_text(wanted)
    if text in classes:
        return text
    if not isinstance(wanted, bool):
        same = [label for label in classes if without_case(label) == without_case(tidy(text))]
        return same[0] if len(same) == 1 else None
    alike = (TRUE_TEXTS if wanted else FALSE_TEXTS) | {str(int(wanted))}
    found = [label for label in classes if label.lower() in alike]
    return found[0] if len(found) == 1 else None


def _numeric_target(raw: pd.Series, problem: Problem) -> pd.Series:
    column = typed_column(raw, CLEAN.model_copy(update={"type": "float"}))
    if column.unreadable.any():
        example = cell_text(raw[column.unreadable].iloc[0])
        remedy = "Clean them, or set task to binary or multiclass."
        if isinstance(raw.dtype, pd.DatetimeTZDtype):
            remedy = f"Learn a time as a span since another one: {SPAN}."
        raise DataError(
            f"target {problem.target.name!r} is not numeric: {int(column.unreadable.sum())} values "
            f"such as {example}. {remedy}"
        )
    return column.values.astype("float64")


def class_problems(labels: pd.Series, problem: Problem) -> list[str]:
    """Say why labels cannot be learnt as classes; empty when they can.

    More distinct fractional numbers than `analysis.continuous_values` are a quantity; more classes
    than `analysis.maximum_classes`, or than half the rows, are too many.
    """
    counts, limits = labels.value_counts(), problem.analysis
    name, task = problem.target.name, problem.task
    if len(counts) < 2:
        only = f"only class {counts.index[0]!r}" if len(counts) else "no known value"
        return [f"target {name!r} has {only}: a model needs rows of at least two classes"]
    numbers = pd.to_numeric(counts.index.to_series(), errors="coerce")
    fractional = numbers.notna().all() and (numbers % 1 != 0).any()
    if len(counts) > limits.continuous_values and fractional:
        return [f"target {name!r} is continuous ({len(counts)} values): set task to regression"]
    if task == "binary" and len(counts) > 2:
        shown = ", ".join(str(label) for label in counts.index[:SHOWN])
        return [
            f"target {name!r} has {len(counts)} classes ({shown}) but task is binary: "
            "set task to multiclass, or give the target an expression"
        ]
    if len(counts) > limits.maximum_classes or len(counts) > len(labels) / 2:
        return [
            f"target {name!r} has {len(counts)} classes in {len(labels)} rows, at most "
            f"{limits.maximum_classes} and two rows each can be learnt: group them, or raise "
            "analysis.maximum_classes"
        ]
    return []
