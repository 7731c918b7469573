"""Accepted rows as a feature set: entity key, event time, created time, typed features.

Each kind of column has one type whatever a run's values look like, so that the set's version does
not change with them: numbers and flags are doubles, times UTC, all else text.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from noria.contracts import Problem, Window, format_duration
from noria.core.cleansing.target import target_columns
from noria.core.feature_store.entity_keys import key_text, kind_of
from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    DEFAULT_SET,
    EVENT_TIME,
    PREDICTION_TIME,
    ROW_OF_FILE,
    TYPES,
    Feature,
    FeatureSet,
    StoredColumn,
    WindowFeature,
    define,
    microseconds,
)
from noria.core.feature_store.point_in_time_sql import (
    POSITION,
    sql_name,
    sql_text,
    sql_time,
)
from noria.core.feature_store.store_names import store_names
from noria.core.windows.tiles import OF_TIMES


def to_feature_set(
    types: Mapping[str, str],
    problem: Problem,
    classes: Sequence[str] = (),
    name: str = DEFAULT_SET,
    latest: FeatureSet | None = None,
) -> FeatureSet:
    """The set that rows with these DuckDB types make, by the contract.

    Columns that the `latest` version has keep their names there.

    The target's columns and `features.exclude` are kept for reading and known afterwards only. The
    rows are unique where the contract lets them be so: by entity and event time. `classes` are the
    target's (binary: negative, positive).
    """
    event_time = problem.event_time_column
    names = _names(types, problem, latest)
    unique = problem.event_time is not None and not problem.quality.unique
    return define(
        name=name,
        description=problem.statement,
        entity_key=[_key(names[name], name) for name in problem.entity_key],
        event_time=event_time or "when the run's data counts as of",
        source=f"rows accepted from {', '.join(source.name for source in problem.sources)}",
        features=[
            _feature(names[name], name, kind, problem) for name, kind in _features(types, problem)
        ],
        repeats=not unique,
        windows=[_window(one, names, problem, classes) for one in problem.features.windows],
        delay=int(problem.feature_delay.total_seconds()),
    )


def select_feature_rows(
    types: Mapping[str, str],
    problem: Problem,
    path: str,
    as_of: datetime,
    previous: datetime | None = None,
    target: str | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """The query that reads the set's rows from the file of accepted rows.

    `types` are the file's columns in their order, `names` what the set calls them.

    A row is created when `feature_delay` has passed since its event time, or at the run's logical
    time `as_of` (aware) if that is earlier. One that the run before, at `previous`, should have had
    by then and had not is late, or corrected: it is created at `as_of`. Without an event time all
    rows count as of `as_of`. Rows without their whole key or without event time cannot be looked up
    and are left out. `target` names a relation (`position`, `value`) of targets that are computed.
    """
    event_time = problem.event_time_column
    places, stored = _places(types), names or _names(types, problem)
    moment = sql_time(as_of) if event_time is None else f"{places[event_time]}::TIMESTAMP"
    columns = [
        f"{key_text(places[n], types[n])} AS {sql_name(stored[n])}" for n in problem.entity_key
    ]
    columns += [f"{moment} AS {EVENT_TIME}"]
    columns += [f"{_created(moment, problem, as_of, previous)} AS {CREATED_TIME}"]
    columns += [
        f"{_read(name, places, target, problem)}::{TYPES[kind_of(kind)].sql} "
        f"AS {sql_name(stored[name])}"
        for name, kind in _features(types, problem)
    ]
    needed = [*problem.entity_key, *filter(None, [event_time])]
    known = " AND ".join(f"{places[name]} IS NOT NULL" for name in needed) or "true"
    relation = accepted_rows(types, path, None if target is None else problem.target.name)
    if target is not None:
        relation += f" JOIN {target} ON {ROW_OF_FILE} = {target}.{POSITION}"
    return f"(SELECT {', '.join(columns)} FROM {relation} WHERE {known})"  # noqa: S608


def _read(name: str, places: Mapping[str, str], target: str | None, problem: Problem) -> str:
    computed = target is not None and name == problem.target.name
    return f"{target}.value" if computed else places[name]


def select_asked_rows(types: Mapping[str, str], problem: Problem, path: str) -> str:
    """The query that reads each accepted row's entity and event time, in the file's order."""
    places = _places(types)
    keys = [
        f"{key_text(places[name], types[name])} AS k{n}"
        for n, name in enumerate(problem.entity_key)
    ]
    moment = f"{places[str(problem.event_time_column)]}::TIMESTAMP AS {PREDICTION_TIME}"
    columns = ", ".join([*keys, moment, f"{ROW_OF_FILE} AS {POSITION}"])
    return f"SELECT {columns} FROM {accepted_rows(types, path)}"  # noqa: S608


def accepted_rows(types: Mapping[str, str], path: str, besides: str | None = None) -> str:
    """A Parquet file as a relation whose columns are named by their places, `besides` not in it.

    So no name of theirs meets another that differs by case only, nor the number of the row, which
    DuckDB has for itself.
    """
    places = ", ".join(place for name, place in _places(types).items() if name != besides)
    return f"read_parquet({sql_text(path)}) AS accepted({places})"


def _places(types: Mapping[str, str]) -> dict[str, str]:
    """What queries call the columns of a file, whatever they are named."""
    return {name: f"c{number}" for number, name in enumerate(types)}


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


def _window(
    window: Window, names: Mapping[str, str], problem: Problem, classes: Sequence[str]
) -> WindowFeature:
    """A window of the contract over a stored column; the positive class of the target counts 1."""
    positive = window.column == problem.target.name and problem.task == "binary"
    return WindowFeature(
        name=window.as_,
        column=names.get(window.column, window.column),
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


def _names(
    types: Mapping[str, str], problem: Problem, latest: FeatureSet | None = None
) -> dict[str, str]:
    """What the store calls the key, which is named first, and the features."""
    features = [name for name, _ in _features(types, problem)]
    windows = [window.as_ for window in problem.features.windows]
    return store_names([*problem.entity_key, *features], latest, windows)


def _features(types: Mapping[str, str], problem: Problem) -> list[tuple[str, str]]:
    """The columns that are features: not the key, and no event time under the store's own name."""
    keys = set(problem.entity_key)
    own = problem.event_time_column == EVENT_TIME
    return [
        (name, kind)
        for name, kind in types.items()
        if name not in keys and not (own and name == EVENT_TIME)
    ]


def _key(name: str, column: str) -> StoredColumn:
    return StoredColumn(
        name=name, kind="text", description="names the entity", source_column=column
    )


def _feature(name: str, column: str, kind: str, problem: Problem) -> Feature:
    rule = problem.quality.columns.get(column)
    unit = f"in {rule.unit}" if rule and rule.unit else ""
    known_late = {problem.target.name, *target_columns(problem), *problem.features.exclude}
    return Feature(
        name=name,
        kind=kind_of(kind),
        description=unit,
        source_column=column,
        afterwards=column in known_late,
    )
