"""Writing feature rows, as SQL for DuckDB: what is wrong with them, and how they lie.

`incoming` is the relation of rows to write: the key, `event_time`, `created_time` (naive UTC) and
the features. It is written in an order that follows from the rows alone, so that the same rows give
the same bytes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    NUMBER,
    TYPES,
    FeatureSet,
    StoredColumn,
    microseconds,
)
from noria.core.feature_store.point_in_time_sql import (
    FeatureFile,
    sql_name,
    sql_text,
    sql_time,
    stored_rows,
)

INCOMING = "incoming"
TIMES = (EVENT_TIME, CREATED_TIME)
# DuckDB's default, and what a reader's thread works on at once.
ROW_GROUP = 122_880
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since_epoch(moment: datetime) -> int:
    """An aware instant in whole microseconds since 1970, UTC."""
    return microseconds(moment - EPOCH)


def instant(moment: int | None) -> datetime | None:
    """Whole microseconds since 1970 as an aware instant."""
    return None if moment is None else EPOCH + timedelta(microseconds=moment)


def typed_query(feature_set: FeatureSet, relation: str, since: datetime | None = None) -> str:
    """A relation's rows in the set's types, NaN as missing; of event times `since` (aware) on."""
    columns = [f"{_typed(c)} AS {sql_name(c.name)}" for c in feature_set.columns]
    columns += [f"{name}::TIMESTAMP AS {name}" for name in TIMES]
    kept = f" WHERE {EVENT_TIME}::TIMESTAMP >= {sql_time(since)}" if since else ""
    return f"SELECT {', '.join(columns)} FROM {relation}{kept}"  # noqa: S608


def within_query(relation: str, start: datetime, end: datetime) -> str:
    """A relation's rows with event times from `start`, before `end` (both aware)."""
    bounds = f"{EVENT_TIME} >= {sql_time(start)} AND {EVENT_TIME} < {sql_time(end)}"
    return f"SELECT * FROM {relation} AS given WHERE {bounds}"  # noqa: S608


def span_query(relation: str) -> str:
    """The first and the last event time of a relation."""
    return f"SELECT min({EVENT_TIME}), max({EVENT_TIME}) FROM {relation} AS given"  # noqa: S608


def repeats_query(feature_set: FeatureSet) -> str:
    """The first entity with several incoming rows at one event time, with how many there are."""
    keys = ", ".join([*map(sql_name, feature_set.keys), EVENT_TIME])
    return (
        f"SELECT {keys}, count(*), count(*) OVER () FROM {INCOMING} GROUP BY ALL "  # noqa: S608
        f"HAVING count(*) > 1 ORDER BY {keys} LIMIT 1"
    )


def merge_query(feature_set: FeatureSet, parts: Sequence[FeatureFile]) -> str:
    """The rows of several files of the same columns, to be written as one, with their numbers."""
    columns = [column for column in feature_set.columns if column.name in parts[0].columns]
    selects = (stored_rows(part, columns) for part in parts)
    return "\n    UNION ALL ".join(selects)


def digest_query(feature_set: FeatureSet) -> str:
    """The number of incoming rows, and a digest of them that their order does not change."""
    columns = ", ".join(sql_name(c.name) for c in feature_set.columns)
    rows = f"hash({', '.join(filter(None, [columns, *TIMES]))})"
    return f"SELECT count(*), coalesce(sum({rows}::HUGEINT), 0) FROM {INCOMING}"  # noqa: S608


def write_query(feature_set: FeatureSet, rows: str, path: str) -> str:
    """Write the rows of a query to a Parquet file: by key and time, for small and prunable files.

    Every column takes part in the order, so that only equal rows are interchangeable.
    """
    features = [sql_name(feature.name) for feature in feature_set.features]
    return _copy(f"FROM ({rows}) ORDER BY {', '.join([*_order(feature_set), *features])}", path)


def write_merged_query(feature_set: FeatureSet, rows: str, path: str) -> str:
    """Write rows that have numbers by key and time, equal ones of these by their numbers.

    Which of two rows counts depends on their numbers only where entity and both times are equal, so
    the file answers as those did that it is made of.
    """
    chosen = f"SELECT * EXCLUDE ({NUMBER}) FROM ({rows})"  # noqa: S608
    return _copy(f"{chosen} ORDER BY {', '.join([*_order(feature_set), NUMBER])}", path)


def bounds_query(path: str) -> str:
    """How many rows a file has, and the first and last event and created time (microseconds)."""
    spans = ", ".join(f"epoch_us({way}({name})) AS {way}_{name}"
                      for name in TIMES for way in ("min", "max"))  # fmt: skip
    return f"SELECT count(*) AS rows, {spans} FROM read_parquet({sql_text(path)})"  # noqa: S608


def statistics_query(columns: Sequence[StoredColumn], path: str) -> str:
    """What columns of a file hold, one struct each: values, distinct ones (about), range, mean."""
    found = ", ".join(f"{_statistics(column)} AS {sql_name(column.name)}" for column in columns)
    return f"SELECT {found} FROM read_parquet({sql_text(path)})"  # noqa: S608


def _statistics(column: StoredColumn) -> str:
    name = sql_name(column.name)
    finite = f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"
    mean = f"avg({finite})" if column.kind in ("number", "integer", "flag") else "NULL"
    return (
        f"{{'present': count({name}), 'distinct_values': approx_count_distinct({name}), "
        f"'minimum': min({name})::VARCHAR, 'maximum': max({name})::VARCHAR, 'mean': {mean}}}"
    )


def _typed(column: StoredColumn) -> str:
    name, kind = sql_name(column.name), TYPES[column.kind].sql
    if column.kind == "number":
        # -0.0 and NaN have equals with other bytes.
        return f"nullif({name}::{kind}, 'nan'::DOUBLE) + 0.0"
    return f"{name}::{kind}"


def _order(feature_set: FeatureSet) -> list[str]:
    return [*map(sql_name, feature_set.keys), *TIMES]


def _copy(query: str, path: str) -> str:
    settings = f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROW_GROUP}"
    return f"COPY ({query}) TO {sql_text(path)} ({settings})"
