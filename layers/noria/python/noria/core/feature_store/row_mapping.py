"""Accepted rows as a feature set: entity key, event time, created time, typed features.

Each kind of column has one type whatever a run's values look like, so that the set's version does
not change with them: numbers and flags are doubles, times UTC, all else text.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from noria.common.categories import Spellings, spellings_of
from noria.contracts import Problem, Window, format_duration
from noria.core.cleansing.target import target_columns
from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    DEFAULT_SET,
    EVENT_TIME,
    ROW_OF_FILE,
    TAKEN,
    TYPES,
    Feature,
    FeatureSet,
    Kind,
    StoredColumn,
    WindowFeature,
    define,
    microseconds,
)
from noria.core.feature_store.point_in_time_sql import (
    POSITION,
    PREDICTION_TIME,
    sql_name,
    sql_text,
    sql_time,
)
from noria.core.windows.lookup_spec import LARGEST_WHOLE, KeyColumn
from noria.core.windows.tiles import OF_TIMES

NUMBER = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)INT|UHUGEINT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN)"
)
TIME = re.compile(r"TIMESTAMP.*|DATE")


def to_feature_set(
    types: Mapping[str, str],
    problem: Problem,
    classes: Sequence[str] = (),
    name: str = DEFAULT_SET,
) -> FeatureSet:
    """The set that rows with these DuckDB types make, by the contract.

    The target's columns and `features.exclude` are kept for reading and known afterwards only. The
    rows are unique where the contract lets them be so: by entity and event time. `classes` are the
    target's (binary: negative, positive).
    """
    event_time = problem.event_time_column
    unique = problem.event_time is not None and not problem.quality.unique
    return define(
        name=name,
        description=problem.statement,
        entity_key=[_key(name) for name in problem.entity_key],
        event_time=event_time or "when the run's data counts as of",
        source=f"rows accepted from {', '.join(source.name for source in problem.sources)}",
        features=[_feature(name, kind, problem) for name, kind in _features(types, problem)],
        repeats=not unique,
        windows=[_window(one, problem, classes) for one in problem.features.windows],
        delay=int(problem.feature_delay.total_seconds()),
    )


def select_feature_rows(
    types: Mapping[str, str],
    problem: Problem,
    path: str,
    as_of: datetime,
    previous: datetime | None = None,
    target: str | None = None,
) -> str:
    """The query that reads the set's rows from the file of accepted rows.

    A row is created when `feature_delay` has passed since its event time, or at the run's logical
    time `as_of` (aware) if that is earlier. One that the run before, at `previous`, should have had
    by then and had not is late, or corrected: it is created at `as_of`. Without an event time all
    rows count as of `as_of`. Rows without their whole key or without event time cannot be looked up
    and are left out. `target` names a relation (`position`, `value`) of targets that are computed.
    """
    event_time = problem.event_time_column
    moment = sql_time(as_of) if event_time is None else f"{sql_name(event_time)}::TIMESTAMP"
    columns = [f"{key_text(n, types[n])} AS {sql_name(n.lower())}" for n in problem.entity_key]
    columns += [f"{moment} AS {EVENT_TIME}"]
    columns += [f"{_created(moment, problem, as_of, previous)} AS {CREATED_TIME}"]
    columns += [
        f"{_read(name, target, problem)}::{TYPES[_kind(kind)].sql} AS {sql_name(stored_name(name))}"
        for name, kind in _features(types, problem)
    ]
    needed = [*problem.entity_key, *filter(None, [event_time])]
    known = " AND ".join(f"{sql_name(name)} IS NOT NULL" for name in needed) or "true"
    relation = numbered(path)
    if target is not None:
        relation += f" JOIN {target} ON {ROW_OF_FILE} = {target}.{POSITION}"
    return f"(SELECT {', '.join(columns)} FROM {relation} WHERE {known})"  # noqa: S608


def _read(name: str, target: str | None, problem: Problem) -> str:
    computed = target is not None and name == problem.target.name
    return f"{target}.value" if computed else sql_name(name)


def select_asked_rows(types: Mapping[str, str], problem: Problem, path: str) -> str:
    """The query that reads each accepted row's entity and event time, in the file's order."""
    keys = [f"{key_text(name, types[name])} AS k{n}" for n, name in enumerate(problem.entity_key)]
    moment = f"{sql_name(str(problem.event_time_column))}::TIMESTAMP AS {PREDICTION_TIME}"
    columns = ", ".join([*keys, moment, f"{ROW_OF_FILE} AS {POSITION}"])
    return f"SELECT {columns} FROM {numbered(path)}"  # noqa: S608


def numbered(path: str) -> str:
    """A Parquet file as a relation with its rows' numbers."""
    return f"read_parquet({sql_text(path)}, {ROW_OF_FILE} = true)"


def key_text(name: str, kind: str) -> str:
    """A key column as text, as a request's value becomes it (`lookup_spec.KeyColumn`).

    A whole number has no fraction, whatever type its column has; a time is ISO 8601 in UTC.
    """
    column = sql_name(name)
    if kind == "BOOLEAN":
        return f"{column}::INTEGER::VARCHAR"
    if TIME.fullmatch(kind):
        return _time_text(f"{column}::TIMESTAMP")
    if kind not in ("DOUBLE", "FLOAT"):
        return f"{column}::VARCHAR"
    whole = f"{column} = trunc({column}) AND abs({column}) < {LARGEST_WHOLE}"
    return f"CASE WHEN {whole} THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"


def _time_text(moment: str) -> str:
    whole = f"{moment} = date_trunc('second', {moment})"
    second = f"strftime({moment}, '%Y-%m-%dT%H:%M:%S')"
    return f"{second} || CASE WHEN {whole} THEN 'Z' ELSE strftime({moment}, '.%fZ') END"


def key_columns(types: Mapping[str, str], problem: Problem) -> tuple[KeyColumn, ...]:
    """How a request's values of the entity key become those of the store."""
    return tuple(
        KeyColumn(
            name=name,
            number=_kind(types[name]) == "number",
            time=_kind(types[name]) == "time",
            zone=zone_of(name, problem),
            spellings=dict(_aliases(name, problem).table),
        )
        for name in problem.entity_key
    )


def zone_of(name: str | None, problem: Problem) -> str | None:
    """The time zone of a column's times that have none, where the contract names one."""
    rule = problem.quality.columns.get(name) if name is not None else None
    return rule.timezone if rule is not None else None


def _aliases(name: str, problem: Problem) -> Spellings:
    rule = problem.quality.columns.get(name)
    return spellings_of({}, aliases=rule.aliases if rule else {}, merge_case=False)


def _created(moment: str, problem: Problem, as_of: datetime, previous: datetime | None) -> str:
    now = sql_time(as_of)
    if problem.event_time is None:
        return now
    known = f"{moment} + INTERVAL {microseconds(problem.feature_delay)} MICROSECONDS"
    if previous is None:
        return f"least({known}, {now})"
    # A run as of an earlier time still brings what the latest one did not know.
    late = sql_time(max(as_of, previous))
    return f"CASE WHEN {known} > {sql_time(previous)} THEN least({known}, {now}) ELSE {late} END"


def _window(window: Window, problem: Problem, classes: Sequence[str]) -> WindowFeature:
    """A window of the contract over a stored column; the positive class of the target counts 1."""
    positive = window.column == problem.target.name and problem.task == "binary"
    return WindowFeature(
        name=window.as_,
        column=stored_name(window.column),
        function=window.function,
        over=int(window.over.total_seconds()),
        equals=classes[1] if positive and window.function not in OF_TIMES else None,
        description=window_in_words(window),
    )


def window_in_words(window: Window) -> str:
    """A window in words."""
    what = {"time_since": "hours since the last", "count": "number of"}.get(window.function)
    words = f"{what} {window.column}" if what else f"{window.function} of {window.column}"
    return f"{words} in the {format_duration(window.over)} before"


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


def _key(name: str) -> StoredColumn:
    return StoredColumn(name=name.lower(), kind="text", description="names the entity")


def _feature(name: str, kind: str, problem: Problem) -> Feature:
    rule = problem.quality.columns.get(name)
    unit = f"in {rule.unit}" if rule and rule.unit else ""
    known_late = {problem.target.name, *target_columns(problem), *problem.features.exclude}
    afterwards = name in known_late
    return Feature(
        name=stored_name(name), kind=_kind(kind), description=unit, afterwards=afterwards
    )


def _kind(kind: str) -> Kind:
    if NUMBER.fullmatch(kind):
        return "number"
    return "time" if TIME.fullmatch(kind) else "text"
