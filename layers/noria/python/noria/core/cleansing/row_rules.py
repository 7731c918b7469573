"""The rules that rows are judged by: target, event time, types, ranges, checks, duplicates."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as arrow

from noria.common.expressions import parse
from noria.common.messages import cell_text, comma_list
from noria.contracts import ColumnRule, Problem
from noria.core.cleansing.target import evaluated
from noria.core.column_types.cell_values import missing_cells
from noria.core.column_types.event_time import event_time_name
from noria.core.column_types.type_inference import (
    FALSE_TEXTS,
    TRUE_TEXTS,
    Typed,
    declared_type,
    typed_column,
)
from noria.errors import ContractError

UNLABELLED = "target is missing"
DUPLICATE = "repeats another row"
EXAMPLES = 3


@dataclass(frozen=True)
class Rules:
    """Which rows are good, what the others broke, and how often each rule was broken.

    `examples` shows, per rule, a few rows (counted from 1) with the value that broke it.
    """

    good: pd.Series
    texts: pd.Series
    counts: dict[str, int]
    examples: dict[str, str]
    exempt: int
    violations: int


@dataclass(frozen=True)
class Broken:
    """A rule, the rows that break it, and the column whose values to show."""

    rule: str
    rows: pd.Series
    column: str | None = None


def broken_rules(
    frame: pd.DataFrame,
    values: pd.DataFrame,
    columns: dict[str, Typed],
    target: pd.Series,
    problem: Problem,
) -> Rules:
    """Find the rules that each row breaks.

    `frame` has the rows as they came, `values` the typed ones. Rows whose target is not known yet
    and repeated identical rows are exempt: they are quarantined but are nobody's mistake.
    """
    unlabelled = Broken(UNLABELLED, target.isna())
    broken = list(_violations(frame, values, columns, problem))
    repeated, conflicting = _duplicates(values, ~_any(unlabelled, *broken), problem)
    broken.append(conflicting)
    everything = [item for item in (unlabelled, *broken, repeated) if item.rows.any()]
    violating = _any(*broken) & ~unlabelled.rows
    good = ~_any(unlabelled, *broken, repeated)
    return Rules(
        good=good,
        texts=_texts(everything, frame.index),
        counts={item.rule: int(item.rows.sum()) for item in everything},
        examples={item.rule: _examples(item, frame) for item in everything},
        exempt=int((~good & ~violating).sum()),
        violations=int(violating.sum()),
    )


def _any(*broken: Broken) -> pd.Series:
    rows = broken[0].rows.astype(bool).copy()
    for item in broken[1:]:
        rows |= item.rows
    return rows


def _violations(
    frame: pd.DataFrame, values: pd.DataFrame, columns: dict[str, Typed], problem: Problem
) -> Iterator[Broken]:
    time = event_time_name(problem)
    if time is not None:
        text = f"event time {time!r} is missing or not a timestamp"
        yield Broken(text, values[time].isna(), time)
    for name, rule in problem.quality.columns.items():
        declared = declared_type(rule)
        if declared is not None and name != time:
            yield Broken(_not_of_type(name, rule, declared), columns[name].unreadable, name)
        if rule.refuses_missing:
            yield Broken(f"{name} is missing but required", _absent(frame, columns, name), name)
        yield from _limits(name, rule, values[name])
        if rule.allowed is not None:
            yield _allowed(name, rule, values[name], columns[name].kind)
        if rule.pattern is not None:
            yield _pattern(name, rule.pattern, values[name])
    yield from _long_texts(values, columns, problem)
    for check in problem.quality.checks:
        yield _check(check, values, columns)


def _not_of_type(name: str, rule: ColumnRule, declared: str) -> str:
    if rule.unit is not None:
        return f"{name} is no {rule.unit}, nor of a unit that converts to it"
    if rule.format:
        return f"{name} is no time written as {comma_list(rule.format, EXAMPLES)}"
    if declared in ("int", "float") and rule.type is None:
        return f"{name} is not a number"
    return f"{name} is not of type {declared}"


def _absent(frame: pd.DataFrame, columns: dict[str, Typed], name: str) -> pd.Series:
    """Mark what is missing as it came or by the contract's marks, not what was unreadable."""
    marks = columns[name].marks
    return missing_cells(frame[name], marks) | (
        columns[name].values.isna() & ~columns[name].unreadable
    )


def _limits(name: str, rule: ColumnRule, values: pd.Series) -> Iterator[Broken]:
    if rule.minimum is None and rule.maximum is None:
        return
    unit = f" {rule.unit}" if rule.unit else ""
    numbers = pd.to_numeric(values, errors="coerce").where(values.notna())  # NaT becomes a number
    if rule.minimum is not None:
        text = f"{name} is below the minimum {rule.minimum:g}{unit}"
        yield Broken(text, numbers < rule.minimum, name)
    if rule.maximum is not None:
        text = f"{name} is above the maximum {rule.maximum:g}{unit}"
        yield Broken(text, numbers > rule.maximum, name)


def _allowed(name: str, rule: ColumnRule, values: pd.Series, kind: str) -> Broken:
    declared = pd.Series(list(rule.allowed or ()), dtype="object")
    family = "bool" if kind == "bool" else _family(values)
    wanted = typed_column(declared, ColumnRule(type=family, case="keep", missing_values=[]))
    shown = comma_list([str(value) for value in rule.allowed or ()], 10)
    possible = values.isin(wanted.values.tolist())
    if family == "category":  # YAML reads yes and no as truths
        truths = [texts for truth, texts in ((True, TRUE_TEXTS), (False, FALSE_TEXTS))
                  if any(value is truth for value in rule.allowed or ())]  # fmt: skip
        possible |= values.astype("str").str.lower().isin(frozenset[str]().union(*truths))
    outside = values.notna() & ~possible
    return Broken(f"{name} is not one of {shown}", outside, name)


def _family(values: pd.Series) -> Literal["timestamp", "float", "category"]:
    if pd.api.types.is_datetime64_any_dtype(values):
        return "timestamp"
    return "float" if pd.api.types.is_numeric_dtype(values) else "category"


def _pattern(name: str, pattern: str, values: pd.Series) -> Broken:
    """Match whole texts by RE2, whose time is linear in the text whatever the pattern."""
    texts = pa.array(values.astype("object").where(values.notna(), None), type=pa.string())
    matches = arrow.match_substring_regex(texts, f"^(?:{pattern})$")
    outside = pd.Series(matches.to_pandas(), index=values.index).eq(False)
    return Broken(f"{name} does not match {pattern}", outside.astype(bool), name)


def _long_texts(
    values: pd.DataFrame, columns: dict[str, Typed], problem: Problem
) -> Iterator[Broken]:
    """Mark texts beyond `quality.maximum_text`; those of columns left out by name do no harm."""
    most = problem.quality.maximum_text
    for name, column in columns.items():
        if column.kind in ("category", "text") and name not in problem.features.exclude:
            text = f"{name} has more than {most:,} characters (quality.maximum_text)"
            lengths = values[name].astype("str").str.len()
            yield Broken(text, (lengths > most).fillna(False).astype(bool), name)


def _check(text: str, values: pd.DataFrame, columns: dict[str, Typed]) -> Broken:
    """Find the rows in which a condition is known and false; ContractError where it is none."""
    expression = parse(text)
    held = evaluated(expression, values, columns).astype("object")
    known = held[held.notna()]
    stray = known[[not isinstance(value, bool | np.bool_) for value in known]]
    if len(stray):
        answer, row = cell_text(stray.iloc[0]), int(stray.index[0]) + 1
        raise ContractError(
            f"quality.checks {text!r} is no condition, true or false, but {answer} in row "
            f"{row:,}: compare it with something, as in a < b"
        )
    column = next(iter(sorted(expression.columns)), None)
    broken = held.notna() & ~held.where(held.notna(), True).astype(bool)
    return Broken(f"not {text}", broken, column)


def _duplicates(
    values: pd.DataFrame, candidates: pd.Series, problem: Problem
) -> tuple[Broken, Broken]:
    """Mark repeated identical rows, and rows that share their key but not their values."""
    keys = key_columns(problem)
    clash = f"another row has the same {' and '.join(keys)} but other values"
    nothing = pd.Series(False, index=values.index)
    keyed = values.loc[candidates, keys].dropna() if keys else values.iloc[:0]
    shared = keyed.index[keyed.duplicated(keep=False)] if keys else keyed.index
    if shared.empty:
        return Broken(DUPLICATE, nothing), Broken(clash, nothing)
    rows = values.loc[shared]
    repeated = rows.duplicated(keep="first")
    conflicting = rows[~repeated].duplicated(subset=keys, keep=False)
    return (
        Broken(DUPLICATE, _spread(repeated, values), keys[0]),
        Broken(clash, _spread(conflicting, values), keys[0]),
    )


def _spread(marks: pd.Series, values: pd.DataFrame) -> pd.Series:
    return marks.reindex(values.index, fill_value=False)


def key_columns(problem: Problem) -> list[str]:
    """List the columns that name a row: `quality.unique`, else entity key and event time."""
    time = event_time_name(problem)
    if problem.quality.unique:
        return list(problem.quality.unique)
    return [*problem.entity_key, time] if problem.entity_key and time is not None else []


def _texts(broken: list[Broken], index: pd.Index) -> pd.Series:
    """Write the rules that each row broke, separated by semicolons."""
    texts = pd.Series("", index=index, dtype="object")
    for item in broken:
        texts[item.rows] = texts[item.rows].map(
            lambda text, rule=item.rule: f"{text}; {rule}" if text else rule
        )
    return texts.astype("str")


def _examples(item: Broken, frame: pd.DataFrame) -> str:
    """Show the first rows that break a rule, counted from 1, with their values."""
    places = [int(place) for place in item.rows.to_numpy().nonzero()[0][:EXAMPLES]]
    more = ", ..." if int(item.rows.sum()) > EXAMPLES else ""
    numbers = ", ".join(f"{place + 1:,}" for place in places)
    shown = ""
    if item.column in frame.columns:
        texts = [cell_text(value) for value in frame[item.column].iloc[places]]
        shown = f": {', '.join(dict.fromkeys(texts))}"
    return f"row {numbers}{more}{shown}"
