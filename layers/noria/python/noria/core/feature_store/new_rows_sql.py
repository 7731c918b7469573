"""Which of the rows to be written say something new, as SQL for DuckDB.

`incoming` (`core.feature_writes`) is the relation of rows to write. A row is named by its entity
and its event time; of several stored ones that counts which was created last, or else stored last.
"""

from collections.abc import Sequence
from datetime import datetime

from noria.core.feature_store.entity_keys import key_text
from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    NUMBER,
    TYPES,
    FeatureSet,
    StoredColumn,
)
from noria.core.feature_store.point_in_time_sql import (
    FeatureFile,
    sql_name,
    sql_time,
    stored_rows,
)
from noria.core.feature_store.write_sql import INCOMING, TIMES

UNTIL, LACKS, FIRST = "noria_until", "noria_lacks_", "noria_first"


def new_rows_query(feature_set: FeatureSet, parts: Sequence[FeatureFile]) -> str:
    """The incoming rows that say something new: the entity's row at that event time is no equal.

    Compared with the row that counts there at the incoming one's created time: a value that changes
    back is new again, and so is one that turns out to have been known earlier.
    """
    return _unequal_rows(feature_set, parts, INCOMING)


def replacing_rows_query(
    feature_set: FeatureSet, parts: Sequence[FeatureFile], settled: datetime
) -> str:
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
    WHERE {later} AND stored.{CREATED_TIME} <= {sql_time(settled)})"""  # noqa: S608
    return _unequal_rows(feature_set, parts, said)


def filling_rows_query(feature_set: FeatureSet, parts: Sequence[FeatureFile]) -> str:
    """Incoming values for columns that stored rows lack; stored values stay.

    A stored row whose file lacks a column is repeated at its own created time with the incoming
    value there. So what was corrected later is not seen before, and what came late stays late. An
    incoming row without a stored one counts from its own created time on.
    """
    if not parts:
        return f"SELECT * FROM {INCOMING}"  # noqa: S608
    lacking = [c for c in feature_set.columns if any(c.name not in p.columns for p in parts)]
    selects = [_stored_lacking(feature_set, part, lacking) for part in parts]
    tells = [f"counted.{_lacks(c)} AND said.{sql_name(c.name)} IS NOT NULL" for c in lacking]
    names = ", ".join(_row_names(feature_set))
    return f"""
{_counted(feature_set, selects)}
{_filled(feature_set, lacking)} WHERE {" OR ".join(tells) or "false"}
UNION ALL
SELECT said.* FROM {INCOMING} AS said ANTI JOIN counted USING ({names})"""  # noqa: S608


def succeeding_rows_query(
    feature_set: FeatureSet, parts: Sequence[FeatureFile], before: FeatureSet
) -> str:
    """The first rows of a version, from the files of the version `before` it and the incoming rows.

    Stored rows go on as they were stored, and when they came: of a changed type as far as a value
    can be read so, and by the new delay where they came by the old one. Columns that they had no
    place for are filled. Then the incoming rows follow that say something else.
    """
    known = {column.name: column for column in before.columns}
    lacking = [
        c for c in feature_set.columns
        if c.name not in known or any(c.name not in part.columns for part in parts)
    ]  # fmt: skip
    selects = [_in_version(feature_set, before, part, lacking) for part in parts]
    names = ", ".join(_row_names(feature_set))
    order = f"PARTITION BY {names} ORDER BY {CREATED_TIME}"
    columns = ", ".join([*(sql_name(c.name) for c in feature_set.columns), *TIMES])
    return f"""
{_counted(feature_set, selects)}, filled AS (
    {_filled(feature_set, lacking, "LEFT JOIN")}
), moved AS (
    SELECT * REPLACE ({_shifted_created_time(feature_set, before)} AS {CREATED_TIME}) FROM filled
), dated AS (
    SELECT *, lead({CREATED_TIME}) OVER ({order}) AS {UNTIL} FROM moved
), fresh AS (
    SELECT said.* FROM {INCOMING} AS said ANTI JOIN dated AS counted ON {_is_equal(feature_set)}
)
SELECT {columns} FROM moved ANTI JOIN fresh USING ({names}, {CREATED_TIME})
UNION ALL
SELECT {columns} FROM fresh"""  # noqa: S608


def late_rows_query(
    feature_set: FeatureSet, relation: str, parts: Sequence[FeatureFile], of: FeatureSet
) -> str:
    """A relation's rows, with the created time of another set (`of`) where they came late to that.

    A row that came to `of` within its delay keeps its own created time; one that came later is
    created no earlier than it first came there.
    """
    names = ", ".join(_row_names(feature_set))
    rows = " UNION ALL ".join(stored_rows(part, feature_set.entity_key) for part in parts)
    in_time = f"{FIRST} = {EVENT_TIME} + {_interval(of.delay)}"
    return f"""(
SELECT given.* REPLACE (
    CASE WHEN {FIRST} IS NULL OR {in_time} THEN {CREATED_TIME}
    ELSE greatest({CREATED_TIME}, {FIRST}) END AS {CREATED_TIME})
FROM {relation} AS given LEFT JOIN (
    SELECT {names}, min({CREATED_TIME}) AS {FIRST} FROM ({rows}) GROUP BY ALL
) USING ({names}))"""  # noqa: S608


def with_stored_values_query(
    feature_set: FeatureSet, relation: str, parts: Sequence[FeatureFile], without: Sequence[str]
) -> str:
    """A relation's rows with stored values in the columns that it lacks (`without`).

    They are missing in rows that are not stored.
    """
    columns = [
        f"{'held' if c.name in without else 'given'}.{sql_name(c.name)}"
        for c in feature_set.columns
    ]
    columns += [f"given.{name}" for name in TIMES]
    names = ", ".join(_row_names(feature_set))
    held = [*feature_set.entity_key, *(f for f in feature_set.features if f.name in without)]
    selects = [stored_rows(part, held) for part in parts] or [_none(held)]
    return f"""(
SELECT {", ".join(columns)} FROM {relation} AS given LEFT JOIN (
    FROM ({" UNION ALL ".join(selects)})
    QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {CREATED_TIME} DESC, {NUMBER} DESC) = 1
) AS held USING ({names}))"""  # noqa: S608


def _unequal_rows(feature_set: FeatureSet, parts: Sequence[FeatureFile], said: str) -> str:
    """The rows of a relation that are no equals of those that count at their created time."""
    if not parts:
        return f"SELECT * FROM {INCOMING}"  # noqa: S608
    names = _row_names(feature_set)
    order = f"PARTITION BY {', '.join(names)} ORDER BY {CREATED_TIME}, {NUMBER}"
    return f"""
WITH stored AS (
    {" UNION ALL ".join(stored_rows(part, feature_set.columns) for part in parts)}
), counted AS (
    SELECT *, lead({CREATED_TIME}) OVER ({order}) AS {UNTIL} FROM stored
)
SELECT said.* FROM {said} AS said ANTI JOIN counted ON {_is_equal(feature_set)}"""  # noqa: S608


def _is_equal(feature_set: FeatureSet) -> str:
    """Whether a row `counted` until it ends says what a row `said` says, when that is created."""
    values = [sql_name(feature.name) for feature in feature_set.features]
    same = [f"counted.{name} = said.{name}" for name in _row_names(feature_set)]
    same += [f"counted.{name} IS NOT DISTINCT FROM said.{name}" for name in values]
    same.append(f"counted.{CREATED_TIME} <= said.{CREATED_TIME}")
    same.append(f"(counted.{UNTIL} IS NULL OR said.{CREATED_TIME} < counted.{UNTIL})")
    return " AND ".join(same)


def _counted(feature_set: FeatureSet, selects: Sequence[str]) -> str:
    """Of stored rows the one that counts for each entity, event time and created time."""
    names = ", ".join([*_row_names(feature_set), CREATED_TIME])
    return f"""WITH stored AS (
    {" UNION ALL ".join(selects)}
), counted AS (
    FROM stored QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {NUMBER} DESC) = 1
)"""


def _in_version(
    feature_set: FeatureSet, before: FeatureSet, part: FeatureFile, lacking: Sequence[StoredColumn]
) -> str:
    """A file's rows in the columns of a later version."""
    known = {column.name: column for column in before.columns}
    columns = []
    for column in feature_set.columns:
        name, kind = sql_name(column.name), TYPES[column.kind].sql
        there = column.name in known
        value = _as_text(known[column.name]) if there and kind == "VARCHAR" else name
        columns.append(f"TRY_CAST({value if there else 'NULL'} AS {kind}) AS {name}")
    absent = [c.name not in known or c.name not in part.columns for c in lacking]
    told = [f"{str(one).lower()} AS {_lacks(c)}" for c, one in zip(lacking, absent, strict=True)]
    chosen = ", ".join([*columns, *TIMES, NUMBER, *told])
    return f"SELECT {chosen} FROM ({stored_rows(part, before.columns)})"  # noqa: S608


def _shifted_created_time(feature_set: FeatureSet, before: FeatureSet) -> str:
    """When a stored row came, by a new delay where it first came by the old one.

    Its corrections stay in their order behind it, a microsecond apart at least.
    """
    if before.delay == feature_set.delay:
        return CREATED_TIME
    rows = f"PARTITION BY {', '.join(_row_names(feature_set))}"
    first = f"min({CREATED_TIME}) OVER ({rows})"
    came = (
        f"CASE WHEN {first} = {EVENT_TIME} + {_interval(before.delay)} "
        f"THEN {EVENT_TIME} + {_interval(feature_set.delay)} ELSE {first} END"
    )
    place = f"row_number() OVER ({rows} ORDER BY {CREATED_TIME}) - 1"
    is_first = f"{CREATED_TIME} = {first}"
    behind = f"greatest({CREATED_TIME}, {came} + to_microseconds({place}))"
    return f"CASE WHEN {is_first} THEN {came} ELSE {behind} END"


def _as_text(column: StoredColumn) -> str:
    return key_text(sql_name(column.name), TYPES[column.kind].sql)


def _interval(seconds: int) -> str:
    return f"INTERVAL {seconds} SECONDS"


def _filled(feature_set: FeatureSet, lacking: Sequence[StoredColumn], join: str = "JOIN") -> str:
    """Counted rows with the incoming values of columns that their files lack."""
    filled = {c.name: f"CASE WHEN counted.{_lacks(c)} THEN said.{sql_name(c.name)} "
                      f"ELSE counted.{sql_name(c.name)} END" for c in lacking}  # fmt: skip
    columns = [f"{filled.get(c.name, f'counted.{sql_name(c.name)}')} AS {sql_name(c.name)}"
               for c in feature_set.columns]  # fmt: skip
    columns += [f"counted.{name} AS {name}" for name in TIMES]
    names = ", ".join(_row_names(feature_set))
    return f"SELECT {', '.join(columns)} FROM counted {join} {INCOMING} AS said USING ({names})"  # noqa: S608


def _none(held: Sequence[StoredColumn]) -> str:
    """No row, of a stored one's columns."""
    columns = [f"NULL::{TYPES[c.kind].sql} AS {sql_name(c.name)}" for c in held]
    columns += [f"NULL::TIMESTAMP AS {name}" for name in TIMES]
    return f"SELECT {', '.join(columns)}, 0 AS {NUMBER} WHERE false"


def _row_names(feature_set: FeatureSet) -> list[str]:
    """What names a row: an entity and an event time."""
    return [*map(sql_name, feature_set.keys), EVENT_TIME]


def _lacks(column: StoredColumn) -> str:
    return sql_name(f"{LACKS}{column.name}")


def _stored_lacking(
    feature_set: FeatureSet, part: FeatureFile, lacking: Sequence[StoredColumn]
) -> str:
    """A file's rows, with what columns it has no place for."""
    told = [f"{str(c.name not in part.columns).lower()} AS {_lacks(c)}" for c in lacking]
    return f"SELECT {', '.join(['*', *told])} FROM ({stored_rows(part, feature_set.columns)})"  # noqa: S608
