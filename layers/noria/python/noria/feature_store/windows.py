"""Time-window aggregations from the feature store's files: at instants, and as online state."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from noria.aws.feature_store import FileEntry
from noria.core.feature_store.feature_set import FeatureSet, WindowFeature
from noria.core.feature_store.history_sql import (
    ENTITY,
    KNOWN,
    TIME,
    UNTIL,
    asked_query,
    history_query,
    names_query,
)
from noria.core.windows.tile_codec import pack
from noria.core.windows.tiles import (
    EntityRows,
    Group,
    Tiles,
    evaluate,
    longest,
    still_needed,
    to_tiles,
)
from noria.feature_store.duckdb_engine import Engine


def window_values(
    engine: Engine,
    feature_set: FeatureSet,
    windows: Sequence[WindowFeature],
    entries: Sequence[FileEntry],
    known_by: datetime | None = None,
) -> pd.DataFrame:
    """The windows of the engine's `entities` (`entity_frames.entity_rows`), in order, as float32.

    `known_by` (aware) hides what was created later.
    """
    tiles = _tiles(engine, feature_set, windows, entries, known_by)
    asked = engine.ask(asked_query(feature_set))
    measures = [window.measure for window in windows]
    found = evaluate(tiles, measures, _whole(asked[ENTITY]), _whole(asked[TIME]), feature_set.delay)
    return pd.DataFrame(found)


def window_states(
    engine: Engine,
    feature_set: FeatureSet,
    windows: Sequence[WindowFeature],
    entries: Sequence[FileEntry],
    now: int,
) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """The key of each of the engine's `entities`, and its tiles that may count from `now` on.

    `now` is in seconds since 1970.
    """
    spans = longest(window.measure for window in windows)
    tiles = {
        group: still_needed(there, spans[group], now)
        for group, there in _tiles(engine, feature_set, windows, entries).items()
    }
    names = engine.ask(names_query(feature_set))
    keys = zip(*(names[key].tolist() for key in names if key != ENTITY), strict=True)
    for code, key in enumerate(keys):
        state = {group: _of(there, code) for group, there in tiles.items()}
        yield tuple(str(part) for part in key), pack(state)


def _tiles(
    engine: Engine,
    feature_set: FeatureSet,
    windows: Sequence[WindowFeature],
    entries: Sequence[FileEntry],
    known_by: datetime | None = None,
) -> Mapping[Group, Tiles]:
    groups = {window.measure.group: window for window in windows}
    if not groups or not entries:
        return {}
    parts = engine.local(entries)
    found = engine.ask(history_query(feature_set, list(groups.values()), parts, known_by))
    whole = [_whole(found[name]) for name in (ENTITY, TIME, KNOWN, UNTIL)]
    tiles = {}
    for number, group in enumerate(groups):
        value = np.ma.masked_array(found[f"v{number}"])
        there = ~np.ma.getmaskarray(value)
        entity, time, known, until = (part[there] for part in whole)
        rows = EntityRows(
            entity, time, known, until, np.asarray(value.data[there], dtype=np.float64)
        )
        tiles[group] = to_tiles(rows, group.tile, feature_set.delay)
    return tiles


def _of(tiles: Tiles, entity: int) -> Tiles:
    """An entity's tiles, which lie side by side."""
    first, last = np.searchsorted(tiles.entity, [entity, entity + 1])
    return tiles.take(np.arange(first, last))


def _whole(values: np.ndarray) -> np.ndarray:
    """Times or codes as whole numbers; a missing time is one at which nothing is known."""
    missing = np.iinfo(np.int64).min
    return np.ma.filled(np.ma.masked_array(values), missing).astype(np.int64)
