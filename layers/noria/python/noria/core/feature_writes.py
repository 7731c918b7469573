"""Writing feature rows, as SQL for DuckDB: what is wrong with them, what is new, how they lie.

`incoming` is the relation of rows to write: the key, `event_time`, `created_time` (naive UTC) and
the features. It is written in an order that follows from the rows alone, so that the same rows give
the same bytes.
"""

from collections.abc import Sequence

from noria.core.feature_sets import (
    CREATED_TIME,
    EVENT_TIME,
    NUMBER,
    ROW_OF_FILE,
    TYPES,
    Column,
    FeatureSet,
)
from noria.core.point_in_time import Part, identifier, literal, read_part, stored

INCOMING = "incoming"
TIMES = (EVENT_TIME, CREATED_TIME)
# DuckDB's default, and what a reader's thread works on at once.
ROW_GROUP = 122_880


def typed_query(feature_set: FeatureSet, relation: str) -> str:
    """A relation's rows in the set's types, NaN as missing."""
    columns = [f"{_typed(c)} AS {identifier(c.name)}" for c in feature_set.columns]
    columns += [f"{name}::TIMESTAMP AS {name}" for name in TIMES]
    return f"SELECT {', '.join(columns)} FROM {relation}"  # noqa: S608


def repeats_query(feature_set: FeatureSet) -> str:
    """The first entity with several incoming rows at one event time, with how many there are."""
    keys = ", ".join([*map(identifier, feature_set.keys), EVENT_TIME])
    return (
        f"SELECT {keys}, count(*), count(*) OVER () FROM {INCOMING} GROUP BY ALL "  # noqa: S608
        f"HAVING count(*) > 1 ORDER BY {keys} LIMIT 1"
    )


def new_rows_query(feature_set: FeatureSet, parts: Sequence[Part]) -> str:
    """The incoming rows that say something new: the entity's row at that event time is no equal.

    Compared with the row that counts there (created last): a value that changes back is new again,
    and so is one that turns out to have been known earlier.
    """
    if not parts:
        return f"SELECT * FROM {INCOMING}"  # noqa: S608
    names = [*map(identifier, feature_set.keys), EVENT_TIME]
    same = [f"counted.{name} = {INCOMING}.{name}" for name in names]
    same += [
        f"counted.{identifier(f.name)} IS NOT DISTINCT FROM {INCOMING}.{identifier(f.name)}"
        for f in feature_set.features
    ]
    same.append(f"counted.{CREATED_TIME} <= {INCOMING}.{CREATED_TIME}")
    latest = f"PARTITION BY {', '.join(names)} ORDER BY {CREATED_TIME} DESC, {NUMBER} DESC"
    return f"""
WITH stored AS (
    {" UNION ALL ".join(_stored(feature_set, part) for part in parts)}
), counted AS (
    SELECT * FROM stored QUALIFY row_number() OVER ({latest}) = 1
)
SELECT {INCOMING}.* FROM {INCOMING} ANTI JOIN counted ON {" AND ".join(same)}"""  # noqa: S608


def digest_query(feature_set: FeatureSet) -> str:
    """The number of incoming rows, and a digest of them that their order does not change."""
    columns = ", ".join(identifier(c.name) for c in feature_set.columns)
    rows = f"hash({', '.join(filter(None, [columns, *TIMES]))})"
    return f"SELECT count(*), coalesce(sum({rows}::HUGEINT), 0) FROM {INCOMING}"  # noqa: S608


def write_query(feature_set: FeatureSet, rows: str, path: str) -> str:
    """Write the rows of a query to a Parquet file: by key and time, for small and prunable files.

    Every column takes part in the order, so that only equal rows are interchangeable.
    """
    names = [*map(identifier, feature_set.keys), *TIMES]
    names += [identifier(feature.name) for feature in feature_set.features]
    settings = f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROW_GROUP}"
    return f"COPY (FROM ({rows}) ORDER BY {', '.join(names)}) TO {literal(path)} ({settings})"


def bounds_query(path: str) -> str:
    """How many rows a file has, and the first and last event and created time (microseconds)."""
    spans = ", ".join(f"epoch_us({way}({name})) AS {way}_{name}"
                      for name in TIMES for way in ("min", "max"))  # fmt: skip
    return f"SELECT count(*) AS rows, {spans} FROM read_parquet({literal(path)})"  # noqa: S608


def statistics_query(column: Column, path: str) -> str:
    """What a column of a file holds: present values, distinct ones (about), least, most, mean."""
    name = identifier(column.name)
    finite = f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"
    mean = f"avg({finite})" if column.kind in ("number", "integer", "flag") else "NULL"
    return (
        f"SELECT count({name}) AS present, approx_count_distinct({name}) AS distinct_values, "  # noqa: S608
        f"min({name})::VARCHAR AS minimum, max({name})::VARCHAR AS maximum, {mean} AS mean "
        f"FROM read_parquet({literal(path)})"
    )


def _typed(column: Column) -> str:
    name, kind = identifier(column.name), TYPES[column.kind].sql
    if column.kind == "number":
        # -0.0 and NaN have equals with other bytes.
        return f"nullif({name}::{kind}, 'nan'::DOUBLE) + 0.0"
    return f"{name}::{kind}"


def _stored(feature_set: FeatureSet, part: Part) -> str:
    columns = [f"{stored(part, c)} AS {identifier(c.name)}" for c in feature_set.columns]
    chosen = ", ".join([*columns, *TIMES])
    return f"SELECT {chosen}, {ROW_OF_FILE} + {part.first} AS {NUMBER} FROM {read_part(part)}"  # noqa: S608
