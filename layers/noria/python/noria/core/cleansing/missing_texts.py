"""Texts that were read as missing although they may be values, and those that failed formulas left.

A word such as None may name a class, NA a country: what became of them is told.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from noria.common.messages import comma_list, counted
from noria.common.missing_marks import is_spreadsheet_error
from noria.contracts import Problem
from noria.core.cleansing.target import target_columns
from noria.core.column_types.cell_values import text_counts
from noria.core.column_types.column_marks import POSSIBLE, marks_for, values_among
from noria.core.column_types.type_inference import Typed
from noria.core.ingestion.excel_errors import error_note

SHOWN = 5
DECLARE = (
    "where it is a value, list it with the others in quality.columns.{name}.allowed, or declare "
    "missing_values: [] there"
)


def missing_texts(columns: Mapping[str, Typed]) -> dict[str, dict[str, int]]:
    """Count per column the texts that were read as missing; the most frequent ones."""
    return {
        name: dict(list(column.marked.items())[:SHOWN])
        for name, column in columns.items()
        if column.marked
    }


def missing_notes(
    columns: Mapping[str, Typed], dropped: Mapping[str, Any], problem: Problem
) -> Iterator[str]:
    """Say which cells hold a failed formula, and which texts may be values."""
    for name, column in columns.items():
        errors = sum(count for text, count in column.marked.items() if is_spreadsheet_error(text))
        if errors:
            yield error_note(name, errors)
        if name == problem.target.name:
            yield from _about_classes(name, column, problem)
        elif name not in target_columns(problem):
            yield from _about_values(name, column, dropped)


def _about_values(name: str, column: Typed, dropped: Mapping[str, Any]) -> Iterator[str]:
    if column.kind not in ("category", "text") or not column.marked:
        return
    counts = column.marked | text_counts(column.values)
    found = [text for text in POSSIBLE if text in column.marked and name in dropped]
    for text in found or values_among(column.marks, counts):
        rows = counted(column.marked[text], "row")
        yield f"{name}: {text!r} in {rows} was read as missing; {DECLARE.format(name=name)}"


def _about_classes(name: str, column: Typed, problem: Problem) -> Iterator[str]:
    """Say which texts that usually mean missing are classes here."""
    for text in sorted(column.marks.kept - marks_for(name, problem).kept):
        rows = int((column.values == text).sum())
        yield (
            f"target {name!r}: {text!r} in {counted(rows, 'row')} is taken as a class; where it "
            f"means that no label is known, declare quality.columns.{name}.missing_values: "
            f"[{text}]"
        )


def unlabelled_notes(
    columns: Mapping[str, Typed], unlabelled: int, rows: int, problem: Problem
) -> Iterator[str]:
    """Say that many rows have no label, and which texts stood where one would."""
    limit = problem.quality.unlabelled_share
    many = rows > 0 and unlabelled > limit * rows
    if many:
        yield (
            f"{unlabelled:,} of {counted(rows, 'row')} ({unlabelled / rows:.1%}) have no target, "
            f"more than quality.unlabelled_share {limit:.1%}: nothing is learnt from them"
        )
    for name in sorted(target_columns(problem) & columns.keys()):
        column = columns[name]
        usual = [text for text in POSSIBLE if text in column.marked]
        if column.kind not in ("category", "text", "bool") or not usual:
            continue
        counts = column.marked | text_counts(column.values)
        doubtful = usual if many else values_among(column.marks, counts)
        shown = comma_list([f"{text!r} in {counted(column.marked[text], 'row')}" for text in
                            doubtful])  # fmt: skip
        if doubtful:
            yield f"target column {name!r}: {shown} was read as missing; " + DECLARE.format(
                name=name
            )
