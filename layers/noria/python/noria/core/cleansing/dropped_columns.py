"""Columns that become no feature: which cannot help, why, and what to do where one should."""

from collections.abc import Mapping

import pandas as pd

from noria.common.expressions import parse
from noria.common.messages import comma_list, counted
from noria.contracts import Problem
from noria.core.cleansing.dataset_builder import feature_kinds
from noria.core.cleansing.target import target_columns
from noria.core.column_types.event_time import event_time_name
from noria.core.column_types.type_inference import NO_RULE, ColumnKind, Typed

SHOWN = 5
REMEDY = "where it is a feature, declare quality.columns.{name}.type: category, text or float"


def columns_to_drop(
    values: pd.DataFrame, good: pd.Series, columns: dict[str, Typed], problem: Problem
) -> dict[str, str]:
    """Name the columns that cannot help a model, each with the reason; judged by the good rows."""
    kept = _protected(problem)
    reasons = {
        name: _drop_reason(name, values.loc[good, name], _most_missing(name, problem))
        for name in values.columns
        if name not in kept and columns[name].kind != "text"
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _protected(problem: Problem) -> frozenset[str]:
    """List the columns that the contract needs for more than a feature."""
    rule = parse(problem.baseline.rule).columns if problem.baseline.rule else frozenset()
    time = event_time_name(problem)
    slices = {piece.column for piece in problem.objective.slices}
    history = {window.column for window in problem.features.windows}
    named = {*problem.entity_key, *slices, *history, *([time] if time is not None else [])}
    return target_columns(problem) | rule | named


def _most_missing(name: str, problem: Problem) -> float:
    """Return the share of missing values up to which a column stays; one that is filled does."""
    rule = problem.quality.columns.get(name, NO_RULE)
    return 1.0 if rule.fills else problem.quality.maximum_missing


def _drop_reason(name: str, values: pd.Series, maximum_missing: float) -> str | None:
    share = float(values.isna().mean()) if len(values) else 0.0
    if share == 1:
        return "all values are missing"
    if share > maximum_missing:
        return (
            f"{share:.1%} missing, quality.maximum_missing is {maximum_missing:.1%}: raise it, or "
            f"declare what fills quality.columns.{name}.missing"
        )
    if share == 0 and len(values) > 1 and values.nunique() == 1:
        return "the same value in every row"
    return None


def unused_columns(
    accepted: pd.DataFrame, kinds: Mapping[str, ColumnKind], problem: Problem
) -> dict[str, str]:
    """Say of each column that stays and yet is no feature why, and what to do about it.

    What the contract itself takes away (the target, `features.exclude`) is not named.
    """
    features = feature_kinds(accepted, problem, kinds)
    intended = {*target_columns(problem), problem.target.name, *problem.features.exclude}
    return {
        name: _reason(name, accepted[name], problem)
        for name in kinds
        if name not in features and name not in intended
    }


def _reason(name: str, values: pd.Series, problem: Problem) -> str:
    distinct, rows = int(values.nunique()), counted(int(values.notna().sum()), "row")
    if name in problem.entity_key:
        return f"an entity key with {distinct:,} values, which a model would memorize"
    return f"names single rows ({distinct:,} values in {rows}); {REMEDY.format(name=name)}"


def unused_sentences(left: Mapping[str, str], problem: Problem) -> list[str]:
    """Say which columns are no features although nothing in the contract says so."""
    names = [repr(name) for name in left if name not in problem.entity_key]
    if not names:
        return []
    return [
        f"No feature, as nearly every row has its own value: {comma_list(names, SHOWN)}; "
        + REMEDY.format(name="<name>")
    ]


def drop_sentences(drops: dict[str, str]) -> list[str]:
    """Say which columns were dropped and why."""
    return [f"column {name!r} dropped: {reason}" for name, reason in drops.items()]
