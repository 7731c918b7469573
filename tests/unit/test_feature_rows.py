"""Rows of the offline feature store."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.contracts import Problem
from noria.core.feature_rows import to_feature_rows

CREATED = datetime(2013, 4, 1, 12, tzinfo=UTC)


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
    hours = pd.to_datetime(["2013-01-01T05:00", "2013-01-01T06:00"])
    return pd.DataFrame(
        {
            "Carrier": ["UA", None], "flight": [1545, 1714], "time_hour": hours.tz_localize("UTC"),
            "distance": pd.array([1400, None], dtype="Int64"), "temp": [39.5, np.nan],
            "late": [True, False], "freight": pd.array([True, None], dtype="boolean"),
        }
    )  # fmt: skip


def test_every_value_gets_the_type_of_its_kind(accepted: pd.DataFrame) -> None:
    problem = problem_with(entity_key=["Carrier", "flight"], event_time="time_hour")
    rows = to_feature_rows(accepted, problem, CREATED)
    assert list(rows.columns) == [
        "carrier", "flight", "time_hour", "distance", "temp", "late", "freight", "event_time",
        "created_time",
    ]  # fmt: skip
    for number in ("distance", "temp", "late", "freight"):
        assert rows[number].dtype == np.float64
    assert rows["distance"][0] == 1400
    assert np.isnan(rows["distance"][1])
    assert rows["late"].tolist() == [1.0, 0.0]
    assert rows["flight"].tolist() == ["1545", "1714"]  # a key is text, whatever it looks like
    assert rows["carrier"].isna().tolist() == [False, True]


def test_times_are_naive_utc(accepted: pd.DataFrame) -> None:
    accepted["time_hour"] = accepted["time_hour"].dt.tz_convert("America/New_York")
    created = CREATED.astimezone(timezone(timedelta(hours=9)))
    rows = to_feature_rows(accepted, problem_with(event_time="time_hour"), created)
    assert rows["time_hour"].dt.tz is None
    assert rows["event_time"].tolist() == [
        pd.Timestamp("2013-01-01T05:00"), pd.Timestamp("2013-01-01T06:00"),
    ]  # fmt: skip
    assert rows["created_time"].eq(pd.Timestamp("2013-04-01T12:00")).all()


def test_a_computed_event_time_is_kept(accepted: pd.DataFrame) -> None:
    accepted["event_time"] = accepted["time_hour"] + pd.Timedelta(minutes=15)
    problem = problem_with(event_time="time_hour + minutes(minute)")
    rows = to_feature_rows(accepted, problem, CREATED)
    assert rows["event_time"][0] == pd.Timestamp("2013-01-01T05:15")
    assert list(rows.columns).count("event_time") == 1


def test_without_an_event_time_rows_count_as_of_their_creation(accepted: pd.DataFrame) -> None:
    rows = to_feature_rows(accepted, problem_with(), CREATED)
    assert rows["event_time"].equals(rows["created_time"])


def test_the_types_do_not_depend_on_the_data(accepted: pd.DataFrame) -> None:
    problem = problem_with(event_time="time_hour", entity_key=["flight"])
    types = to_feature_rows(accepted, problem, CREATED).dtypes.map(lambda kind: kind.kind)
    whole = accepted.dropna().assign(distance=[1400], temp=[40], freight=[False])
    assert to_feature_rows(whole, problem, CREATED).dtypes.map(lambda t: t.kind).equals(types)
    assert (
        to_feature_rows(accepted[:0], problem, CREATED).dtypes.map(lambda t: t.kind).equals(types)
    )


def test_the_accepted_rows_stay_as_they_are(accepted: pd.DataFrame) -> None:
    before = accepted.copy()
    to_feature_rows(accepted, problem_with(entity_key=["flight"]), CREATED)
    pd.testing.assert_frame_equal(accepted, before)
