"""Time-window aggregations: functions of an entity's earlier rows over a period before an instant.

An entity's rows are gathered into tiles, partial aggregates over short periods of event time, as
Chronon (chronon.ai, "Tiled architecture") and Tecton ("Tiled aggregations") do: what is kept per
entity stays small however often it is seen. A tile counts at an instant from its end plus `delay`
(what later values need to become known) until its end lies `over` behind. A row never sees itself,
for its own tile has not ended.

The same function makes a training row, an answer of the feature store and a request's row: from the
same tiles it gives the same bits, as only the tiles that count are looked at, in one order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.core.data.dataset import MISSING_TIMESTAMP

Function = Literal["count", "sum", "mean", "minimum", "maximum", "time_since"]
#: Functions that need nothing but the times of the rows that have a value.
OF_TIMES: tuple[Function, ...] = ("count", "time_since")
#: How long a tile may be, in seconds; each divides a day. A window has 288 to 864 of them.
TILES = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400)
FEWEST_TILES = 288  # a window's old edge is then exact to 0.35 % of it
NO_END = np.iinfo(np.int64).max
RECENT = 86_400  # seconds before a load that are answered as exactly as what comes after it
SECONDS_PER_HOUR = 3600.0
#: Tiles that are looked at together: bounds the memory, whatever the number of rows.
CHUNK = 2_000_000


class WindowAggregation(BaseModel):
    """One time-window aggregation: `function` of the entity's `column` over `over` seconds.

    `time_since` is in hours. `count` and `sum` of nothing are 0, the others are missing then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    column: str
    function: Function
    over: int

    @property
    def tile(self) -> int:
        """The length of the tiles it is made from, in seconds: at least 288 of them."""
        return max(size for size in TILES if size == 1 or size * FEWEST_TILES <= self.over)

    @property
    def group(self) -> "Group":
        """The tiles that it is made from."""
        return Group(self.column, self.tile)


class Group(NamedTuple):
    """Windows over one column with tiles of one length share their tiles."""

    column: str
    tile: int


@dataclass(frozen=True, eq=False)
class EntityRows:
    """An entity's rows that have a value, as arrays of one length; times in seconds since 1970.

    A row is known from `known` on, and until another value replaces it at `until`.
    """

    entity: NDArray[np.int64]
    time: NDArray[np.int64]
    known: NDArray[np.int64]
    until: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tiles:
    """Partial aggregates by entity (codes from 0) and period of time, in the order of evaluation.

    `end` is a tile's end; `known` the time from which it may count before `delay` is added (later
    than `end` for what arrived late), `until` when another value replaced it.
    """

    entity: NDArray[np.int64]
    known: NDArray[np.int64]
    end: NDArray[np.int64]
    until: NDArray[np.int64]
    count: NDArray[np.int64]
    last: NDArray[np.int64]
    total: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the tiles."""
        return len(self.end)

    def take(self, places: Array) -> Self:
        """Select tiles by a mask or by positions."""
        return replace(self, **{one.name: getattr(self, one.name)[places] for one in fields(self)})

    @classmethod
    def none(cls) -> Self:
        """No tiles at all."""
        whole: Array = np.zeros(0, dtype=np.int64)
        real: Array = np.zeros(0)
        return cls(whole, whole, whole, whole, whole, whole, real, real, real)


def to_tiles(rows: EntityRows, size: int, delay: int) -> Tiles:
    """Gather rows into tiles of `size` seconds; rows known within `delay` of the end are in time.

    Late rows and replaced ones have tiles of their own.
    """
    end = (rows.time // size + 1) * size
    known = np.where(rows.known <= end + delay, end, rows.known - delay)
    # By value last: a tile's sum must not depend on the order in which its rows were stored.
    order = np.lexsort((rows.value, rows.until, end, known, rows.entity))
    keys = [part[order] for part in (rows.entity, known, end, rows.until)]
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.any([part[1:] != part[:-1] for part in keys], axis=0) if len(order) else False
    starts = np.flatnonzero(first)
    if not len(starts):
        return Tiles.none()
    value, time = rows.value[order], rows.time[order]
    entity, known, end, until = (part[starts] for part in keys)
    return Tiles(
        entity=entity,
        known=known,
        end=end,
        until=until,
        count=np.diff(np.append(starts, len(order))),
        last=np.maximum.reduceat(time, starts),
        total=np.add.reduceat(value, starts),
        least=np.minimum.reduceat(value, starts),
        most=np.maximum.reduceat(value, starts),
    )


def evaluate(
    tiles: Mapping[Group, Tiles],
    windows: Sequence[WindowAggregation],
    entity: NDArray[np.int64],
    instants: NDArray[np.int64],
    delay: int,
) -> dict[str, NDArray[np.float32]]:
    """Compute windows at instants (seconds since 1970) of entities (codes; -1 for an unknown one).

    Returns one float32 array per window, in the order of the instants. At a missing instant
    (`dataset.MISSING_TIMESTAMP`) nothing is known.
    """
    missing = instants == MISSING_TIMESTAMP
    entity, instants = np.where(missing, -1, entity), np.where(missing, 0, instants)
    found = {one.name: np.empty(len(instants), dtype=np.float32) for one in windows}
    for group, over in dict.fromkeys((one.group, one.over) for one in windows):
        alike = [one for one in windows if (one.group, one.over) == (group, over)]
        there = tiles.get(group, Tiles.none())
        for places, chosen, counts in _active(there, entity, instants, over, delay):
            for one in alike:
                values = _aggregate(one.function, chosen, counts, instants[places])
                found[one.name][places] = values
    return found


def still_needed(tiles: Tiles, over: int, now: int) -> Tiles:
    """Keep the tiles that can count from a while before `now` on, for windows of `over` seconds.

    Somebody may ask for an instant that has just passed: for a day, or a window that is shorter.
    """
    since = now - min(over, RECENT)
    return tiles.take((tiles.end + over > since) & (tiles.until > since))


def longest(windows: Iterable[WindowAggregation]) -> dict[Group, int]:
    """The longest window over each group of tiles, in seconds."""
    found: dict[Group, int] = {}
    for one in windows:
        found[one.group] = max(one.over, found.get(one.group, 0))
    return found


def _active(
    tiles: Tiles, entity: Array, instants: Array, over: int, delay: int
) -> Iterable[tuple[slice, Tiles, Array]]:
    """Yield the tiles that count at each instant, in chunks of queries, with how many there are.

    A tile counts from `known + delay` until `end + over`; as `known` is not before `end`, those of
    a query lie between two places of the order by entity and `known`.
    """
    low, high = _places(tiles, entity, instants - over, instants - delay)
    for places in _chunks(high - low):
        counts = (high - low)[places]
        offsets = np.cumsum(counts) - counts
        index = np.arange(counts.sum()) - np.repeat(offsets - low[places], counts)
        query = np.repeat(np.arange(len(counts)), counts)
        moment = instants[places][query]
        counted = (moment < tiles.until[index]) & (moment - over < tiles.end[index])
        active = np.bincount(query[counted], minlength=len(counts))
        yield places, tiles.take(index[counted]), active


def _places(tiles: Tiles, entity: Array, after: Array, until: Array) -> tuple[Array, Array]:
    """First and last place, by entity and `known`, of what is known in ``(after, until]``."""
    if not len(tiles):
        nothing = np.zeros(len(entity), dtype=np.int64)
        return nothing, nothing
    first, last = tiles.known.min() - 1, tiles.known.max() + 1
    width = last - first + 1
    order = tiles.entity * width + (tiles.known - first)
    low = entity * width + (np.clip(after, first, last) - first)
    high = entity * width + (np.clip(until, first, last) - first)
    places = (np.searchsorted(order, edge, side="right") for edge in (low, high))
    start, end = places
    return start, np.where(entity < 0, start, np.maximum(start, end))


def _chunks(counts: Array) -> Iterable[slice]:
    """Cut queries so that each piece looks at no more tiles than memory should hold."""
    reached = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = reached[start - 1] if start else 0
        end = max(int(np.searchsorted(reached, before + CHUNK, side="right")), start + 1)
        yield slice(start, end)
        start = end


def _aggregate(function: Function, tiles: Tiles, counts: Array, instants: Array) -> Array:
    """One value per query from the tiles that count for it, which lie side by side."""
    some = counts > 0
    starts = (np.cumsum(counts) - counts)[some]
    found = np.full(len(counts), 0.0 if function in ("count", "sum") else np.nan)
    if not len(starts):
        return found
    if function == "count":
        found[some] = np.add.reduceat(tiles.count, starts)
    elif function in ("sum", "mean"):
        total = np.add.reduceat(tiles.total, starts)
        rows = np.add.reduceat(tiles.count, starts) if function == "mean" else 1
        found[some] = total / rows
    elif function == "minimum":
        found[some] = np.minimum.reduceat(tiles.least, starts)
    elif function == "maximum":
        found[some] = np.maximum.reduceat(tiles.most, starts)
    else:
        last = np.maximum.reduceat(tiles.last, starts)
        found[some] = (instants[some] - last) / SECONDS_PER_HOUR
    return found
