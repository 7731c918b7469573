"""Point-in-time retrieval, as SQL for DuckDB over Parquet files.

A value is visible at a prediction time when both its event time and its created time are not
later: what the online store would have answered at that very instant. Of the visible rows of an
entity the one with the latest event time counts, then the latest created time (a correction),
then the one stored last. A row that is not its feature's latest never fills in for a missing value.

The rows of the history and of the entities are put on one timeline, ordered by the moment from
which a row is visible, and a running maximum finds the best row so far: one sort instead of a join
(against DuckDB's own ASOF join, which knows one time only, it takes half the memory).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    NUMBER,
    PREDICTION_TIME,
    ROW_OF_FILE,
    TYPES,
    Feature,
    FeatureSet,
    StoredColumn,
    microseconds,
)

# What callers name the relation of entities, and a column beside its key and prediction time.
ENTITIES, POSITION = "entities", "position"
PACKED_BITS = 126  # of a signed 128-bit integer, one bit left unused


@dataclass(frozen=True)
class FeatureFile:
    """A Parquet file of a feature set.

    Its row `r` has the number `first + r`, by which ties end: stored later, higher.
    """

    path: str
    first: int
    rows: int
    columns: frozenset[str]
    event_time: tuple[int, int]
    created_time: tuple[int, int]


def retrieval_query(
    feature_set: FeatureSet,
    features: Sequence[Feature],
    parts: Sequence[FeatureFile],
    *,
    known_by: datetime | None = None,
    times: bool = False,
    packed: bool | None = None,
) -> str:
    """The query whose rows are those of `entities` in the order of `position`, with `features`.

    `entities` has the key's columns as k0, k1 ..., `prediction_time` (naive UTC) and `position`.
    `known_by` (aware) hides what was created later; `times` adds the row's own two times.
    `packed` says how rows are ranked: by one integer where it is wide enough, which is the default,
    or by a row of three (twice the time).
    """
    rank = ranking(parts) if packed is None else (_Packed(parts) if packed else _Row())
    keys = key_aliases(feature_set)
    named = ", ".join(keys)
    casts = ", ".join(
        f"{k}::{TYPES[c.kind].sql}" for k, c in zip(keys, feature_set.entity_key, strict=True)
    )
    over = f"PARTITION BY {named} ORDER BY moment, {POSITION} NULLS FIRST ROWS UNBOUNDED PRECEDING"
    columns = [_value(feature) for feature in features]
    columns += [f"payload.{name}" for name in (EVENT_TIME, CREATED_TIME) if times]
    return f"""
WITH timeline AS (
    {_union(_ranked(feature_set, part, rank, known_by) for part in parts)}
    UNION ALL
    SELECT {casts}, {PREDICTION_TIME}, NULL, {POSITION} FROM {ENTITIES}
), chosen AS (
    SELECT {POSITION}, moment AS predicted, max(rank) OVER ({over}) AS best
    FROM timeline QUALIFY {POSITION} IS NOT NULL
), payload AS (
    {_union(stored_rows(part, features) for part in parts)}
)
SELECT {", ".join(columns)}
FROM (SELECT *, {rank.number("best")} AS {NUMBER} FROM chosen) AS chosen
LEFT JOIN payload USING ({NUMBER})
ORDER BY chosen.{POSITION}"""  # noqa: S608 (names are quoted, values are ours)


class _Row:
    """A rank of three parts, for times too far apart to be packed."""

    def expression(self, part: FeatureFile) -> str:
        """Comparable rank of a row."""
        number = f"{ROW_OF_FILE} + {part.first}"
        return f"struct_pack(e := {EVENT_TIME}, c := {CREATED_TIME}, n := {number})"

    def number(self, best: str) -> str:
        """The row's number in its rank."""
        return f"{best}.n"


class _Packed:
    """A rank in one integer: event time, created time and number side by side."""

    def __init__(self, parts: Sequence[FeatureFile]) -> None:
        self._event = min((part.event_time[0] for part in parts), default=0)
        self._created = min((part.created_time[0] for part in parts), default=0)
        last = max((part.first + part.rows for part in parts), default=0)
        self._number_bits = last.bit_length()
        latest = max((part.created_time[1] for part in parts), default=0)
        self._created_bits = (latest - self._created).bit_length()
        latest = max((part.event_time[1] for part in parts), default=0)
        self.bits = (latest - self._event).bit_length() + self._created_bits + self._number_bits

    def expression(self, part: FeatureFile) -> str:
        """Comparable rank of a row."""
        event = f"(epoch_us({EVENT_TIME}) - {self._event})::HUGEINT"
        created = f"(epoch_us({CREATED_TIME}) - {self._created})"
        number = f"{ROW_OF_FILE} + {part.first}"
        pair = f"({event} * {1 << self._created_bits} + {created})"
        return f"{pair} * {1 << self._number_bits} + {number}"

    def number(self, best: str) -> str:
        """The row's number in its rank."""
        return f"({best} & {(1 << self._number_bits) - 1})::BIGINT"


def ranking(parts: Sequence[FeatureFile]) -> _Packed | _Row:
    """How the rows of these files are ranked."""
    packed = _Packed(parts)
    return packed if packed.bits <= PACKED_BITS else _Row()


def sql_name(name: str) -> str:
    """A name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """A text as SQL quotes it."""
    return "'" + text.replace("'", "''") + "'"


def read_part(part: FeatureFile) -> str:
    """One file as a relation with the rows' numbers in it."""
    return f"read_parquet({sql_text(part.path)}, {ROW_OF_FILE} = true)"


def stored(part: FeatureFile, column: StoredColumn) -> str:
    """A column of a file: one that was added after the file was written is missing there."""
    kind = TYPES[column.kind].sql
    return sql_name(column.name) if column.name in part.columns else f"NULL::{kind}"


def stored_rows(part: FeatureFile, columns: Sequence[StoredColumn]) -> str:
    """A file's rows: columns, both times, and the rows' numbers."""
    named = [f"{stored(part, c)} AS {sql_name(c.name)}" for c in columns]
    chosen = ", ".join([*named, EVENT_TIME, CREATED_TIME])
    return f"SELECT {chosen}, {ROW_OF_FILE} + {part.first} AS {NUMBER} FROM {read_part(part)}"  # noqa: S608


def _ranked(
    feature_set: FeatureSet, part: FeatureFile, rank: _Packed | _Row, known_by: datetime | None
) -> str:
    visible = f"greatest({EVENT_TIME}, {CREATED_TIME})"
    bound = f" WHERE {visible} <= {sql_time(known_by)}" if known_by else ""
    return (
        f"SELECT {_keys(feature_set)}, {visible} AS moment, {rank.expression(part)} AS rank, "  # noqa: S608
        f"NULL::BIGINT AS {POSITION} FROM {read_part(part)}{bound}"
    )


def sql_time(moment: datetime) -> str:
    """An instant as a naive UTC timestamp, to the microsecond."""
    start = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return f"make_timestamp({microseconds(moment - start)})"


def key_aliases(feature_set: FeatureSet) -> list[str]:
    """What queries call the entity key's columns, whatever they are named."""
    return [f"k{number}" for number, _ in enumerate(feature_set.entity_key)]


def _keys(feature_set: FeatureSet) -> str:
    pairs = zip(feature_set.entity_key, key_aliases(feature_set), strict=True)
    return ", ".join(f"{sql_name(column.name)} AS {alias}" for column, alias in pairs)


def _value(feature: Feature) -> str:
    name = f"payload.{sql_name(feature.name)}"
    if feature.time_to_live is None:
        return name
    limit = microseconds(feature.time_to_live)
    age = f"epoch_us(chosen.predicted) - epoch_us(payload.{EVENT_TIME})"
    return f"CASE WHEN {age} <= {limit} THEN {name} END AS {sql_name(feature.name)}"


def _union(selects: Iterator[str]) -> str:
    return "\n    UNION ALL ".join(selects)
