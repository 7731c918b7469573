"""Accepted rows as a feature set: entity key, event time, created time, typed features.

Each kind of column has one type whatever a run's values look like, so that the set's version does
not change with them: numbers and flags are doubles, times UTC, all else text.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from noria.contracts import Problem
from noria.core.feature_sets import (
    CREATED_TIME,
    EVENT_TIME,
    TAKEN,
    TYPES,
    Column,
    Feature,
    FeatureSet,
    Kind,
    define,
)
from noria.core.point_in_time import identifier, literal, timestamp
from noria.core.target import target_columns

NUMBER = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)INT|UHUGEINT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN)"
)
TIME = re.compile(r"TIMESTAMP.*|DATE")


def to_feature_set(types: Mapping[str, str], problem: Problem) -> FeatureSet:
    """The set that rows with these DuckDB types make, by the contract.

    The target's columns and `features.exclude` are kept for reading and known afterwards only. The
    rows are unique where the contract lets them be so: by entity and event time.
    """
    event_time = problem.event_time_column
    unique = problem.event_time is not None and not problem.quality.unique
    return define(
        description=problem.statement,
        entity_key=[_key(name) for name in problem.entity_key],
        event_time=event_time or "when the run's data counts as of",
        source=f"rows accepted from {', '.join(source.name for source in problem.sources)}",
        features=[_feature(name, kind, problem) for name, kind in _features(types, problem)],
        repeats=not unique,
    )


def select_feature_rows(
    types: Mapping[str, str], problem: Problem, path: str, created: datetime
) -> str:
    """The query that reads the set's rows from the file of accepted rows.

    Without an event time they count as of `created` (aware). Rows without their whole key or
    without event time cannot be looked up and are left out.
    """
    event_time = problem.event_time_column
    moment = timestamp(created) if event_time is None else f"{identifier(event_time)}::TIMESTAMP"
    columns = [f"{identifier(n)}::VARCHAR AS {identifier(n.lower())}" for n in problem.entity_key]
    columns += [f"{moment} AS {EVENT_TIME}", f"{timestamp(created)} AS {CREATED_TIME}"]
    columns += [
        f"{identifier(name)}::{TYPES[_kind(kind)].sql} AS {identifier(stored_name(name))}"
        for name, kind in _features(types, problem)
    ]
    needed = [*problem.entity_key, *filter(None, [event_time])]
    known = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in needed) or "true"
    relation = f"read_parquet({literal(path)})"
    return f"(SELECT {', '.join(columns)} FROM {relation} WHERE {known})"  # noqa: S608


def stored_name(name: str) -> str:
    """What the catalogue calls a column: lower case, and never one of the store's own names."""
    lower = name.lower()
    return f"{lower}_value" if lower in TAKEN else lower


def _features(types: Mapping[str, str], problem: Problem) -> list[tuple[str, str]]:
    """The columns that are features: not the key, and no event time under the store's own name."""
    keys = set(problem.entity_key)
    own = problem.event_time_column == EVENT_TIME
    return [
        (name, kind)
        for name, kind in types.items()
        if name not in keys and not (own and name == EVENT_TIME)
    ]


def _key(name: str) -> Column:
    return Column(name=name.lower(), kind="text", description="names the entity")


def _feature(name: str, kind: str, problem: Problem) -> Feature:
    rule = problem.quality.columns.get(name)
    unit = f"in {rule.unit}" if rule and rule.unit else ""
    afterwards = name in {*target_columns(problem), *problem.features.exclude}
    return Feature(
        name=stored_name(name), kind=_kind(kind), description=unit, afterwards=afterwards
    )


def _kind(kind: str) -> Kind:
    if NUMBER.fullmatch(kind):
        return "number"
    return "time" if TIME.fullmatch(kind) else "text"
