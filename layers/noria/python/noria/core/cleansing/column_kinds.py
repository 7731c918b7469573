"""The columns of the joined rows: which are known, and of what type and kind."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from noria.common.expression_text import quoted
from noria.common.expressions import parse
from noria.common.messages import comma_list, counted, unknown_column
from noria.common.missing_marks import NO_MARKS
from noria.contracts import ColumnRule, Problem, Quality
from noria.core.cleansing.joins import LEFT_OUT
from noria.core.column_types.cell_values import cleaned_text, is_textual, text_counts
from noria.core.column_types.column_marks import classes_among, marks_for, with_values
from noria.core.column_types.event_time import event_time_name
from noria.core.column_types.type_inference import (
    NO_RULE,
    ColumnKind,
    Typed,
    declared_type,
    typed_column,
)
from noria.core.ingestion.decimal_commas import all_in_thousands

EXAMPLES = 3


def unknown_columns(frame: pd.DataFrame, problem: Problem) -> list[str]:
    """Say which columns the contract names that the joined sources do not have."""
    columns = [str(column) for column in frame.columns]
    timed = event_time_name(problem) in columns
    expressions: dict[str, list[str | None]] = {
        "target": [problem.target.expression],
        "event_time": [None if timed else problem.event_time],
        "quality.checks": [*problem.quality.checks],
        "baseline.rule": [problem.baseline.rule],
    }
    named = {
        "target": [] if problem.target.expression else [problem.target.name],
        "entity_key": problem.entity_key,
        "quality.columns": list(problem.quality.columns),
        "quality.unique": problem.quality.unique,
        "features.exclude": problem.features.exclude,
        "features.known": problem.features.known,
        "features.monotone": [
            name
            for name in problem.features.monotone
            if name not in {window.as_ for window in problem.features.windows}
        ],
        "objective.slices": [piece.column for piece in problem.objective.slices],
    }
    return [
        unknown_column(field, name, columns)
        for field, names in named.items()
        for name in names
        if name not in columns
        and not (field == "features.exclude" and name in frame.attrs.get(LEFT_OUT, ()))
    ] + [
        told
        for field, texts in expressions.items()
        for text in filter(None, texts)
        for told in _unknown_in(field, text, columns)
    ]


def not_monotone(kinds: Mapping[str, ColumnKind], problem: Problem) -> list[str]:
    """Say which columns of `features.monotone` are no numbers."""
    return [
        f"features.monotone: {name!r} is a {kinds[name]} column, and only numbers rise and fall: "
        "leave it out, or give it type float in quality.columns"
        for name in problem.features.monotone
        if name in kinds and kinds[name] not in ("number", "bool")
    ]


def _unknown_in(field: str, text: str, columns: list[str]) -> list[str]:
    """Say which columns an expression reads that are not there; a text may have been meant."""
    unknown = sorted(parse(text).columns - set(columns))
    return [
        unknown_column(field, name, columns)
        + (f" A text goes in single quotes: {name!r}." if quoted(name) in text else "")
        for name in unknown
    ]


def typed_columns(frame: pd.DataFrame, problem: Problem) -> dict[str, Typed]:
    """Convert every column: as the contract declares it, the event time to UTC, else inferred.

    Numbers whose points could separate thousands are read so where others have decimal commas.
    """
    names = list(map(str, frame.columns))
    rules = {name: rule_of(name, problem) for name in names}
    typed = {name: _typed(frame[name], name, rules[name], problem) for name in names}
    beside = next((name for name, column in typed.items() if column.decimal == ","), None)
    if beside is None:
        return typed
    return typed | {
        name: _in_thousands(frame[name], name, rules[name], problem, beside)
        for name, column in typed.items()
        if column.kind == "number" and column.decimal is None and rules[name].decimal is None
        and is_textual(frame[name]) and all_in_thousands(_known_texts(frame[name], column))
    }  # fmt: skip


def _known_texts(values: pd.Series, column: Typed) -> pa.ChunkedArray:
    known = cleaned_text(values[column.values.notna()], NO_MARKS)
    # Of a column without a known value pandas makes an array of nulls, which has no text.
    return pa.chunked_array([pa.array(known.array, from_pandas=True).cast(pa.string())])


def _in_thousands(
    values: pd.Series, name: str, rule: ColumnRule, problem: Problem, beside: str
) -> Typed:
    column = _typed(values, name, rule.model_copy(update={"decimal": ","}), problem)
    why = (
        f"{name}: its points are read as separators of thousands, as {beside} has decimal commas: "
        f"where they are decimal points, declare quality.columns.{name}.decimal as '.'"
    )
    return replace(column, notes=(*column.notes, why)) if column.notes else column


def _typed(values: pd.Series, name: str, rule: ColumnRule, problem: Problem) -> Typed:
    marks = marks_for(name, problem)
    if name == problem.target.name and problem.task != "regression" and is_textual(values):
        counts = text_counts(cleaned_text(values, NO_MARKS))
        classes = classes_among(marks, counts, binary=problem.task == "binary")
        marks = with_values(marks, classes)
    return typed_column(values, rule, problem.quality, marks)


def rule_of(name: str, problem: Problem) -> ColumnRule:
    """Return a column's rule; an entity key keeps its spellings, the event time is a timestamp."""
    rule = problem.quality.columns.get(name, NO_RULE)
    if name == event_time_name(problem):
        return rule.model_copy(update={"type": "timestamp"})
    if name in problem.entity_key and "case" not in rule.model_fields_set:
        return rule.model_copy(update={"case": "keep"})
    return rule


def type_notes(frame: pd.DataFrame, columns: dict[str, Typed], problem: Problem) -> list[str]:
    """Say what was read otherwise than it was written, or not read at all."""
    notes = [note for column in columns.values() for note in column.notes]
    for name, column in columns.items():
        notes += _unit_notes(name, column, problem) + _spelling_notes(name, column)
        declared = declared_type(rule_of(name, problem))
        if declared is not None or not column.unreadable.any():
            continue
        stray = frame.loc[column.unreadable, name]
        examples = comma_list([repr(value) for value in stray.drop_duplicates().head(EXAMPLES)])
        notes.append(
            f"{name}: {counted(len(stray), 'value')} {'is' if len(stray) == 1 else 'are'} no "
            f"{column.kind} ({examples}), counted as missing"
        )
    return notes


def time_ranges(columns: dict[str, Typed]) -> dict[str, list[str]]:
    """Return the first and the last moment of each column of times, as they were read."""
    return {
        name: [column.values.min().isoformat(), column.values.max().isoformat()]
        for name, column in columns.items()
        if column.kind == "timestamp" and column.values.notna().any()
    }


def _unit_notes(name: str, column: Typed, problem: Problem) -> list[str]:
    if not column.converted:
        return []
    shown = comma_list(
        [f"{unit} ({count:,})" for unit, count in column.converted.items()], EXAMPLES
    )
    return [f"{name}: converted to {problem.quality.columns[name].unit} from {shown}"]


def _spelling_notes(name: str, column: Typed) -> list[str]:
    if not column.merged:
        return []
    pairs = [f"{variant!r} is {kept!r}" for variant, kept in column.merged.items()]
    return [
        f"{name}: {counted(len(pairs), 'spelling')} brought to one: {comma_list(pairs, EXAMPLES)}"
    ]


def kinds(
    columns: dict[str, Typed], problem: Problem, drops: dict[str, str]
) -> dict[str, ColumnKind]:
    """State the kind of every column that stays; nearly unique ones are prose or identifiers."""
    found: dict[str, ColumnKind] = {}
    for name, column in columns.items():
        if name in drops:
            continue
        found[name] = column.kind
        declared = problem.quality.columns.get(name, NO_RULE).type == "category"
        if column.kind == "category" and not declared and _is_identifier(column.values, problem):
            wordy = name not in problem.entity_key and is_wordy(column.values, problem.quality)
            found[name] = "text" if wordy else "identifier"
    if problem.target.expression is None:
        found[problem.target.name] = "target"
    return found


def is_wordy(values: pd.Series, quality: Quality) -> bool:
    """Tell whether texts are prose rather than names or codes, by their words on average."""
    words = values.dropna().astype("str").str.count(r"\w+")
    return len(words) > 0 and float(words.mean()) >= quality.prose_words


def _is_identifier(values: pd.Series, problem: Problem) -> bool:
    present = values.dropna()
    limit = problem.quality.identifier_share * len(present)
    return len(present) > problem.quality.identifier_rows and present.nunique() > limit
