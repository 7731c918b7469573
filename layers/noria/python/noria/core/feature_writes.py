"""Writing feature rows, as SQL for DuckDB: what is wrong with them, what is new, how they lie.

`incoming` is the relation of rows to write: the key, `event_time`, `created_time` (naive UTC) and
the features. It is written in an order that follows from the rows alone, so that the same rows give
the same bytes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from noria.core.feature_sets import (
    CREATED_TIME,
    EVENT_TIME,
    NUMBER,
    ROW_OF_FILE,
    TYPES,
    Column,
    FeatureSet,
    microseconds,
)
from noria.core.point_in_time import Part, identifier, literal, read_part, stored, timestamp

INCOMING, UNTIL, LACKS = "incoming", "noria_until", "noria_lacks_"
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
    columns = [f"{_typed(c)} AS {identifier(c.name)}" for c in feature_set.columns]
    columns += [f"{name}::TIMESTAMP AS {name}" for name in TIMES]
    kept = f" WHERE {EVENT_TIME}::TIMESTAMP >= {timestamp(since)}" if since else ""
    return f"SELECT {', '.join(columns)} FROM {relation}{kept}"  # noqa: S608


def within_query(relation: str, start: datetime, end: datetime) -> str:
    """A relation's rows with event times from `start`, before `end` (both aware)."""
    bounds = f"{EVENT_TIME} >= {timestamp(start)} AND {EVENT_TIME} < {timestamp(end)}"
    return f"SELECT * FROM {relation} AS given WHERE {bounds}"  # noqa: S608


def span_query(relation: str) -> str:
    """The first and the last event time of a relation."""
    return f"SELECT min({EVENT_TIME}), max({EVENT_TIME}) FROM {relation} AS given"  # noqa: S608


def repeats_query(feature_set: FeatureSet) -> str:
    """The first entity with several incoming rows at one event time, with how many there are."""
    keys = ", ".join([*map(identifier, feature_set.keys), EVENT_TIME])
    return (
        f"SELECT {keys}, count(*), count(*) OVER () FROM {INCOMING} GROUP BY ALL "  # noqa: S608
        f"HAVING count(*) > 1 ORDER BY {keys} LIMIT 1"
    )


def new_rows_query(feature_set: FeatureSet, parts: Sequence[Part]) -> str:
    """The incoming rows that say something new: the entity's row at that event time is no equal.

    Compared with the row that counts there at the incoming one's created time: a value that changes
    back is new again, and so is one that turns out to have been known earlier.
    """
    return _unequal_rows(feature_set, parts, INCOMING)


def replacing_rows_query(feature_set: FeatureSet, parts: Sequence[Part], settled: datetime) -> str:
    """The incoming rows that say something new, in the place of all that was stored till `settled`.

    They hold whatever was stored after their own created time: they are repeated at the created
    time of each row that would take their place until then (aware).
    """
    same = " AND ".join(f"stored.{name} = {INCOMING}.{name}" for name in _row_names(feature_set))
    later = f"stored.{CREATED_TIME} > {INCOMING}.{CREATED_TIME}"
    said = f"""(
    SELECT * FROM {INCOMING}
    UNION SELECT {INCOMING}.* REPLACE (stored.{CREATED_TIME} AS {CREATED_TIME})
    FROM {INCOMING} JOIN stored ON {same}
    WHERE {later} AND stored.{CREATED_TIME} <= {timestamp(settled)})"""  # noqa: S608
    return _unequal_rows(feature_set, parts, said)


def filling_rows_query(feature_set: FeatureSet, parts: Sequence[Part]) -> str:
    """What incoming rows tell of columns that stored rows have no place for; stored values stay.

    A stored row whose file lacks a column is repeated at its own created time with the incoming
    value there. So what was corrected later is not seen before, and what came late stays late. An
    incoming row without a stored one counts from its own created time on.
    """
    lacking = [c for c in feature_set.columns if any(c.name not in p.columns for p in parts)]
    if not parts:
        return f"SELECT * FROM {INCOMING}"  # noqa: S608
    same = _row_names(feature_set)
    filled = {c.name: f"CASE WHEN counted.{_lacks(c)} THEN said.{identifier(c.name)} "
                      f"ELSE counted.{identifier(c.name)} END" for c in lacking}  # fmt: skip
    columns = [f"{filled.get(c.name, f'counted.{identifier(c.name)}')} AS {identifier(c.name)}"
               for c in feature_set.columns]  # fmt: skip
    columns += [f"counted.{name}" for name in TIMES]
    tells = [f"counted.{_lacks(c)} AND said.{identifier(c.name)} IS NOT NULL" for c in lacking]
    return f"""
WITH stored AS (
    {" UNION ALL ".join(_stored_lacking(feature_set, part, lacking) for part in parts)}
), counted AS (
    FROM stored QUALIFY row_number() OVER (
        PARTITION BY {", ".join([*same, CREATED_TIME])} ORDER BY {NUMBER} DESC) = 1
)
SELECT {", ".join(columns)} FROM counted JOIN {INCOMING} AS said USING ({", ".join(same)})
WHERE {" OR ".join(tells) or "false"}
UNION ALL
SELECT said.* FROM {INCOMING} AS said ANTI JOIN counted USING ({", ".join(same)})"""  # noqa: S608


def carrying_query(
    feature_set: FeatureSet, relation: str, parts: Sequence[Part], without: Sequence[str]
) -> str:
    """A relation's rows with the stored values of columns `without` which they come.

    Of rows that are not stored, and where nothing tells which row is which, these are missing.
    """
    columns = [
        f"{'held' if c.name in without else 'given'}.{identifier(c.name)}"
        for c in feature_set.columns
    ]
    columns += [f"given.{name}" for name in TIMES]
    names = ", ".join(_row_names(feature_set))
    there = [] if feature_set.repeats else parts
    rows = " UNION ALL ".join(_stored(feature_set, part) for part in there) or _none(feature_set)
    return f"""(
SELECT {", ".join(columns)} FROM {relation} AS given LEFT JOIN (
    FROM ({rows})
    QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {CREATED_TIME} DESC, {NUMBER} DESC) = 1
) AS held USING ({names}))"""  # noqa: S608


def merge_query(feature_set: FeatureSet, parts: Sequence[Part]) -> str:
    """The rows of several files of the same columns, to be written as one, with their numbers."""
    columns = [column for column in feature_set.columns if column.name in parts[0].columns]
    selects = (_stored(feature_set, part, columns) for part in parts)
    return "\n    UNION ALL ".join(selects)


def digest_query(feature_set: FeatureSet) -> str:
    """The number of incoming rows, and a digest of them that their order does not change."""
    columns = ", ".join(identifier(c.name) for c in feature_set.columns)
    rows = f"hash({', '.join(filter(None, [columns, *TIMES]))})"
    return f"SELECT count(*), coalesce(sum({rows}::HUGEINT), 0) FROM {INCOMING}"  # noqa: S608


def write_query(feature_set: FeatureSet, rows: str, path: str) -> str:
    """Write the rows of a query to a Parquet file: by key and time, for small and prunable files.

    Every column takes part in the order, so that only equal rows are interchangeable.
    """
    features = [identifier(feature.name) for feature in feature_set.features]
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


def _unequal_rows(feature_set: FeatureSet, parts: Sequence[Part], said: str) -> str:
    """The rows of a relation that are no equals of those that count at their created time."""
    if not parts:
        return f"SELECT * FROM {INCOMING}"  # noqa: S608
    names = _row_names(feature_set)
    values = [identifier(feature.name) for feature in feature_set.features]
    same = [f"counted.{name} = said.{name}" for name in names]
    same += [f"counted.{name} IS NOT DISTINCT FROM said.{name}" for name in values]
    same.append(f"counted.{CREATED_TIME} <= said.{CREATED_TIME}")
    same.append(f"(counted.{UNTIL} IS NULL OR said.{CREATED_TIME} < counted.{UNTIL})")
    order = f"PARTITION BY {', '.join(names)} ORDER BY {CREATED_TIME}, {NUMBER}"
    return f"""
WITH stored AS (
    {" UNION ALL ".join(_stored(feature_set, part) for part in parts)}
), counted AS (
    SELECT *, lead({CREATED_TIME}) OVER ({order}) AS {UNTIL} FROM stored
)
SELECT said.* FROM {said} AS said ANTI JOIN counted ON {" AND ".join(same)}"""  # noqa: S608


def _none(feature_set: FeatureSet) -> str:
    """No row, of a stored one's columns."""
    columns = [f"NULL::{TYPES[c.kind].sql} AS {identifier(c.name)}" for c in feature_set.columns]
    columns += [f"NULL::TIMESTAMP AS {name}" for name in TIMES]
    return f"SELECT {', '.join(columns)}, 0 AS {NUMBER} WHERE false"


def _row_names(feature_set: FeatureSet) -> list[str]:
    """What names a row: an entity and an event time."""
    return [*map(identifier, feature_set.keys), EVENT_TIME]


def _lacks(column: Column) -> str:
    return identifier(f"{LACKS}{column.name}")


def _stored_lacking(feature_set: FeatureSet, part: Part, lacking: Sequence[Column]) -> str:
    """A file's rows, with what columns it has no place for."""
    told = [f"{str(c.name not in part.columns).lower()} AS {_lacks(c)}" for c in lacking]
    return f"SELECT {', '.join(['*', *told])} FROM ({_stored(feature_set, part)})"  # noqa: S608


def _order(feature_set: FeatureSet) -> list[str]:
    return [*map(identifier, feature_set.keys), *TIMES]


def _copy(query: str, path: str) -> str:
    settings = f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROW_GROUP}"
    return f"COPY ({query}) TO {literal(path)} ({settings})"


def _stored(feature_set: FeatureSet, part: Part, chosen: Sequence[Column] | None = None) -> str:
    named = feature_set.columns if chosen is None else chosen
    columns = [f"{stored(part, c)} AS {identifier(c.name)}" for c in named]
    selected = ", ".join([*columns, *TIMES])
    return f"SELECT {selected}, {ROW_OF_FILE} + {part.first} AS {NUMBER} FROM {read_part(part)}"  # noqa: S608
