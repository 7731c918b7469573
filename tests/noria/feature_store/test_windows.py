"""History windows from the feature store: of flights by airplane, for training and for requests."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest

from noria.aws.feature_store import OnlineTable
from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.windows.lookup_spec import LookupSpec
from noria.errors import RequestError
from noria.feature_store.store import FeatureReference, FeatureStore
from noria.serving.online_features import with_history
from tests.support.data_frames import airplanes
from tests.support.feature_stack import (
    accepted_rows,
    cleansed,
    deliver,
    feature_stack,
    features_of,
    make_online_table,
)

DATABASE = "noria_history"
DELAY = timedelta(hours=3)
WINDOWS = [
    {"column": "arr_delay", "function": "mean", "over": "12h", "as": "mean_delay"},
    {"column": "arr_delay", "function": "maximum", "over": "7d", "as": "worst_delay"},
    {"column": "arr_delay", "function": "minimum", "over": "7d", "as": "best_delay"},
    {"column": "distance", "function": "sum", "over": "7d", "as": "miles"},
    {"column": "late", "function": "mean", "over": "30d", "as": "late_share"},
    {"column": "dest", "function": "count", "over": "1d", "as": "flown"},
    {"column": "arr_delay", "function": "time_since", "over": "30d", "as": "idle"},
]
PROBLEM = Problem.parse(
    {
        "name": "airplanes", "statement": "Will this airplane be late again?", "task": "binary",
        "target": {"name": "late", "expression": "arr_delay > 15"}, "positive_class": True,
        "entity_key": ["tailnum"], "event_time": "time_hour + minutes(minute)",
        "sources": [{"name": "flights", "kind": "s3", "primary": True}],
        "features": {
            "exclude": ["dep_delay", "dep_time", "arr_time", "air_time", "arr_delay"],
            "windows": WINDOWS, "delay": "3h",
        },
        "objective": {"metric": "roc_auc", "threshold": 0.7}, "monitoring": {"label_delay": "3h"},
    }
)  # fmt: skip
APRIL = datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return airplanes()


@pytest.fixture
def store(bucket: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with feature_stack(bucket, monkeypatch, DATABASE) as stack:
        yield stack


@pytest.fixture
def features(store: Store) -> Iterator[FeatureStore]:
    with features_of(store, DATABASE) as opened:
        yield opened


def run(store: Store, name: str, rows: pd.DataFrame, as_of: datetime = APRIL) -> Dataset:
    """Hand rows to EngineerFeatures, as Transform leaves them; returns the expanded dataset."""
    answer = deliver(store, name, cleansed({"flights": rows}, PROBLEM), PROBLEM, as_of.isoformat())
    return Dataset.from_bytes(store.get(answer["dataset"]))


def accepted(store: Store, name: str) -> pd.DataFrame:
    """A run's accepted rows in the order of its dataset, with their times in seconds."""
    rows = accepted_rows(store, name)
    moment = rows["event_time"].dt.tz_convert("UTC").dt.tz_localize(None)
    return rows.assign(at=moment.dt.as_unit("s").astype("int64"), late=rows["arr_delay"] > 15)


def past_of(rows: pd.DataFrame, airplane: str, at: int, over: int, tile: int) -> pd.DataFrame:
    """What was known of an airplane at an instant, by the definition."""
    ends = (rows["at"] // tile + 1) * tile
    known = np.maximum(rows.get("known", 0), ends + DELAY.total_seconds())
    until = rows.get("until", np.inf)
    seen = (known <= at) & (at < ends + over) & (at < until)
    return rows[seen & (rows["tailnum"] == airplane)]


def reference(rows: pd.DataFrame, airplane: str, at: int) -> dict[str, float]:
    """All windows of an airplane at an instant, from its rows."""
    hour, day = 3_600, 86_400
    half_day = past_of(rows, airplane, at, 12 * hour, 120)
    one_day = past_of(rows, airplane, at, day, 300)
    week = past_of(rows, airplane, at, 7 * day, 1_800)
    month = past_of(rows, airplane, at, 30 * day, 7_200)
    return {
        "mean_delay": half_day["arr_delay"].mean(), "worst_delay": week["arr_delay"].max(),
        "best_delay": week["arr_delay"].min(), "miles": week["distance"].sum(),
        "late_share": month["late"].mean(), "flown": len(one_day),
        "idle": (at - month["at"].max()) / hour if len(month) else np.nan,
    }  # fmt: skip


def assert_is_past(found: Dataset, rows: pd.DataFrame, history: pd.DataFrame, step: int) -> None:
    """Every `step`-th row of a dataset has the windows that its history gives."""
    for number in range(0, len(rows), step):
        row = rows.iloc[number]
        wanted = reference(history, row["tailnum"], row["at"])
        seen = {name: found.data[name][number] for name in wanted}
        assert seen == pytest.approx(wanted, rel=1e-5, nan_ok=True), number


def test_each_row_gets_what_was_known_of_its_airplane(store: Store, table: pd.DataFrame) -> None:
    found = run(store, "march", table.query("month <= 3"))
    rows = accepted(store, "march")
    assert [column.name for column in found.columns][-7:] == [one["as"] for one in WINDOWS]
    assert_is_past(found, rows, rows, step=7)
    assert np.isfinite(found.data["mean_delay"]).mean() > 0.3


def test_what_arrived_late_is_not_seen_before_it_arrived(store: Store, table: pd.DataFrame) -> None:
    """GIVEN a file of February that is delivered in April THEN no flight of March knew of it."""
    late = table["month"].eq(2) & table["day"].ge(15)
    run(store, "march", table[table["month"].le(3) & ~late])
    may = APRIL + timedelta(days=30)
    found = run(store, "april", table, may)
    rows = accepted(store, "april")
    arrived_late = rows["month"].eq(2) & rows["day"].ge(15)
    known = np.where(arrived_late, may.timestamp(), 0)
    assert_is_past(found, rows, rows.assign(known=known), step=11)
    at_once = run(Fresh(store).store, "at_once", table, may)
    assert not np.array_equal(at_once.data["miles"], found.data["miles"])


def test_a_correction_counts_from_when_it_was_made(store: Store, table: pd.DataFrame) -> None:
    march = table.query("month <= 3")
    run(store, "march", march)
    wrong = march["month"].eq(1)
    later = APRIL + timedelta(days=10)
    corrected = pd.concat([march.assign(arr_delay=march["arr_delay"].where(~wrong, 500.0)),
                           table.query("month == 4 and day <= 9")])  # fmt: skip
    found = run(store, "corrected", corrected, later)
    rows = accepted(store, "corrected")
    before = accepted(store, "march")
    history = pd.concat(
        [
            before.assign(until=np.where(before["month"].eq(1), later.timestamp(), np.inf)),
            rows[rows["month"].eq(1)].assign(known=later.timestamp(), until=np.inf),
            rows[rows["month"].eq(4)].assign(until=np.inf),
        ]
    )
    assert_is_past(found, rows, history.fillna({"known": 0}), step=13)
    assert np.nanmax(found.data["worst_delay"][rows["month"].le(3)]) < 500


class TestOnline:
    """The endpoint computes a request's windows by the very function that made training's."""

    @pytest.fixture
    def history(self, store: Store, table: pd.DataFrame) -> LookupSpec:
        run(store, "march", table.query("month <= 3"))
        return LookupSpec.model_validate_json(store.get("runs/march/history.json"))

    def test_data_that_ended_long_ago_is_looked_up_as_of_its_end(
        self, store: Store, features: FeatureStore, table: pd.DataFrame
    ) -> None:
        """GIVEN a first run today on data of 2013 THEN a request of then has its history."""
        run(store, "today", table.query("month <= 3"), datetime(2026, 11, 24, tzinfo=UTC))
        history = LookupSpec.model_validate_json(store.get("runs/today/history.json"))
        rows = [{"tailnum": one, "event_time": APRIL.isoformat()}
                for one in table["tailnum"].unique()]  # fmt: skip
        found = with_history(rows, history, self.table_of, APRIL)
        asked = pd.DataFrame({"tailnum": [row["tailnum"] for row in rows],
                              "prediction_time": pd.Timestamp(APRIL)})  # fmt: skip
        known = features.historical_features(
            asked.astype({"tailnum": "string"}), [FeatureReference("features", ["flown"])]
        )
        assert [row["flown"] for row in found] == known["flown"].tolist()
        assert known["flown"].sum() > 10

    @pytest.mark.parametrize("hours", [-20, -3])
    def test_an_instant_that_has_just_passed(
        self, history: LookupSpec, features: FeatureStore, table: pd.DataFrame, hours: int
    ) -> None:
        """GIVEN a request for an instant of the last day THEN it has what was known then."""
        at = APRIL + timedelta(hours=hours)
        rows = [{"tailnum": one, "event_time": at.isoformat()} for one in table["tailnum"].unique()]
        asked = pd.DataFrame({"tailnum": [row["tailnum"] for row in rows],
                              "prediction_time": pd.Timestamp(at)})  # fmt: skip
        names = [one["as"] for one in WINDOWS if one["over"] != "12h"]
        offline = features.historical_features(
            asked.astype({"tailnum": "string"}), [FeatureReference("features", names)]
        )
        online = pd.DataFrame(with_history(rows, history, self.table_of, APRIL))
        for name in names:
            served = online[name].astype("float32")
            pd.testing.assert_series_equal(served, offline[name], check_exact=True)

    @staticmethod
    def table_of() -> OnlineTable:
        return OnlineTable(boto3.client("dynamodb"), f"{DATABASE}_online", time.sleep)

    @pytest.mark.parametrize("hours", [0, 1, 5, 30, 200, 2_000])
    def test_same_airplane_at_the_same_instant_has_the_same_history(
        self, history: LookupSpec, features: FeatureStore, table: pd.DataFrame, hours: int
    ) -> None:
        at = APRIL + timedelta(hours=hours)
        airplanes = [*table["tailnum"].unique(), "N0"]
        rows = [{"tailnum": one, "event_time": at.isoformat()} for one in airplanes]
        asked = pd.DataFrame({"tailnum": airplanes, "prediction_time": pd.Timestamp(at)})
        offline = features.historical_features(
            asked.astype({"tailnum": "string"}), [FeatureReference("features", history.names)]
        )
        online = pd.DataFrame(with_history(rows, history, self.table_of, APRIL))
        for name in history.names:
            served = online[name].astype("float32")
            pd.testing.assert_series_equal(served, offline[name], check_exact=True)
        assert (online["flown"] > 0).any() == (hours < 30)
        assert online["late_share"].notna().any() == (hours < 2_000)

    def test_a_request_without_a_time_is_answered_as_of_now(
        self, history: LookupSpec, table: pd.DataFrame
    ) -> None:
        row = {"tailnum": table["tailnum"].iloc[0]}
        now = APRIL + timedelta(hours=2)
        [found] = with_history([row], history, self.table_of, now)
        [dated] = with_history([row | {"event_time": now.timestamp()}], history, self.table_of, now)
        assert {**dated, "event_time": 0} == {**found, "event_time": 0}

    def test_what_a_request_carries_is_kept(self, history: LookupSpec, table: pd.DataFrame) -> None:
        row = {"tailnum": table["tailnum"].iloc[0], "flown": 99, "mean_delay": None}
        [found] = with_history([row], history, self.table_of, APRIL)
        assert (found["flown"], found["mean_delay"]) == (99, None)
        assert found["miles"] > 0

    def test_nothing_is_asked_where_nothing_is_to_be_looked_up(self, history: LookupSpec) -> None:
        def refuse() -> OnlineTable:
            raise AssertionError("the table was asked")

        row = dict.fromkeys(history.names, 1.0)
        assert with_history([row], history, refuse, APRIL) == [row]

    def test_a_row_that_needs_no_history_needs_no_key(
        self, history: LookupSpec, table: pd.DataFrame
    ) -> None:
        rows = [dict.fromkeys(history.names, 1.0), {"tailnum": table["tailnum"].iloc[0]}]
        whole, looked_up = with_history(rows, history, self.table_of, APRIL)
        assert whole == rows[0]
        assert looked_up["miles"] > 0

    def test_a_model_may_outlive_the_history_that_it_learnt_from(self, history: LookupSpec) -> None:
        """GIVEN a stack that was deployed without windows THEN they are missing, and it answers."""
        [found] = with_history([{"dest": "BOS", "flown": 2}], history, None, APRIL)
        assert found == dict.fromkeys(history.names) | {"dest": "BOS", "flown": 2}

    def test_an_entity_that_has_no_name_has_no_history(self, history: LookupSpec) -> None:
        [found] = with_history([{"tailnum": None}], history, self.table_of, APRIL)
        assert (found["flown"], found["miles"], found["late_share"]) == (0, 0, None)

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ({}, "row 0 has no 'tailnum': it names the entity .*; send it, or null"),
            ({"tailnum": ["N1"]}, r"field 'tailnum': \['N1'\] names no entity: send a text"),
            ({"tailnum": "N1", "event_time": "noon"}, "field 'event_time': 'noon' is not a time"),
            ({"tailnum": "N1", "event_time": 1e15}, "outside the years 1 to 9999"),
        ],
    )
    def test_rows_that_name_no_entity(self, history: LookupSpec, row: Any, told: str) -> None:
        with pytest.raises(RequestError, match=told):
            with_history([row], history, self.table_of, APRIL)


def test_only_what_changed_is_loaded_again(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN a run with new flights of one airplane THEN one item of the table is put."""
    march = table.query("month <= 3")
    run(store, "march", march, APRIL + timedelta(days=1))  # New York's evening is past as well
    one = table.query("month == 4")["tailnum"].iloc[0]
    put = []
    original = OnlineTable._put
    monkeypatch.setattr(
        OnlineTable,
        "_put",
        lambda self, name, row, at: put.append(row.key) or original(self, name, row, at),
    )
    more = table.query("month == 4 and day <= 9 and tailnum == @one")
    run(store, "april", pd.concat([march, more]), APRIL + timedelta(days=10))
    assert put == [(one,)]


def test_a_table_that_was_made_anew_is_filled_again(store: Store, table: pd.DataFrame) -> None:
    """GIVEN windows that were deployed away and back THEN the next load is a whole one."""
    march = table.query("month <= 3")
    run(store, "march", march)
    dynamodb, name = boto3.client("dynamodb"), f"{DATABASE}_online"
    dynamodb.delete_table(TableName=name)
    make_online_table(dynamodb, name)
    run(store, "again", march, APRIL + timedelta(hours=1))
    assert dynamodb.scan(TableName=name, Select="COUNT")["Count"] == march["tailnum"].nunique()


def test_a_champion_of_an_earlier_version_keeps_its_history(
    store: Store, table: pd.DataFrame
) -> None:
    """GIVEN a source that lost a column, so that the set has a new version THEN both are served."""
    march = table.query("month <= 3")
    run(store, "march", march)
    champion = LookupSpec.model_validate_json(store.get("runs/march/history.json"))
    later = APRIL + timedelta(days=9)
    fewer = table.query("month == 3 or (month == 4 and day <= 9)").drop(columns="hour")
    run(store, "april", fewer, later)
    challenger = LookupSpec.model_validate_json(store.get("runs/april/history.json"))
    rows = [{"tailnum": one} for one in table["tailnum"].unique()]
    old, new = (
        with_history(rows, one, TestOnline.table_of, later) for one in (champion, challenger)
    )
    assert old == new
    assert any(row["flown"] for row in old)


def test_a_store_that_forgets_does_not_make_training_forget(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN rows kept for 40 days THEN older ones are trained on with the history that they had."""
    kept = PROBLEM.model_copy(
        update={"features": PROBLEM.features.model_copy(update={"retention": timedelta(days=40)})}
    )
    whole = run(store, "march", table.query("month <= 3"))
    monkeypatch.setattr(f"{__name__}.PROBLEM", kept)
    again = run(Fresh(store).store, "kept", table.query("month <= 3"))
    for name in (one["as"] for one in WINDOWS):
        np.testing.assert_array_equal(again.data[name], whole.data[name])


def test_sets_whose_rows_may_repeat_have_a_history(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN rows that are told apart by something else THEN the last file is the whole history."""
    unique = PROBLEM.quality.model_copy(update={"unique": ["tailnum", "time_hour", "minute"]})
    monkeypatch.setattr(f"{__name__}.PROBLEM", PROBLEM.model_copy(update={"quality": unique}))
    march = table.query("month <= 3")
    found = run(store, "march", march)
    rows = accepted(store, "march")
    assert_is_past(found, rows, rows, step=29)
    gone = march["tailnum"].iloc[-1]
    run(store, "fewer", march[march["tailnum"] != gone], APRIL + timedelta(hours=1))
    history = LookupSpec.model_validate_json(store.get("runs/fewer/history.json"))
    asked = [{"tailnum": gone, "event_time": (APRIL + timedelta(hours=1)).isoformat()}]
    [served] = with_history(asked, history, TestOnline.table_of, APRIL)
    assert served["flown"] == 0


def test_a_load_that_broke_off_is_done_again(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    march = table.query("month <= 3")
    with monkeypatch.context() as patched:
        patched.setattr(OnlineTable, "load", _raise)
        with pytest.raises(ConnectionError):
            run(store, "march", march)
    run(store, "march", march)
    items = boto3.client("dynamodb").scan(TableName=f"{DATABASE}_online", Select="COUNT")
    assert items["Count"] == march["tailnum"].nunique()


def test_windows_are_described_with_the_set(
    features: FeatureStore, store: Store, table: pd.DataFrame
) -> None:
    run(store, "march", table.query("month <= 3"))
    told = features.describe("features")["definition"]["windows"]
    assert [one["description"] for one in told][:2] == [
        "mean of arr_delay in the 12h before", "maximum of arr_delay in the 7d before",
    ]  # fmt: skip


def _raise(*_: Any) -> None:
    raise ConnectionError("the table is away")


class Fresh:
    """The same bucket with a feature store that never was."""

    def __init__(self, store: Store) -> None:
        for item in store.objects("features"):
            store.delete(item.key)
        glue = boto3.client("glue")
        for one in glue.get_tables(DatabaseName=DATABASE)["TableList"]:
            glue.delete_table(DatabaseName=DATABASE, Name=one["Name"])
        self.store = store
