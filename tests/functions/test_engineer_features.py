"""EngineerFeatures: what its first turn leaves in the feature store, run after run."""

import time
from collections.abc import Iterator

import boto3
import pandas as pd
import pytest

from noria.aws.feature_store import OnlineTable
from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.feature_store.online import OnlineFeatures
from noria.feature_store.store import FeatureReference, FeatureStore
from tests.support.data_frames import FLIGHTS, flights
from tests.support.feature_stack import accepted_rows, cleansed, deliver, feature_stack, features_of

DATABASE = "noria_flights"
WINDOWS = [{"column": "arr_delay", "function": "mean", "over": "30d", "as": "mean_delay"}]
EXCLUDED = FLIGHTS["features"]["exclude"]  # type: ignore[index]
PROBLEM = Problem.parse(FLIGHTS | {"features": {"exclude": EXCLUDED, "windows": WINDOWS}})


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Every 200th flight of 2013, with weather, planes and airlines."""
    return flights(1700)


@pytest.fixture
def store(bucket: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with feature_stack(bucket, monkeypatch, DATABASE) as stack:
        yield stack


@pytest.fixture
def features(store: Store) -> Iterator[FeatureStore]:
    with features_of(store, DATABASE) as opened:
        yield opened


def run(store: Store, name: str, tables: dict[str, pd.DataFrame], months: int) -> int:
    """Hand the first months to EngineerFeatures, as Transform leaves them; returns their rows."""
    until = {**tables, "flights": tables["flights"].query(f"month <= {months}")}
    answer = deliver(
        store, name, cleansed(until, PROBLEM), PROBLEM, f"2013-{months + 1:02}-01T12:00:00Z"
    )
    assert answer["iteration"] == 1
    return len(accepted_rows(store, name))


def test_each_run_stores_what_is_new(
    store: Store, features: FeatureStore, tables: dict[str, pd.DataFrame]
) -> None:
    first = run(store, "march", tables, 3)
    second = run(store, "april", tables, 4)
    told = features.describe("features")
    assert told["runs"] == ["march", "april"]
    assert told["definition"]["version"] == 1
    # Weather is joined and spellings agree as before: nothing of January to March changed.
    assert told["rows"] == second > first > 300


def test_repeated_delivery_writes_nothing(store: Store, tables: dict[str, pd.DataFrame]) -> None:
    run(store, "march", tables, 3)
    before = {item.key: item.etag for item in store.objects("features")}
    run(store, "march", tables, 3)
    assert {item.key: item.etag for item in store.objects("features")} == before


def test_no_flight_sees_what_was_not_known(
    store: Store, features: FeatureStore, tables: dict[str, pd.DataFrame]
) -> None:
    """GIVEN rows known two days after THEN nobody sees a younger one, and outcomes never."""
    run(store, "march", tables, 3)
    keys = ["carrier", "flight"]
    once = tables["flights"].query("month <= 2").groupby(keys).filter(lambda rows: len(rows) == 1)
    moment = pd.to_datetime(once["time_hour"], utc=True) + pd.to_timedelta(once["minute"], "min")
    asked = once[keys].astype({"carrier": "string"}).reset_index(drop=True)
    for hours, known in ((47, False), (49, True)):
        later = moment + pd.Timedelta(hours=hours)
        asked = asked.assign(prediction_time=later.reset_index(drop=True))
        seen = features.historical_features(asked, [FeatureReference("features", ["distance"])])
        accepted = seen["distance"].notna()
        assert accepted.any() == known
    assert accepted.sum() > 100
    seen = features.historical_features(asked, [FeatureReference("features")])
    assert not {"arr_delay", "dep_delay", "air_time"} & set(seen.columns)


def test_the_latest_values_are_served(
    store: Store, features: FeatureStore, tables: dict[str, pd.DataFrame]
) -> None:
    """GIVEN a contract with history features THEN DynamoDB answers as the files do."""
    run(store, "march", tables, 3)
    at = pd.Timestamp("2013-04-01T12:00", tz="UTC").to_pydatetime()
    feature_set = features.feature_set("features")
    online = OnlineFeatures(
        features, OnlineTable(boto3.client("dynamodb"), f"{DATABASE}_online", time.sleep)
    )
    keys = flights_of(tables)
    served = online.latest_features(keys, feature_set, at=at)
    offline = features.latest_features(keys, FeatureReference("features"), at=at)
    pd.testing.assert_frame_equal(served, offline, check_exact=True)
    assert served["distance"].notna().sum() > 300


def flights_of(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    keys = tables["flights"][["carrier", "flight"]].drop_duplicates().reset_index(drop=True)
    return keys.astype({"carrier": "string"})
