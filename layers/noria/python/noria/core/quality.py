"""The rules that rows and columns are judged by."""

from dataclasses import dataclass

import pandas as pd

from noria.contracts import ColumnRule, Problem
from noria.core.event_time import event_time_name, needed_columns
from noria.core.expressions import parse
from noria.core.inference import ColumnKind, Typed, as_declared, inferred, missing
from noria.core.naming import listed, unknown_column
from noria.core.target import target_columns

UNLABELLED = "target is missing"
DUPLICATE = "repeats another row"
IDENTIFIER_SHARE = 0.9  # a category with more distinct values than this share names single rows
IDENTIFIER_ROWS = 50
EXAMPLES = 3


@dataclass(frozen=True)
class Rules:
    """Which rows are good, what the others broke, and how often each rule was broken."""

    good: pd.Series
    texts: pd.Series
    counts: dict[str, int]
    exempt: int
    violations: int
    notes: list[str]


def unknown_columns(frame: pd.DataFrame, problem: Problem) -> list[str]:
    """Say which columns the contract names that the joined sources do not have."""
    columns = [str(column) for column in frame.columns]
    rule = parse(problem.baseline.rule).columns if problem.baseline.rule else frozenset()
    time = needed_columns(problem) if event_time_name(problem) not in columns else frozenset()
    named = {
        "target": sorted(target_columns(problem)),
        "event_time": sorted(time),
        "entity_key": problem.entity_key,
        "quality.columns": list(problem.quality.columns),
        "features.exclude": problem.features.exclude,
        "baseline.rule": sorted(rule),
        "objective.slices": [piece.column for piece in problem.objective.slices],
    }
    return [
        unknown_column(field, name, columns)
        for field, names in named.items()
        for name in names
        if name not in columns
    ]


def typed_columns(frame: pd.DataFrame, problem: Problem) -> dict[str, Typed]:
    """Convert every column: as the contract declares it, the event time to UTC, else inferred."""
    declared = {
        name: rule.type for name, rule in problem.quality.columns.items() if rule.type is not None
    }
    time = event_time_name(problem)
    if time is not None:
        declared[time] = "timestamp"
    return {
        str(name): as_declared(frame[name], declared[name])
        if name in declared
        else inferred(frame[name])
        for name in frame.columns
    }


def broken_rules(
    frame: pd.DataFrame,
    values: pd.DataFrame,
    typed: dict[str, Typed],
    target: pd.Series,
    problem: Problem,
) -> Rules:
    """Find the rules that each row breaks: target, event time, types, ranges, duplicates."""
    unlabelled = target.isna()
    broken = _violations(frame, values, typed, problem)
    marked = unlabelled.copy()
    for mask in broken.values():
        marked |= mask
    repeated, conflicting = _duplicates(values, ~marked, problem)
    broken["another row has the same key and time but other values"] = conflicting
    everything = {UNLABELLED: unlabelled, **broken, DUPLICATE: repeated}
    violating = pd.Series(False, index=frame.index)
    for mask in broken.values():
        violating |= mask
    good = ~(unlabelled | violating | repeated)
    return Rules(
        good=good,
        texts=_texts(everything, frame.index),
        counts={rule: int(mask.sum()) for rule, mask in everything.items() if mask.any()},
        exempt=int((~good & ~(violating & ~unlabelled)).sum()),
        violations=int((violating & ~unlabelled).sum()),
        notes=_stray_notes(frame, typed, problem),
    )


def _violations(
    frame: pd.DataFrame, values: pd.DataFrame, typed: dict[str, Typed], problem: Problem
) -> dict[str, pd.Series]:
    broken: dict[str, pd.Series] = {}
    time = event_time_name(problem)
    if time is not None:
        broken[f"event time {time!r} is missing or not a timestamp"] = values[time].isna()
    for name, rule in problem.quality.columns.items():
        if rule.type is not None and name != time:
            broken[f"{name} is not of type {rule.type}"] = typed[name].unreadable
        if rule.required:
            broken[f"{name} is missing but required"] = missing(frame[name])
        broken |= _range_rules(name, rule, values[name])
    return broken


def _range_rules(name: str, rule: ColumnRule, values: pd.Series) -> dict[str, pd.Series]:
    broken: dict[str, pd.Series] = {}
    for word, limit in (("below the minimum", rule.minimum), ("above the maximum", rule.maximum)):
        if limit is None:
            continue
        numbers = pd.to_numeric(values, errors="coerce")
        mask = numbers < limit if word.startswith("below") else numbers > limit
        broken[f"{name} is {word} {limit:g}"] = mask
    if rule.allowed is not None:
        allowed = as_declared(pd.Series(list(rule.allowed), dtype="object"), _family(values))
        shown = listed([str(value) for value in rule.allowed], 10)
        mask = values.notna() & ~values.isin(allowed.values.tolist())
        broken[f"{name} is not one of {shown}"] = mask
    return broken


def _family(values: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(values):
        return "timestamp"
    return "float" if pd.api.types.is_numeric_dtype(values) else "category"


def _duplicates(
    values: pd.DataFrame, candidates: pd.Series, problem: Problem
) -> tuple[pd.Series, pd.Series]:
    """Mark repeated identical rows, and rows that share key and time but not their values."""
    nothing = pd.Series(False, index=values.index)
    time = event_time_name(problem)
    if not problem.entity_key or time is None:
        return nothing, nothing
    keys = [*problem.entity_key, time]
    rows = values[candidates]
    shared = rows.duplicated(subset=keys, keep=False)
    if not shared.any():
        return nothing, nothing
    rows = rows[shared]
    repeated = rows.duplicated(keep="first")
    conflicting = rows[~repeated].duplicated(subset=keys, keep=False)
    clashing = conflicting.reindex(rows.index, fill_value=False)
    return (
        repeated.reindex(values.index, fill_value=False),
        clashing.reindex(values.index, fill_value=False),
    )


def _texts(rules: dict[str, pd.Series], index: pd.Index) -> pd.Series:
    """Write the rules that each row broke, separated by semicolons."""
    texts = pd.Series("", index=index, dtype="object")
    for rule, mask in rules.items():
        if mask.any():
            texts[mask] = texts[mask].map(
                lambda text, rule=rule: f"{text}; {rule}" if text else rule
            )
    return texts.astype("str")


def _stray_notes(frame: pd.DataFrame, typed: dict[str, Typed], problem: Problem) -> list[str]:
    """Say which values of undeclared columns could not be read and count as missing."""
    notes = []
    for name, column in typed.items():
        if name in problem.quality.columns or not column.unreadable.any():
            continue
        stray = frame.loc[column.unreadable, name]
        examples = listed([repr(value) for value in stray.drop_duplicates().head(EXAMPLES)])
        notes.append(
            f"{name}: {len(stray):,} values are no {column.kind} ({examples}) and count as missing"
        )
    return notes


def columns_to_drop(
    values: pd.DataFrame, typed: dict[str, Typed], problem: Problem
) -> dict[str, str]:
    """Name the columns that cannot help a model, each with the reason."""
    kept = _protected(problem)
    limit = problem.quality.maximum_missing
    reasons = {
        name: _drop_reason(values[name], limit)
        for name in values.columns
        if name not in kept and typed[name].kind != "text"
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _protected(problem: Problem) -> frozenset[str]:
    """List the columns that the contract needs for more than a feature."""
    rule = parse(problem.baseline.rule).columns if problem.baseline.rule else frozenset()
    time = event_time_name(problem)
    slices = {piece.column for piece in problem.objective.slices}
    named = {*problem.entity_key, *slices, *([time] if time is not None else [])}
    return target_columns(problem) | rule | named


def _drop_reason(values: pd.Series, maximum_missing: float) -> str | None:
    share = float(values.isna().mean()) if len(values) else 0.0
    if share == 1:
        return "all values are missing"
    if share > maximum_missing:
        return f"{share:.1%} missing, quality.maximum_missing is {maximum_missing:.1%}"
    if share == 0 and len(values) > 1 and values.nunique() == 1:
        return "the same value in every row"
    return None


def kinds(
    typed: dict[str, Typed], problem: Problem, drops: dict[str, str]
) -> dict[str, ColumnKind]:
    """State the kind of every column that stays; nearly unique categories are identifiers."""
    found: dict[str, ColumnKind] = {}
    for name, column in typed.items():
        if name in drops:
            continue
        found[name] = column.kind
        if column.kind == "category" and _is_identifier(column.values):
            found[name] = "identifier"
    if problem.target.expression is None:
        found[problem.target.name] = "target"
    return found


def _is_identifier(values: pd.Series) -> bool:
    present = values.dropna()
    return len(present) > IDENTIFIER_ROWS and present.nunique() > IDENTIFIER_SHARE * len(present)


def drop_sentences(drops: dict[str, str]) -> list[str]:
    """Say which columns were dropped and why."""
    return [f"column {name!r} dropped: {reason}" for name, reason in drops.items()]
