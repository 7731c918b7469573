"""Accepted rows as a feature set: its definition, and the rows as DuckDB reads them."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from noria.contracts import Problem
from noria.core.data.notation import Notation
from noria.core.feature_store.entity_keys import key_columns
from noria.core.feature_store.feature_set import FeatureSet
from noria.core.feature_store.row_mapping import select_feature_rows, to_feature_set
from tests.support.data_frames import flights

CREATED = datetime(2013, 4, 1, 12, tzinfo=UTC)
Found = tuple[FeatureSet, pd.DataFrame]


def problem_with(**fields: Any) -> Problem:
    return Problem.parse(
        {
            "name": "flight-delays", "statement": "Will this flight arrive late?",
            "task": "binary", "target": "late",
            "sources": [{"name": "flights", "kind": "s3", "primary": True}],
            "objective": {"metric": "roc_auc", "threshold": 0.66},
            **fields,
        }
    )  # fmt: skip


@pytest.fixture
def accepted() -> pd.DataFrame:
    hours = pd.to_datetime(["2013-01-01T05:00", "2013-01-01T06:00", "2013-01-01T07:00"])
    return pd.DataFrame(
        {
            "Carrier": ["UA", "AA", None], "flight": [1545, 1714, 1],
            "time_hour": hours.tz_localize("UTC"), "run": ["a", "b", "c"],
            "distance": pd.array([1400, None, 1], dtype="Int64"), "temp": [39.5, np.nan, 1.0],
            "late": [True, False, True], "freight": pd.array([True, None, True], dtype="boolean"),
        }
    )  # fmt: skip


def stored(
    accepted: pd.DataFrame,
    folder: Path,
    created: datetime = CREATED,
    previous: datetime | None = None,
    **contract: Any,
) -> Found:
    """A frame through a Parquet file, as Transform writes it, into the set's rows."""
    path = folder / "rows.parquet"
    accepted.to_parquet(path, index=False)
    problem = problem_with(**contract)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        described = connection.execute(f"DESCRIBE FROM read_parquet('{path}')").fetchall()
        types = {name: kind for name, kind, *_ in described}
        query = select_feature_rows(types, problem, str(path), created, previous)
        return to_feature_set(types, problem), connection.execute(f"FROM {query}").df()


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_a_request_names_a_time_as_the_store_does(tmp_path: Path, zone: str | None) -> None:
    """GIVEN an entity that is named by a time THEN whatever way a request writes it is the same."""
    local = pd.to_datetime(
        ["2013-07-01", "2013-01-31T17:00:00.25", "1969-12-31T23:59:59"], format="ISO8601"
    )
    frame = pd.DataFrame({"late": [1.0, 0.0, 1.0], "day": local.tz_localize(zone or "UTC")})
    frame["day"] = frame["day"].dt.tz_convert("UTC")
    contract = {"entity_key": ["day"], "event_time": "day"}
    contract |= {"quality": {"columns": {"day": {"timezone": zone}}}} if zone else {}
    _, rows = stored(frame, tmp_path, **contract)
    [key] = key_columns(
        {"day": "TIMESTAMP WITH TIME ZONE"}, problem_with(**contract), lambda name: Notation()
    )
    for text, instant, written in zip(rows["day"], frame["day"], local, strict=True):
        ways = [written.isoformat(), instant.isoformat(), instant.timestamp(), text]
        assert {key.text(way) for way in ways} == {text}
    assert key.text("2013-07-01") == rows["day"][0]
    assert key.text("no time") == "no time"


KEYED: dict[str, Any] = {"entity_key": ["Carrier", "flight"], "event_time": "time_hour"}


def test_every_value_gets_the_type_of_its_kind(accepted: pd.DataFrame, tmp_path: Path) -> None:
    feature_set, rows = stored(accepted, tmp_path, **KEYED)
    assert [f.name for f in feature_set.features] == [
        "time_hour", "run_value", "distance", "temp", "late", "freight"
    ]  # fmt: skip
    assert {f.kind for f in feature_set.features[2:]} == {"number"}
    for number in ("distance", "temp", "late", "freight"):
        assert rows[number].dtype == np.float64
    assert rows["distance"][0] == 1400
    assert np.isnan(rows["distance"][1])
    assert rows["late"].tolist() == [1.0, 0.0]
    assert rows["flight"].tolist() == ["1545", "1714"]  # a key is text, whatever it looks like


def test_rows_that_cannot_be_looked_up_are_left_out(accepted: pd.DataFrame, tmp_path: Path) -> None:
    assert stored(accepted, tmp_path, **KEYED)[1]["carrier"].tolist() == ["UA", "AA"]
    assert len(stored(accepted, tmp_path)[1]) == 3
    accepted.loc[0, "time_hour"] = pd.NaT
    assert stored(accepted, tmp_path, **KEYED)[1]["carrier"].tolist() == ["AA"]


def test_times_are_naive_utc(accepted: pd.DataFrame, tmp_path: Path) -> None:
    accepted["time_hour"] = accepted["time_hour"].dt.tz_convert("America/New_York")
    created = CREATED.astimezone(timezone(timedelta(hours=9)))
    rows = stored(accepted, tmp_path, created, **KEYED)[1]
    assert rows["time_hour"].dt.tz is None
    assert rows["event_time"].tolist() == [
        pd.Timestamp("2013-01-01T05:00"), pd.Timestamp("2013-01-01T06:00"),
    ]  # fmt: skip
    assert rows["created_time"].tolist() == [
        pd.Timestamp("2013-01-03T05:00"), pd.Timestamp("2013-01-03T06:00"),
    ]  # fmt: skip


def test_a_row_is_created_when_it_could_be_known(accepted: pd.DataFrame, tmp_path: Path) -> None:
    """GIVEN a delay of 2 hours THEN rows count after it, and those a run missed from this one."""
    known = {**KEYED, "features": {"delay": "2h"}}
    soon = datetime(2013, 1, 1, 7, 30, tzinfo=UTC)
    before = datetime(2013, 1, 1, 7, 15, tzinfo=UTC)
    _, first = stored(accepted, tmp_path, soon, **known)
    assert first["created_time"].dt.strftime("%H:%M").tolist() == ["07:00", "07:30"]
    _, again = stored(accepted, tmp_path, soon, before, **known)
    assert again["created_time"].dt.strftime("%H:%M").tolist() == ["07:30", "07:30"]
    _, missed = stored(accepted, tmp_path, CREATED, before, **known)
    assert missed["created_time"].tolist() == [
        pd.Timestamp("2013-04-01T12:00"), pd.Timestamp("2013-01-01T08:00"),
    ]  # fmt: skip


def test_a_run_as_of_an_earlier_time_brings_nothing_into_the_past(
    accepted: pd.DataFrame, tmp_path: Path
) -> None:
    known = {**KEYED, "features": {"delay": "2h"}}
    _, rows = stored(accepted, tmp_path, CREATED - timedelta(days=30), CREATED, **known)
    assert rows["created_time"].eq(pd.Timestamp("2013-04-01T12:00")).all()


def test_whole_numbers_name_an_entity_in_one_way(accepted: pd.DataFrame, tmp_path: Path) -> None:
    accepted["flight"] = [1545.0, np.nan, 1.5]
    rows = stored(accepted, tmp_path, entity_key=["flight"])[1]
    assert rows["flight"].tolist() == ["1545", "1.5"]


def test_a_computed_event_time_is_kept(accepted: pd.DataFrame, tmp_path: Path) -> None:
    accepted["event_time"] = accepted["time_hour"] + pd.Timedelta(minutes=15)
    computed = KEYED | {"event_time": "time_hour + minutes(minute)"}
    feature_set, rows = stored(accepted, tmp_path, **computed)
    assert rows["event_time"][0] == pd.Timestamp("2013-01-01T05:15")
    assert "event_time" not in [feature.name for feature in feature_set.features]


def test_without_an_event_time_rows_count_as_of_their_creation(
    accepted: pd.DataFrame, tmp_path: Path
) -> None:
    feature_set, rows = stored(accepted, tmp_path)
    assert rows["event_time"].equals(rows["created_time"])
    assert feature_set.repeats


def test_definition_does_not_depend_on_the_data(accepted: pd.DataFrame, tmp_path: Path) -> None:
    before = stored(accepted, tmp_path, **KEYED)[0]
    whole = accepted.dropna().assign(distance=[1400], temp=[40], freight=[False])
    assert stored(whole, tmp_path, **KEYED)[0] == before


def test_what_the_contract_says_is_in_the_definition(
    accepted: pd.DataFrame, tmp_path: Path
) -> None:
    feature_set, _ = stored(
        accepted, tmp_path, **KEYED, features={"exclude": ["temp"]},
        quality={"columns": {"distance": {"unit": "mi"}}},
    )  # fmt: skip
    by_name = {feature.name: feature for feature in feature_set.features}
    assert by_name["distance"].description == "in mi"
    assert {name for name, one in by_name.items() if one.afterwards} == {"late", "temp"}
    assert (feature_set.event_time, feature_set.keys) == ("time_hour", ["carrier", "flight"])
    assert not feature_set.repeats
    assert stored(accepted, tmp_path, **KEYED, quality={"unique": ["flight"]})[0].repeats


def test_real_flights(tmp_path: Path) -> None:
    """GIVEN a day of flights THEN none is lost, and no value is another."""
    day = flights()["flights"].query("month == 1 and day == 1")
    rows = stored(day, tmp_path, entity_key=["carrier", "flight"], event_time="time_hour")[1]
    assert len(rows) == len(day) == 842
    rows = rows.set_index(day.index)
    pd.testing.assert_series_equal(rows["dep_delay"], day["dep_delay"].astype(float))
    assert (rows["tailnum"] == day["tailnum"]).all()
    assert rows["event_time"].dt.tz_localize("UTC").equals(day["time_hour"].dt.as_unit("us"))
