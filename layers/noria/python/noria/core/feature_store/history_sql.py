"""The rows that time-window aggregations read, as SQL for DuckDB over the feature store's files.

A row counts from its created time on, until a row of the same entity and event time replaces it (a
correction). In a set whose rows may repeat, nothing tells a correction from a second row: there the
file stored last, which holds all rows of its run, is the history.
"""

from collections.abc import Sequence
from datetime import datetime

from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    NUMBERS,
    PREDICTION_TIME,
    TYPES,
    FeatureSet,
    WindowFeature,
)
from noria.core.feature_store.point_in_time_sql import (
    ENTITIES,
    POSITION,
    FeatureFile,
    key_aliases,
    read_part,
    sql_name,
    sql_text,
    sql_time,
    stored,
)
from noria.core.windows.tiles import NO_END

ENTITY, TIME, KNOWN, UNTIL = "entity", "time", "known", "until"


def asked_query(feature_set: FeatureSet) -> str:
    """Each row of `entities` with its entity's code (-1 where the key is not whole) and instant."""
    keys = key_aliases(feature_set)
    same = " AND ".join(f"{_cast(feature_set, key)} = coded.{key}" for key in keys)
    return f"""
WITH {_coded(feature_set)}
SELECT coalesce(coded.{ENTITY}, -1)::BIGINT AS {ENTITY},
    {_seconds(PREDICTION_TIME)} AS {TIME}
FROM {ENTITIES} LEFT JOIN coded ON {same}
ORDER BY {POSITION}"""  # noqa: S608 (names are quoted, values are ours)


def history_query(
    feature_set: FeatureSet,
    windows: Sequence[WindowFeature],
    parts: Sequence[FeatureFile],
    known_by: datetime | None = None,
) -> str:
    """All rows of the entities in `entities`: their times in seconds, and the windows' values.

    Values are doubles named v0, v1 ... in the order of `windows`, missing where there is none.
    `known_by` (aware) hides what was created later.
    """
    keys = key_aliases(feature_set)
    kept = parts[-1:] if feature_set.repeats else parts
    values = ", ".join(f"v{number}" for number, _ in enumerate(windows))
    partition = ", ".join([*keys, "event"])
    replaced = "NULL::TIMESTAMP" if feature_set.repeats else (
        f"lead(created) OVER (PARTITION BY {partition} ORDER BY created, number)"
    )  # fmt: skip
    rows = "\n    UNION ALL ".join(_rows(feature_set, windows, part) for part in kept)
    bound = f" WHERE created <= {sql_time(known_by)}" if known_by else ""
    return f"""
WITH {_coded(feature_set)}, stored AS (
    {rows}
), replaced AS (
    SELECT *, {replaced} AS successor FROM stored{bound}
)
SELECT {ENTITY}, {_seconds("event")} AS {TIME}, {_seconds_after("created")} AS {KNOWN},
    coalesce({_seconds_after("successor")}, {NO_END}) AS {UNTIL}, {values}
FROM replaced JOIN coded USING ({", ".join(keys)})"""  # noqa: S608


def names_query(feature_set: FeatureSet) -> str:
    """The entities in `entities` by their codes, from 0: the key's columns as k0, k1 ..."""
    return f"WITH {_coded(feature_set)} SELECT * FROM coded ORDER BY {ENTITY}"  # noqa: S608


def _seconds(moment: str) -> str:
    """The whole second in which an instant lies."""
    return f"epoch_us(date_trunc('second', {moment})) // 1000000"


def _seconds_after(moment: str) -> str:
    """The first whole second that is not before an instant."""
    return _seconds(f"{moment} + INTERVAL 999999 MICROSECONDS")


def _coded(feature_set: FeatureSet) -> str:
    keys = key_aliases(feature_set)
    casts = ", ".join(f"{_cast(feature_set, key)} AS {key}" for key in keys)
    whole = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    named = ", ".join(keys)
    return f"""coded AS (
    SELECT {named}, row_number() OVER (ORDER BY {named}) - 1 AS {ENTITY}
    FROM (SELECT DISTINCT {casts} FROM {ENTITIES}) WHERE {whole}
)"""  # noqa: S608


def _cast(feature_set: FeatureSet, key: str) -> str:
    kinds = dict(zip(key_aliases(feature_set), feature_set.entity_key, strict=True))
    return f"{ENTITIES}.{key}::{TYPES[kinds[key].kind].sql}"


def _rows(feature_set: FeatureSet, windows: Sequence[WindowFeature], part: FeatureFile) -> str:
    pairs = zip(feature_set.entity_key, key_aliases(feature_set), strict=True)
    keys = [f"{sql_name(column.name)} AS {alias}" for column, alias in pairs]
    times = [f"{EVENT_TIME} AS event", f"{CREATED_TIME} AS created"]
    number = f"file_row_number + {part.first} AS number"
    values = [f"{_value(feature_set, one, part)} AS v{n}" for n, one in enumerate(windows)]
    return f"SELECT {', '.join([*keys, *times, number, *values])} FROM {read_part(part)}"  # noqa: S608


def _value(feature_set: FeatureSet, window: WindowFeature, part: FeatureFile) -> str:
    """A column's value as a double: 1 where only its presence counts."""
    column = next(one for one in feature_set.columns if one.name == window.column)
    raw = stored(part, column)
    if window.equals is not None:
        return f"({raw} = {sql_text(window.equals)}::{TYPES[column.kind].sql})::DOUBLE"
    if column.kind not in NUMBERS:
        return f"CASE WHEN {raw} IS NOT NULL THEN 1.0 END"
    return f"CASE WHEN isfinite({raw}::DOUBLE) THEN {raw}::DOUBLE END"
