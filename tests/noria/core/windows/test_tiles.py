"""History windows against a slow, obvious reference, and what an online table keeps of them."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.data.dataset import MISSING_TIMESTAMP
from noria.core.windows.online_windows import windows_of
from noria.core.windows.tile_codec import join, pack, unpack
from noria.core.windows.tiles import (
    FEWEST_TILES,
    NO_END,
    EntityRows,
    Group,
    Tiles,
    WindowAggregation,
    evaluate,
    longest,
    still_needed,
    to_tiles,
)
from noria.errors import FeatureError

FUNCTIONS = ("count", "sum", "mean", "minimum", "maximum", "time_since")
SPANS = (40, 4_000, 90_000)  # seconds: tiles of 1, 10 and 300
WINDOWS = [
    WindowAggregation(name=f"{function}_{over}", column="spent", function=function, over=over)
    for function in FUNCTIONS
    for over in SPANS
]
DELAY = 30
Row = tuple[int, int, int, int | None, float]  # entity, time, known after, replaced after, value

rows_of = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(-5_000, 100_000),
        st.sampled_from([0, 5, DELAY, 31, 500, 50_000]),
        st.none() | st.integers(0, 60_000),
        st.floats(-1e6, 1e6, allow_subnormal=False),
    ),
    max_size=40,
)
instants_of = st.lists(
    st.tuples(st.integers(-1, 3), st.integers(-6_000, 200_000)), min_size=1, max_size=20
)


def to_rows(rows: list[Row]) -> EntityRows:
    known = [time + after for _, time, after, _, _ in rows]
    until = [
        NO_END if gone is None else when + gone
        for when, (*_, gone, _) in zip(known, rows, strict=True)
    ]
    parts = ([row[0] for row in rows], [row[1] for row in rows], known, until)
    whole = (np.array(part, dtype=np.int64) for part in parts)
    return EntityRows(*whole, value=np.array([row[4] for row in rows], dtype=np.float64))


def tiles_of(rows: EntityRows, windows: list[WindowAggregation] = WINDOWS) -> dict[Group, Tiles]:
    return {one.group: to_tiles(rows, one.tile, DELAY) for one in windows}


def reference(rows: EntityRows, window: WindowAggregation, entity: int, instant: int) -> float:
    """A window by its definition, row by row."""
    seen = []
    for who, time, known, until, value in zip(
        rows.entity, rows.time, rows.known, rows.until, rows.value, strict=True
    ):
        end = (time // window.tile + 1) * window.tile
        counts_from, counts_to = max(known, end + DELAY), min(until, end + window.over)
        if who == entity and counts_from <= instant < counts_to:
            seen.append((time, value))
    values = [value for _, value in seen]
    if window.function == "count":
        return len(seen)
    if window.function == "sum":
        return float(np.sum(values))
    if not seen:
        return np.nan
    if window.function == "time_since":
        return (instant - max(time for time, _ in seen)) / 3600
    return float({"mean": np.mean, "minimum": np.min, "maximum": np.max}[window.function](values))


@given(rows_of, instants_of)
def test_windows_are_what_their_definition_says(
    rows: list[Row], asked: list[tuple[int, int]]
) -> None:
    history = to_rows(rows)
    entity, instants = (np.array(part, dtype=np.int64) for part in zip(*asked, strict=True))
    found = evaluate(tiles_of(history), WINDOWS, entity, instants, DELAY)
    for window in WINDOWS:
        wanted = [
            reference(history, window, who, when)
            for who, when in zip(entity, instants, strict=True)
        ]
        np.testing.assert_allclose(found[window.name], wanted, rtol=1e-5, atol=1e-4)


@given(rows_of, st.integers(0, 120_000), st.lists(st.integers(-40, 90_000), min_size=1, max_size=5))
def test_what_is_kept_of_an_entity_gives_the_same_bits_from_then_on(
    rows: list[Row], now: int, later: list[int]
) -> None:
    """GIVEN a load WHEN it is asked shortly before or later THEN it answers as the files do."""
    tiles = tiles_of(to_rows(rows))
    spans = longest(WINDOWS)
    kept = {group: still_needed(there, spans[group], now) for group, there in tiles.items()}
    packed = [pack({group: _of(there, who) for group, there in kept.items()}) for who in range(3)]
    who = np.repeat(np.arange(3), len(later))
    instants = np.tile(np.array(later) + now, 3)
    online = windows_of([packed[one] for one in who], WINDOWS, instants, DELAY)
    offline = evaluate(tiles, WINDOWS, who, instants, DELAY)
    for window in WINDOWS:
        assert online[window.name].tobytes() == offline[window.name].tobytes(), window.name


@given(rows_of, st.randoms(use_true_random=False))
def test_the_order_in_which_rows_are_stored_does_not_matter(rows: list[Row], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    for one, other in zip(
        tiles_of(to_rows(rows)).values(), tiles_of(to_rows(shuffled)).values(), strict=True
    ):
        for part in fields(Tiles):
            assert getattr(one, part.name).tobytes() == getattr(other, part.name).tobytes()


@given(rows_of)
def test_tiles_survive_their_bytes(rows: list[Row]) -> None:
    tiles = tiles_of(to_rows(rows))
    read = join([unpack(pack({g: _of(t, who) for g, t in tiles.items()}), who) for who in range(3)])
    for group, there in tiles.items():
        for part in fields(Tiles):
            assert getattr(read[group], part.name).tobytes() == getattr(there, part.name).tobytes()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_row_never_sees_itself_nor_its_twin(function: Any) -> None:
    """GIVEN two rows of one second WHEN nothing delays them THEN neither is in the other's past."""
    twins = to_rows([(0, 1_000, 0, None, 5.0)] * 2)
    window = WindowAggregation(name="w", column="spent", function=function, over=60)
    tiles = {window.group: to_tiles(twins, window.tile, 0)}
    at = np.array([1_000, 1_001])
    now, next_second = evaluate(tiles, [window], np.zeros(2, dtype=np.int64), at, 0)["w"]
    assert now == 0 if function in ("count", "sum") else np.isnan(now)
    assert next_second == {"count": 2, "sum": 10, "time_since": np.float32(1 / 3600)}.get(
        function, 5
    )


def test_nothing_is_known_at_a_missing_instant() -> None:
    window = WindowAggregation(name="w", column="spent", function="count", over=60)
    tiles = {window.group: to_tiles(to_rows([(0, 5, 0, None, 1.0)]), 1, 0)}
    at = np.array([MISSING_TIMESTAMP, 10])
    assert evaluate(tiles, [window], np.zeros(2, dtype=np.int64), at, 0)["w"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("over", "tile"), [(1, 1), (600, 2), (3_600, 10), (86_400, 300), (30 * 86_400, 7_200)]
)
def test_an_old_edge_is_exact_to_a_third_of_a_percent(over: int, tile: int) -> None:
    window = WindowAggregation(name="w", column="c", function="count", over=over)
    assert window.tile == tile
    assert tile == 1 or FEWEST_TILES <= over / tile < 3 * FEWEST_TILES
    assert 86_400 % tile == 0


def test_an_entity_seen_all_the_time_keeps_little() -> None:
    """GIVEN 200,000 rows in a month THEN what is kept of them is far below DynamoDB's 400 KB."""
    generator = np.random.default_rng(3)
    time = np.sort(generator.integers(0, 30 * 86_400, 200_000))
    zeros, forever = np.zeros(len(time), dtype=np.int64), np.full(len(time), NO_END)
    rows = EntityRows(zeros, time, time + DELAY, forever, generator.normal(size=len(time)))
    window = WindowAggregation(name="w", column="c", function="sum", over=30 * 86_400)
    tiles = to_tiles(rows, window.tile, DELAY)
    assert len(pack({window.group: tiles})) < 40_000
    assert tiles.count.sum() == len(time)


@pytest.mark.parametrize("content", [b"", b"nonsense", pack({})[:-4]])
def test_bytes_that_are_no_history_are_refused(content: bytes) -> None:
    with pytest.raises(FeatureError, match="not a history that this code wrote"):
        unpack(content)


def _of(tiles: Tiles, entity: int) -> Tiles:
    return tiles.take(tiles.entity == entity)
