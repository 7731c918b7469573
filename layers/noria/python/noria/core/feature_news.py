"""Which of the rows to be written say something new, as SQL for DuckDB.

`incoming` (`core.feature_writes`) is the relation of rows to write. A row is named by its entity
and its event time; of several stored ones that counts which was created last, or else stored last.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from noria.core.feature_sets import CREATED_TIME, EVENT_TIME, NUMBER, TYPES, Column, FeatureSet
from noria.core.feature_writes import INCOMING, TIMES
from noria.core.point_in_time import Part, identifier, stored_rows, timestamp

UNTIL, LACKS = "noria_until", "noria_lacks_"


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
    if not parts:
        return f"SELECT * FROM {INCOMING}"  # noqa: S608
    lacking = _lacking(feature_set, parts)
    tells = [f"counted.{_lacks(c)} AND said.{identifier(c.name)} IS NOT NULL" for c in lacking]
    names = ", ".join(_row_names(feature_set))
    return f"""
{_counted(feature_set, parts, lacking)}
{_filled(feature_set, lacking)} WHERE {" OR ".join(tells) or "false"}
UNION ALL
SELECT said.* FROM {INCOMING} AS said ANTI JOIN counted USING ({names})"""  # noqa: S608


def succeeding_rows_query(
    feature_set: FeatureSet, parts: Sequence[Part], kept: Collection[str]
) -> str:
    """The first rows of a version, from the files of the version before and the incoming rows.

    What incoming rows have is stored as the version before stored it: when it came, and as it was
    then, in the columns that are `kept`. Other columns are filled. Then what is new follows.
    """
    there = [replace(part, columns=part.columns & frozenset(kept)) for part in parts]
    lacking = _lacking(feature_set, there)
    names = _row_names(feature_set)
    order = f"PARTITION BY {', '.join(names)} ORDER BY {CREATED_TIME}"
    columns = ", ".join([*(identifier(c.name) for c in feature_set.columns), *TIMES])
    return f"""
{_counted(feature_set, there, lacking)}, filled AS (
    {_filled(feature_set, lacking)}
), dated AS (
    SELECT *, lead({CREATED_TIME}) OVER ({order}) AS {UNTIL} FROM filled
)
SELECT {columns} FROM filled
UNION ALL
SELECT said.* FROM {INCOMING} AS said ANTI JOIN dated AS counted
    ON {_is_equal(feature_set)}"""  # noqa: S608


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
    selects = [stored_rows(part, feature_set.columns) for part in there] or [_none(feature_set)]
    rows = " UNION ALL ".join(selects)
    return f"""(
SELECT {", ".join(columns)} FROM {relation} AS given LEFT JOIN (
    FROM ({rows})
    QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {CREATED_TIME} DESC, {NUMBER} DESC) = 1
) AS held USING ({names}))"""  # noqa: S608


def _unequal_rows(feature_set: FeatureSet, parts: Sequence[Part], said: str) -> str:
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
    values = [identifier(feature.name) for feature in feature_set.features]
    same = [f"counted.{name} = said.{name}" for name in _row_names(feature_set)]
    same += [f"counted.{name} IS NOT DISTINCT FROM said.{name}" for name in values]
    same.append(f"counted.{CREATED_TIME} <= said.{CREATED_TIME}")
    same.append(f"(counted.{UNTIL} IS NULL OR said.{CREATED_TIME} < counted.{UNTIL})")
    return " AND ".join(same)


def _lacking(feature_set: FeatureSet, parts: Sequence[Part]) -> list[Column]:
    return [c for c in feature_set.columns if any(c.name not in part.columns for part in parts)]


def _counted(feature_set: FeatureSet, parts: Sequence[Part], lacking: Sequence[Column]) -> str:
    """The stored row that counts for each entity, event time and created time."""
    rows = (_stored_lacking(feature_set, part, lacking) for part in parts)
    names = ", ".join([*_row_names(feature_set), CREATED_TIME])
    return f"""WITH stored AS (
    {" UNION ALL ".join(rows)}
), counted AS (
    FROM stored QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {NUMBER} DESC) = 1
)"""


def _filled(feature_set: FeatureSet, lacking: Sequence[Column]) -> str:
    """Counted rows with the incoming values of columns that their files lack."""
    filled = {c.name: f"CASE WHEN counted.{_lacks(c)} THEN said.{identifier(c.name)} "
                      f"ELSE counted.{identifier(c.name)} END" for c in lacking}  # fmt: skip
    columns = [f"{filled.get(c.name, f'counted.{identifier(c.name)}')} AS {identifier(c.name)}"
               for c in feature_set.columns]  # fmt: skip
    columns += [f"counted.{name} AS {name}" for name in TIMES]
    names = ", ".join(_row_names(feature_set))
    return f"SELECT {', '.join(columns)} FROM counted JOIN {INCOMING} AS said USING ({names})"  # noqa: S608


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
    return f"SELECT {', '.join(['*', *told])} FROM ({stored_rows(part, feature_set.columns)})"  # noqa: S608
