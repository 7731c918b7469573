"""What a backfill stores: gaps are filled, and no instant sees another stored value than before."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from noria.core.feature_store.feature_set import define
from noria.core.feature_store.new_rows_sql import filling_rows_query, succeeding_rows_query
from noria.core.feature_store.point_in_time_sql import FeatureFile, retrieval_query
from noria.core.feature_store.write_sql import INCOMING
from tests.support.examples import examples

RUN = 9  # the minute of a later run, when nothing else happens any more
START = pd.Timestamp("2024-03-30T22:00")
CONNECTION = duckdb.connect(config={"threads": 1})
SET = define(
    name="visits",
    entity_key=[{"name": "shop", "kind": "text"}],
    features=[{"name": "sold", "kind": "number"}, {"name": "rain", "kind": "number"}],
)
NARROW = ["shop", "sold", "event_time", "created_time"]
WIDE = ["shop", "sold", "rain", "event_time", "created_time"]
Row = tuple[str, int, int, float | None, float | None]  # shop, event, created, sold, rain

minutes = st.integers(0, 5)
numbers = st.none() | st.integers(0, 3).map(float)
row = st.tuples(st.sampled_from("ab"), minutes, minutes, numbers, numbers)
file = st.tuples(st.booleans(), st.lists(row, min_size=1, max_size=8))


def frame(rows: Sequence[Row], columns: Sequence[str]) -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "shop": [row[0] for row in rows],
            "sold": pd.array([row[3] for row in rows], dtype="Float64"),
            "rain": pd.array([row[4] for row in rows], dtype="Float64"),
            "event_time": [START + pd.Timedelta(minutes=row[1]) for row in rows],
            "created_time": [START + pd.Timedelta(minutes=row[2]) for row in rows],
        }
    )
    return made[list(columns)]


def stored(content: pd.DataFrame, number: int, first: int, folder: Path) -> FeatureFile:
    CONNECTION.register("content", content)
    path = folder / f"{number}.parquet"
    CONNECTION.execute(f"COPY content TO '{path}' (FORMAT parquet)")
    spans = [content[name].astype("datetime64[us]").astype("int64")
             for name in ("event_time", "created_time")]  # fmt: skip
    event, created = ((int(span.min()), int(span.max())) for span in spans)
    return FeatureFile(str(path), first, len(content), frozenset(content.columns), event, created)


def all_stored(files: Sequence[tuple[bool, list[Row]]], folder: Path) -> list[FeatureFile]:
    """Files of rows, wide ones with the column that is filled."""
    parts: list[FeatureFile] = []
    for number, (wide, rows) in enumerate(files):
        first = sum(part.rows for part in parts)
        parts.append(stored(frame(rows, WIDE if wide else NARROW), number, first, folder))
    return parts


def seen(parts: Sequence[FeatureFile]) -> list[tuple[float | None, float | None]]:
    """What each shop sees at each instant."""
    moments = [(shop, minute) for shop in "ab" for minute in range(-1, 8)]
    asked = pd.DataFrame(
        {
            "k0": [shop for shop, _ in moments],
            "prediction_time": [START + pd.Timedelta(minutes=m) for _, m in moments],
            "position": range(len(moments)),
        }
    )
    CONNECTION.register("entities", asked)
    return CONNECTION.execute(retrieval_query(SET, SET.features, parts)).fetchall()


def filled(parts: Sequence[FeatureFile], incoming: Sequence[Row]) -> pd.DataFrame:
    relation_of(incoming)
    return CONNECTION.execute(filling_rows_query(SET, parts)).df()


def relation_of(incoming: Sequence[Row]) -> None:
    """Rows as those to be written."""
    CONNECTION.register("said", frame(incoming, WIDE))
    types = "shop::VARCHAR AS shop, sold::DOUBLE AS sold, rain::DOUBLE AS rain"
    CONNECTION.execute(
        f"CREATE OR REPLACE TEMP VIEW {INCOMING} AS SELECT {types}, "
        "event_time::TIMESTAMP AS event_time, created_time::TIMESTAMP AS created_time FROM said"
    )


@examples(300, quick=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(file, min_size=1, max_size=3), st.lists(row, max_size=8))
def test_no_instant_sees_another_stored_value(
    files: Sequence[tuple[bool, list[Row]]], computed: list[Row]
) -> None:
    """GIVEN stored rows, late and corrected ones among them THEN only what they lack changes.

    Where a row is seen whose file lacks the column, the computed value of that very row is seen.
    """
    incoming = list({row[:2]: row for row in computed}.values())
    with TemporaryDirectory() as folder:
        parts = all_stored(files, Path(folder))
        fills = [row for row in incoming if row[:2] in known(files)]
        before = seen(parts)
        found = filled(parts, fills)
        after = seen([*parts, *more(found, parts, Path(folder))])
        assert [sold for sold, _ in after] == [sold for sold, _ in before]
        assert [rain for _, rain in after] == expected(files, {r[:2]: r[4] for r in fills})
        whole = [*parts, *more(filled(parts, incoming), parts, Path(folder))]
        assert filled(whole, incoming).empty  # nothing is left to fill


@examples(300, quick=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(file, min_size=1, max_size=3), st.lists(row, max_size=8))
def test_a_new_version_remembers(
    files: Sequence[tuple[bool, list[Row]]], computed: list[Row]
) -> None:
    """GIVEN stored rows and a later run's THEN before that run the new version tells the same.

    From the run on it tells what the run says of its rows.
    """
    incoming = [(*row[:2], RUN, *row[3:]) for row in {row[:2]: row for row in computed}.values()]
    with TemporaryDirectory() as folder:
        parts = all_stored(files, Path(folder))
        before = seen(parts)
        relation_of(incoming)
        found = CONNECTION.execute(succeeding_rows_query(SET, parts, SET)).df()
        version = [stored(found, 200, 0, Path(folder))]
        assert [sold for sold, _ in seen(version)] == [sold for sold, _ in before]
        said = {row[:2]: row[3:] for row in incoming}
        for shop, at in said:
            last = max(event for name, event in [*said, *known(files)] if name == shop)
            if at == last:
                assert asked(version, shop, RUN) == said[shop, at]


def known(files: Sequence[tuple[bool, list[Row]]]) -> set[tuple[str, int]]:
    return {row[:2] for _, rows in files for row in rows}


def asked(
    parts: Sequence[FeatureFile], shop: str, minute: int
) -> tuple[float | None, float | None]:
    """What a shop sees at an instant."""
    row = {"k0": [shop], "prediction_time": [START + pd.Timedelta(minutes=minute)], "position": [0]}
    CONNECTION.register("entities", pd.DataFrame(row))
    [found] = CONNECTION.execute(retrieval_query(SET, SET.features, parts)).fetchall()
    return found


def more(found: pd.DataFrame, parts: Sequence[FeatureFile], folder: Path) -> list[FeatureFile]:
    first = sum(part.rows for part in parts)
    return [stored(found, 100 + len(parts), first, folder)] if len(found) else []


def expected(
    files: Sequence[tuple[bool, list[Row]]], rain: dict[tuple[str, int], float | None]
) -> list[float | None]:
    """The rain of the row that each shop sees at each instant: its file's, else the computed."""
    rows = [(wide, *row) for wide, some in files for row in some]
    told: list[float | None] = []
    for shop in "ab":
        for moment in range(-1, 8):
            visible = [
                (event, created, number)
                for number, (_, name, event, created, _, _) in enumerate(rows)
                if name == shop and max(event, created) <= moment
            ]
            if not visible:
                told.append(None)
                continue
            wide, _, event, _, _, value = rows[max(visible)[2]]
            told.append(value if wide else rain.get((shop, event)))
    return told
