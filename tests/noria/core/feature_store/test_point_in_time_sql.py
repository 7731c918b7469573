"""Point-in-time retrieval against a reference that anybody can check by reading."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from noria.core.feature_store.entity_frames import entity_rows
from noria.core.feature_store.feature_set import FeatureSet, define
from noria.core.feature_store.point_in_time_sql import FeatureFile, ranking, retrieval_query
from tests.support.examples import examples

START = datetime(2024, 3, 30, 22, tzinfo=UTC)  # the night of Europe's change to summer time
# Histories are tiny: DuckDB's threads would cost more than the work.
CONNECTION = duckdb.connect(config={"threads": 1})
ZONES = [UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30))]
SET = define(
    name="visits",
    entity_key=[{"name": "shop", "kind": "text"}, {"name": "number", "kind": "integer"}],
    features=[
        {"name": "position", "kind": "number"},  # names that the queries use themselves
        {"name": "rank", "kind": "number", "time_to_live": timedelta(minutes=3)},
        {"name": "k0", "kind": "text", "time_to_live": timedelta(0)},
    ],
)


@dataclass(frozen=True)
class Row:
    """A stored row; minutes after START, or the entity's prediction time."""

    shop: str
    number: int
    event: int
    created: int = 0
    values: tuple[float | None, float | None, str | None] = (None, None, None)


def reference(rows: Sequence[Row], asked: Row, known_by: int | None) -> list[float | str | None]:
    """What a row asked at a time sees: slow, and in the words of the definition."""
    best: tuple[int, int, int] | None = None
    for number, row in enumerate(rows):
        if (row.shop, row.number) != (asked.shop, asked.number):
            continue
        if row.event > asked.event or row.created > asked.event:
            continue
        if known_by is not None and max(row.event, row.created) > known_by:
            continue
        if best is None or (row.event, row.created, number) > best:
            best = (row.event, row.created, number)
    if best is None:
        return [None, None, None]
    position, rank, k0 = rows[best[2]].values
    age = asked.event - best[0]
    return [position, rank if age <= 3 else None, k0 if age <= 0 else None]


def at(minute: int) -> datetime:
    """An instant, written in a zone that depends on it."""
    return (START + timedelta(minutes=minute)).astimezone(ZONES[minute % len(ZONES)])


def written(rows: Sequence[Row], cuts: Sequence[int], folder: Path) -> list[FeatureFile]:
    """Rows as Parquet files, cut where given."""
    edges = sorted({0, len(rows), *(cut % len(rows) for cut in cuts)})
    parts = []
    for index, (first, last) in enumerate(pairwise(edges)):
        some = rows[first:last]
        frame = pd.DataFrame(
            {
                "shop": [row.shop for row in some], "number": [row.number for row in some],
                "event_time": times([row.event for row in some]),
                "created_time": times([row.created for row in some]),
                "position": pd.array([row.values[0] for row in some], dtype="Float64"),
                "rank": pd.array([row.values[1] for row in some], dtype="Float64"),
                "k0": pd.array([row.values[2] for row in some], dtype="string"),
            }
        )  # fmt: skip
        path = folder / f"it's {index}.parquet"
        CONNECTION.register("frame", frame)
        name = str(path).replace("'", "''")
        CONNECTION.execute(f"COPY frame TO '{name}' (FORMAT parquet)")
        parts.append(
            FeatureFile(
                str(path), first, last - first, frozenset(frame.columns),
                bounds(frame["event_time"]), bounds(frame["created_time"]),
            )
        )  # fmt: skip
    return parts


def times(minutes: Sequence[int]) -> pd.Series:
    stamps = pd.to_datetime([START + timedelta(minutes=m) for m in minutes], utc=True)
    return pd.Series(stamps.tz_localize(None).as_unit("us"))


def bounds(values: pd.Series) -> tuple[int, int]:
    micros = values.astype("int64")
    return int(micros.min()), int(micros.max())


def retrieve(
    parts: Sequence[FeatureFile], asked: Sequence[Row], known_by: int | None,
    packed: bool | None = None, feature_set: FeatureSet = SET,
) -> list[list[float | str | None]]:  # fmt: skip
    entities = pd.DataFrame(
        {
            "shop": [row.shop for row in asked], "number": [row.number for row in asked],
            "when": pd.to_datetime([at(row.event) for row in asked], utc=True),
        }
    )  # fmt: skip
    query = retrieval_query(
        feature_set, feature_set.features, parts,
        known_by=None if known_by is None else at(known_by), packed=packed,
    )  # fmt: skip
    CONNECTION.register("entities", entity_rows(entities, feature_set, "when"))
    return [[*row] for row in CONNECTION.execute(query).fetchall()]


minutes = st.integers(0, 8)
numbers = st.none() | st.integers(0, 9).map(float)
history = st.builds(
    Row, st.sampled_from("abc"), st.integers(1, 2), minutes, minutes,
    st.tuples(numbers, numbers, st.none() | st.sampled_from("xyz")),
)  # fmt: skip
asking = st.builds(Row, st.sampled_from("abcd"), st.integers(1, 2), minutes)


@examples(700, quick=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(history, min_size=1, max_size=40), st.lists(asking, min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=3), st.none() | minutes, st.booleans(),
)  # fmt: skip
def test_every_history_is_seen_as_the_reference_sees_it(
    rows: list[Row], asked: list[Row], cuts: list[int], known_by: int | None, packed: bool
) -> None:
    """700 examples hold up to six entities each: thousands of histories."""
    with TemporaryDirectory() as folder:
        parts = written(rows, cuts, Path(folder))
        found = retrieve(parts, asked, known_by, packed)
    assert found == [reference(rows, row, known_by) for row in asked]


class TestByExample:
    """The cases that the definition names."""

    def see(self, tmp_path: Path, rows: list[Row], minute: int) -> float | str | None:
        return retrieve(written(rows, [], tmp_path), [Row("a", 1, minute)], None)[0][0]

    def test_late_value_is_not_seen_before_it_arrived(self, tmp_path: Path) -> None:
        rows = [Row("a", 1, 1, 1, (10, 0, None)), Row("a", 1, 2, 6, (20, 0, None))]
        assert self.see(tmp_path, rows, 5) == 10
        assert self.see(tmp_path, rows, 6) == 20

    def test_late_value_does_not_hide_a_newer_one(self, tmp_path: Path) -> None:
        rows = [Row("a", 1, 1, 6, (10, 0, None)), Row("a", 1, 2, 2, (20, 0, None))]
        assert self.see(tmp_path, rows, 7) == 20

    def test_correction_counts_once_it_was_created(self, tmp_path: Path) -> None:
        rows = [Row("a", 1, 1, 4, (99, 0, None)), Row("a", 1, 1, 1, (10, 0, None))]
        assert self.see(tmp_path, rows, 3) == 10
        assert self.see(tmp_path, rows, 4) == 99

    def test_value_of_the_very_instant_is_seen(self, tmp_path: Path) -> None:
        assert self.see(tmp_path, [Row("a", 1, 3, 3, (10, 0, None))], 3) == 10
        assert self.see(tmp_path, [Row("a", 1, 3, 3, (10, 0, None))], 2) is None

    def test_the_row_stored_last_ends_a_tie(self, tmp_path: Path) -> None:
        rows = [Row("a", 1, 1, 1, (float(n), 0, None)) for n in range(5)]
        assert self.see(tmp_path, rows, 1) == 4

    def test_missing_value_is_not_filled_from_an_older_row(self, tmp_path: Path) -> None:
        rows = [Row("a", 1, 1, 1, (10, 0, None)), Row("a", 1, 2, 2, (None, 0, None))]
        assert self.see(tmp_path, rows, 3) is None


def test_column_that_an_older_file_lacks_is_missing_there(tmp_path: Path) -> None:
    rows = [Row("a", 1, 1, 1, (1, 5, None)), Row("a", 1, 4, 4, (2, 6, None))]
    parts = written(rows, [1], tmp_path)
    older = FeatureFile(parts[0].path, 0, 1, parts[0].columns - {"rank"}, *_spans(parts[0]))
    found = retrieve([older, parts[1]], [Row("a", 1, 2), Row("a", 1, 5)], None)
    assert found == [[1, None, None], [2, 6, None]]


def test_times_too_far_apart_to_be_packed_are_ranked_by_rows() -> None:
    near = FeatureFile("x", 0, 10**6, frozenset(), (0, 10**15), (0, 10**15))
    far = FeatureFile("x", 0, 10**9, frozenset(), (0, 3 * 10**17), (0, 3 * 10**17))
    assert [type(ranking([part])).__name__ for part in (near, far)] == ["_Packed", "_Row"]
    ages = 3 * 10**17 / 1e6 / 86400 / 365
    assert math.isclose(ages, 9513, rel_tol=0.01)  # years: the whole range of datetime


def _spans(part: FeatureFile) -> tuple[tuple[int, int], tuple[int, int]]:
    return part.event_time, part.created_time
