"""Backfill: a range of feature rows computed again, resumable, and visible all at once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from functions import backfill
from noria.aws import clients
from noria.aws.feature_store import Catalogue, Files
from noria.aws.run_log import RunLog
from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.errors import FeatureError
from noria.feature_store import maintenance
from noria.feature_store.store import FeatureReference, FeatureStore, open_feature_store
from noria.materialization.event_range import EventRange, execution_name
from tests.support.data_frames import FLIGHTS, flights
from tests.support.feature_stack import Cleansed, cleansed, deliver, make_online_table
from tests.support.stack_bucket import Serial

DATABASE = "noria_flights"
WEATHER: Any = FLIGHTS["sources"][1]  # type: ignore[index]
NARROW = Problem.parse(
    FLIGHTS | {"sources": [one for one in FLIGHTS["sources"] if one["name"] != "weather"]}  # type: ignore[attr-defined]
)
WIDE = Problem.parse(FLIGHTS)
BARE = Problem.parse(
    FLIGHTS | {"sources": [one for one in FLIGHTS["sources"] if one["name"] == "flights"]}  # type: ignore[attr-defined]
)
SLICES = {"slices": [{"column": "dest", "floor": 0.5}]}  # which keep a column that is empty
COUNTED = Problem.parse(FLIGHTS | {"objective": {**FLIGHTS["objective"], **SLICES}})  # type: ignore[dict-item]
DAYS = ("2013-02-20", "2013-03-20", "2013-04-20")
FEBRUARY = pd.Timestamp("2013-02-20T12:00", tz="UTC")


class Year(dict[str, pd.DataFrame]):
    """A year's tables, whose first months are cleansed once for each contract."""

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        super().__init__(tables)
        self._cleansed: dict[tuple[int, str], Cleansed] = {}

    def until(self, months: int, problem: Problem) -> Cleansed:
        """The first months' rows, as Transform leaves them."""
        asked = months, json.dumps(problem.to_document())
        if asked not in self._cleansed:
            known = {source.name for source in problem.sources}
            given = {name: table for name, table in self.items() if name in known}
            given["flights"] = self["flights"].query(f"month <= {months}")
            self._cleansed[asked] = cleansed(given, problem)
        return self._cleansed[asked]

    def with_flights(self, flown: pd.DataFrame) -> "Year":
        """The same with other flights."""
        return Year({**self, "flights": flown})


@pytest.fixture(scope="module")
def tables() -> Year:
    """Every 400th flight of 2013, with weather, planes and airlines."""
    return Year(flights(850))


@pytest.fixture
def store(bucket: Store, s3: Serial, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("NORIA_BUCKET", bucket.bucket)
    monkeypatch.setenv("NORIA_DATABASE", DATABASE)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    boto3.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    made = {"s3": s3, **{name: boto3.client(name) for name in ("glue", "dynamodb")}}
    monkeypatch.setattr(clients, "client", made.__getitem__)  # what `Serial` sees
    for module in (
        "noria.lifecycle.stage",
        "noria.materialization.backfill_source",
        "noria.materialization.run_features",
    ):
        monkeypatch.setattr(f"{module}.client", clients.client)
    deploy(monkeypatch, WIDE)
    return bucket


def deploy(monkeypatch: pytest.MonkeyPatch, problem: Problem) -> None:
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps(problem.to_document()))


@pytest.fixture
def features(store: Store) -> Iterator[FeatureStore]:
    catalogue = Catalogue(boto3.client("glue"), DATABASE)
    with open_feature_store(Files(store), catalogue, threads=1) as opened:
        yield opened


def run(
    store: Store,
    name: str,
    tables: Year,
    months: int,
    problem: Problem = WIDE,
    feature_set: str = "features",
) -> None:
    """Hand the first months to EngineerFeatures, as Transform leaves them."""
    as_of = f"2013-{months + 1:02}-01T12:00:00Z"
    RunLog(store).record(name, as_of=as_of)
    rows = tables.until(months, problem)
    deliver(store, name, rows, problem, as_of, carried={"problem": {"feature_set": feature_set}})


def step(state: str, execution: str, **event: Any) -> Any:
    given = {"state": state, "execution": execution, "started_at": "2014-01-01T00:00:00Z"}
    return backfill.handler({**given, **event}, None)


def planned(start: str, end: str, execution: str = "one", **more: Any) -> dict[str, Any]:
    found = step("PlanBackfill", execution, input={"from": start, "to": end, **more})
    assert isinstance(found, dict)
    return found


def computed(plan: dict[str, Any]) -> list[bool]:
    """Each month by itself, as the Map does; returns which were skipped."""
    items = [{"name": plan["name"], "execution": plan["execution"], "part": part}
             for part in plan["parts"]]  # fmt: skip
    return [step("BackfillMonth", "child", item=item)["skipped"] for item in items]


def published(plan: dict[str, Any]) -> dict[str, Any]:
    found = step("PublishBackfill", plan["execution"], input={"plan": plan})
    assert isinstance(found, dict)
    return found


def filled(start: str, end: str, execution: str = "one", **more: Any) -> dict[str, Any]:
    plan = planned(start, end, execution, **more)
    computed(plan)
    return published(plan)


def seen(
    features: FeatureStore, tables: dict[str, pd.DataFrame], at: pd.Timestamp = FEBRUARY
) -> pd.DataFrame:
    """What a row at a past instant sees of every flight."""
    keys = tables["flights"][["carrier", "flight"]].drop_duplicates().reset_index(drop=True)
    asked = keys.astype({"carrier": "string"}).assign(prediction_time=at)
    return features.historical_features(asked, [FeatureReference("features")])


def etags(store: Store, prefix: str = "features") -> dict[str, str]:
    return {item.key: item.etag for item in store.objects(prefix)}


def test_past_rows_see_a_source_that_was_joined_later(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN weather joined in April THEN a row of February sees it only after a backfill."""
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    before = seen(features, tables)
    assert before["temp"].isna().all()
    assert before["distance"].notna().sum() > 80

    plan = planned("2013-01-01", "2013-04-01")
    assert plan["parts"] == ["2013-01", "2013-02", "2013-03"]
    assert computed(plan) == [False, False, False]
    # All months are computed, and readers see none of them.
    pd.testing.assert_frame_equal(seen(features, tables), before)

    told = published(plan)
    assert (told["partitions"], told["skipped"], told["run"]) == (3, 0, "april")
    after = seen(features, tables)
    assert after["temp"].notna().sum() > 0.9 * after["distance"].notna().sum()
    known = [name for name in before if before[name].notna().any()]
    pd.testing.assert_frame_equal(after[known], before[known])


def test_windows_that_the_deployed_contract_adds(
    store: Store, features: FeatureStore, tables: Year,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """GIVEN windows over the target and a new source's column THEN past rows have that history."""
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    windows = [
        {"column": "late", "function": "mean", "over": "60d", "as": "late_share"},
        {"column": "temp", "function": "count", "over": "60d", "as": "temps"},
    ]
    deploy(monkeypatch, Problem.parse(FLIGHTS | {"features": {"windows": windows}}))
    make_online_table(online := boto3.client("dynamodb"), f"{DATABASE}_online")
    filled("2013-01-01", "2013-04-01")
    asked = tables["flights"][["carrier", "flight"]].drop_duplicates().reset_index(drop=True)
    asked = asked.astype({"carrier": "string"}).assign(prediction_time=FEBRUARY)
    found = features.historical_features(
        asked, [FeatureReference("features", ["late_share", "temps"])]
    )
    assert found["late_share"].dropna().between(0, 1).all()
    assert found["late_share"].notna().sum() > 50
    assert found["temps"].sum() > 50
    # The endpoint has what the files have from the moment on at which readers see it.
    items = online.scan(TableName=f"{DATABASE}_online", Select="COUNT")
    assert items["Count"] > 100


def january_in_two_parts(store: Store, tables: Year) -> dict[str, pd.DataFrame]:
    """Half of January's rows come in time and half in March, with the others' distance corrected.

    Weather is joined in April. Returns the flights that came late.
    """
    flown = tables["flights"]
    is_late = (flown["month"] == 1) & (flown.index % 2 == 0)
    wrong = flown.assign(distance=flown["distance"] + 1000.0)
    run(store, "january", tables.with_flights(wrong[~is_late]), 1, NARROW)
    run(store, "february", tables, 2, NARROW)
    run(store, "march", tables, 3)
    return {"flights": flown[is_late]}


def test_a_backfill_brings_no_later_knowledge_into_the_past(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN rows that came late, and corrected values THEN both count from when they came on."""
    late = january_in_two_parts(store, tables)
    before = {day: seen(features, tables, pd.Timestamp(day, tz="UTC")) for day in DAYS}
    assert filled("2013-01-01", "2013-03-01")["rows"] > 50
    known = ["distance", "hour", "sched_dep_time"]
    for day in DAYS:
        now = seen(features, tables, pd.Timestamp(day, tz="UTC"))
        pd.testing.assert_frame_equal(now[known], before[day][known])
        assert now.dropna(subset=["distance"])["temp"].notna().mean() > 0.9, day
    early, later = (seen(features, late, pd.Timestamp(day, tz="UTC")) for day in DAYS[:2])
    assert early["distance"].notna().sum() < 5 < 20 < later["distance"].notna().sum()


def test_a_new_version_knows_when_values_came(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN a column that is gone and one of another type THEN the others' past is what it was."""
    january_in_two_parts(store, tables)
    before = {day: seen(features, tables, pd.Timestamp(day, tz="UTC")) for day in DAYS}
    flown = tables["flights"].drop(columns="hour")
    flown["sched_arr_time"] = flown["sched_arr_time"].map("at {} or so".format)
    for attempt in range(2):  # a repeated delivery goes on from the same version
        run(store, "may", tables.with_flights(flown), 5)
        assert [one.version for one in features.feature_sets()] == [1, 2], attempt
    known = ["distance", "sched_dep_time"]
    for day in DAYS:
        now = seen(features, tables, pd.Timestamp(day, tz="UTC"))
        if day != DAYS[2]:  # by which the new run's flights of April have come, in time
            pd.testing.assert_frame_equal(now[known], before[day][known])
            arrivals = now["sched_arr_time"].dropna()
            assert len(arrivals) > 50
            assert arrivals.str.fullmatch(r"\d+").all()
    assert Files(store).current("features_v2").runs == ["may"]
    later = seen(features, tables, pd.Timestamp("2013-06-02", tz="UTC"))
    assert later["distance"].notna().sum() > now["distance"].notna().sum()
    assert later["sched_arr_time"].dropna().str.fullmatch(r"at \d+ or so").all()


def test_replacing_takes_rows_as_they_are_now(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN a range computed again instead of filled THEN all of it is seen as if in time."""
    late = january_in_two_parts(store, tables)
    february = pd.Timestamp(DAYS[0], tz="UTC")
    assert (seen(features, tables, february)["distance"].dropna() > 1000).mean() > 0.5
    filled("2013-01-01", "2013-03-01", replace=True)
    for day in DAYS:
        found = seen(features, late, pd.Timestamp(day, tz="UTC")).dropna(subset=["distance"])
        assert len(found) > 20
        assert found["temp"].notna().mean() > 0.9, day
    corrected = tables["flights"].query("month == 1")[["carrier", "flight", "distance"]]
    shown = seen(features, {"flights": corrected}, february)
    both = shown.merge(corrected.drop_duplicates(["carrier", "flight"]), on=["carrier", "flight"])
    assert (both["distance_x"] == both["distance_y"]).mean() > 0.9


def test_a_filled_range_stays_filled_through_compactions_and_more_columns(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN a second source that joins after a backfill THEN the next one fills its columns too."""
    run(store, "march", tables, 3, BARE)
    run(store, "april", tables, 4, NARROW)
    assert filled("2013-01-01", "2013-04-01")["rows"] > 0
    features.compact("features")
    run(store, "may", tables, 5)
    assert filled("2013-01-01", "2013-04-01")["rows"] > 0
    features.compact("features")
    assert filled("2013-01-01", "2013-04-01", replace=False)["rows"] > 0  # told again, not done
    found = seen(features, tables).dropna(subset=["distance"])
    assert found["temp"].notna().mean() > 0.9
    assert found["seats"].notna().mean() > 0.5


def test_all_months_become_visible_by_one_move_of_the_pointer(
    store: Store, features: FeatureStore, tables: Year, s3: Serial
) -> None:
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    plan = planned("2013-01-01", "2013-04-01")
    computed(plan)
    pointer = "features-manifests/features/current.json"
    moves, before = 0, etags(store, pointer)

    def look(call: str) -> None:
        nonlocal moves, before
        if call == "put_object":
            s3.after = lambda call: None
            now = etags(store, pointer)
            moves, before = moves + (now != before), now
            s3.after = look

    s3.after = look
    published(plan)
    s3.after = lambda call: None
    assert moves == 1
    partitions = boto3.client("glue").get_partitions(DatabaseName=DATABASE, TableName="features")
    values = {one["Values"][0] for one in partitions["Partitions"]}
    assert values == {"march", "april", *(f"{plan['name']}.2013-0{n}" for n in (1, 2, 3))}


def test_a_range_ends_where_it_says(store: Store, features: FeatureStore, tables: Year) -> None:
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    plan = planned("2013-02-10T06:00:00+01:00", "2013-03-05")
    assert plan["parts"] == ["2013-02", "2013-03"]
    computed(plan)
    published(plan)
    spans = [entry.event_time for entry in Files(store).current("features").entries
             if entry.backfill]  # fmt: skip
    start, end = (int(pd.Timestamp(t).timestamp() * 1e6)
                  for t in ("2013-02-10T05:00Z", "2013-03-05T00:00Z"))  # fmt: skip
    assert start <= min(span[0] for span in spans)
    assert max(span[1] for span in spans) < end


def test_a_backfill_that_broke_off_goes_on_where_it_was(
    store: Store, features: FeatureStore, tables: Year, s3: Serial
) -> None:
    """GIVEN a fault at each write of the second month in turn THEN the first is not done again."""
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    before = seen(features, tables)
    plan = planned("2013-01-01", "2013-03-01")
    first = {"name": plan["name"], "execution": "one", "part": "2013-01"}
    second = {**first, "part": "2013-02"}
    assert step("BackfillMonth", "child", item=first)["skipped"] is False
    for n in range(2):
        with pytest.raises(ClientError), failing(s3, n):
            step("BackfillMonth", "child", item=second)
        with pytest.raises(FeatureError, match=r"month 2013-02 .* is not computed"):
            published(plan)
        pd.testing.assert_frame_equal(seen(features, tables), before)
    kept = etags(store, "features/")

    again = planned("2013-01-01", "2013-03-01", "two")
    assert again["name"] == plan["name"]
    assert computed(again) == [True, False]
    assert kept.items() <= etags(store, "features/").items()
    told = published(again)
    assert (told["partitions"], told["skipped"]) == (2, 1)
    assert seen(features, tables)["temp"].notna().sum() > 50


def test_of_two_deliveries_of_a_month_the_first_counts(
    store: Store, features: FeatureStore, tables: Year, s3: Serial
) -> None:
    """GIVEN a second delivery, other rows stored before it, behind the first one's file."""
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    plan = planned("2013-01-01", "2013-02-01")
    item = {"name": plan["name"], "execution": "one", "part": "2013-01"}

    def interfere() -> None:
        filled("2013-01-10", "2013-02-01", "another")
        step("BackfillMonth", "second", item=item)

    s3.once_behind(0, interfere)
    step("BackfillMonth", "first", item=item)
    both = {key for key in store.keys("features/") if plan["name"] in key}
    assert len(both) == 2
    assert len(both & superseded(store, s3)) == 1
    published(plan)
    named = {entry.key for entry in Files(store).current("features").entries}
    assert both - named == both & superseded(store, s3)
    assert seen(features, tables)["temp"].notna().sum() > 20


def test_a_lost_file_is_computed_again(store: Store, features: FeatureStore, tables: Year) -> None:
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    plan = planned("2013-01-01", "2013-03-01")
    computed(plan)
    [key] = [key for key in store.keys("features/") if "2013-02" in key]
    store.delete(key)
    assert computed(planned("2013-01-01", "2013-03-01", "two")) == [True, False]
    assert published(plan)["rows"] > 50


def test_a_compaction_meanwhile_leaves_its_files(
    store: Store, features: FeatureStore, tables: Year, s3: Serial,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """GIVEN files that no manifest names yet THEN they are no orphans, until they are forgotten."""
    monkeypatch.setattr(maintenance, "ORPHAN_AGE", timedelta(seconds=-5))
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    run(store, "may", tables, 5)
    plan = planned("2013-01-01", "2013-03-01")
    computed(plan)
    files = {key for key in store.keys("features/") if plan["name"] in key}
    features.compact("features")
    assert Files(store).current("features").runs == ["march", "april", "may"]
    assert len(Files(store).current("features").entries) == 2
    assert not files & superseded(store, s3)
    before = seen(features, tables)["temp"].notna().sum()
    published(plan)
    assert seen(features, tables)["temp"].notna().sum() > before

    again = planned("2013-02-01", "2013-04-01")
    computed(again)
    for key in store.keys("features-backfills/"):  # as the bucket's rule does after a month
        store.delete(key)
    features.compact("features")
    left = {key for key in store.keys("features/") if again["name"] in key}
    assert left == left & superseded(store, s3)
    assert not {e.key for e in Files(store).current("features").entries} & superseded(store, s3)


def superseded(store: Store, s3: Serial) -> set[str]:
    """What the bucket's rule will delete."""
    tags = {key: s3.get_object_tagging(Bucket=store.bucket, Key=key)["TagSet"]
            for key in store.keys("features")}  # fmt: skip
    return {key for key, found in tags.items() if found}


def test_what_is_published_is_not_published_again(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    first = filled("2013-01-01", "2013-03-01")
    before = etags(store)
    again = filled("2013-01-01", "2013-03-01", "two")
    assert (again["skipped"], again["published"]) == (2, False)
    assert (first["published"], again["rows"]) == (True, first["rows"])
    assert etags(store) == before
    for key in store.keys("features-backfills/"):  # as the bucket's rule does after a month
        store.delete(key)
    assert filled("2013-01-01", "2013-03-01", "three")["skipped"] == 2
    assert {k: v for k, v in etags(store).items() if "backfills" not in k} == {
        k: v for k, v in before.items() if "backfills" not in k
    }


def test_only_rows_that_say_something_new_are_stored(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    assert filled("2013-01-01", "2013-03-01")["rows"] > 100
    assert filled("2013-01-15", "2013-03-01")["rows"] == 0
    assert filled("2013-04-02", "2013-05-01")["rows"] == 0


@pytest.mark.parametrize("when", ["computing", "publishing"])
def test_a_run_beside_it_loses_nothing(
    store: Store, features: FeatureStore, tables: Year, s3: Serial, when: str
) -> None:
    """GIVEN a run that writes while a backfill is under way THEN the rows of both are there."""
    run(store, "march", tables, 3, NARROW)
    run(store, "april", tables, 4)
    plan = planned("2013-01-01", "2013-03-01")
    computed(plan)
    if when == "computing":
        run(store, "may", tables, 5)
    else:  # behind the manifest that is about to be pointed to
        s3.once_behind(0, lambda: run(store, "may", tables, 5))
    published(plan)
    manifest = Files(store).current("features")
    assert manifest.runs == ["march", "april", "may"]
    assert manifest.backfills == [plan["name"]]
    assert seen(features, tables)["temp"].notna().sum() > 50
    may = seen(features, tables, pd.Timestamp("2013-06-02", tz="UTC"))
    assert len(may.dropna(subset=["distance"])) > len(seen(features, tables).dropna(
        subset=["distance"]))  # fmt: skip


def test_an_earlier_runs_rows_can_be_taken(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    run(store, "march", tables, 3)
    run(store, "april", tables, 4)
    assert planned("2013-01-01", "2013-05-01", run="march")["parts"][-1] == "2013-03"
    with pytest.raises(FeatureError, match=r"run 'june' stored no rows .*: april, march"):
        planned("2013-01-01", "2013-05-01", run="june")


def test_rows_of_other_runs_are_no_source(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN a variation, and a turn that failed before it stored THEN neither's rows are taken."""
    run(store, "march", tables, 3)
    run(store, "varied", tables, 4, feature_set="variation_0123456789")
    store.put("clean/run=failed/rows.parquet", store.get("clean/run=varied/rows.parquet"))
    RunLog(store).record("failed", as_of="2013-06-01T12:00:00Z")
    store.put_json("runs/failed/ending.json", {"as_of": "2013-06-01T12:00:00Z"})
    assert filled("2013-01-01", "2013-04-01")["run"] == "march"
    for name in ("varied", "failed"):
        with pytest.raises(FeatureError, match=f"run '{name}' stored no rows in feature set 'fea"):
            planned("2013-01-01", "2013-04-01", run=name)


def test_a_version_without_rows_is_run_first(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN a run that registered a version and died THEN a backfill does not begin it."""
    run(store, "march", tables, 3)
    latest = features.feature_set("features")
    features.register(latest.model_copy(update={"features": latest.features[:-1]}))
    wider = features.register(latest)
    assert wider.version == 2
    with pytest.raises(FeatureError, match=r"version 2 of the feature set has no rows yet; run"):
        planned("2013-01-01", "2013-04-01")


def test_an_empty_column_is_filled_with_nothing(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN a latest run in which a text column is empty THEN its rows are taken all the same."""
    empty = tables.with_flights(tables["flights"].assign(dest=float("nan")))
    run(store, "march", tables, 3, COUNTED)
    run(store, "april", empty, 4, COUNTED)
    assert filled("2013-01-01", "2013-04-01")["run"] == "april"


def windowed(over: str) -> Problem:
    window = {"column": "distance", "function": "sum", "over": over, "as": "miles"}
    return Problem.parse(FLIGHTS | {"features": {"windows": [window]}})


def test_a_contract_that_makes_a_new_version_is_run_first(
    store: Store, tables: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_online_table(boto3.client("dynamodb"), f"{DATABASE}_online")
    run(store, "march", tables, 3, windowed("60d"))
    for deployed, said in (
        (
            windowed("50d"),
            r"makes a new version .* \(type or window changed: miles\); run the machi",
        ),
        (Problem.parse(FLIGHTS | {"entity_key": ["tailnum"]}), "no run has stored rows of these"),
    ):
        deploy(monkeypatch, deployed)
        with pytest.raises(FeatureError, match=said):
            planned("2013-01-01", "2013-03-01")


def test_a_fill_does_not_undo_a_replacement(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    """GIVEN a fill that broke off, and a replacement meanwhile THEN it is computed again."""
    january_in_two_parts(store, tables)
    plan = planned("2013-01-01", "2013-03-01")
    computed(plan)
    filled("2013-01-01", "2013-03-01", replace=True)
    before = seen(features, tables, february := pd.Timestamp(DAYS[0], tz="UTC"))
    with pytest.raises(FeatureError, match=r"another backfill was published since .*; start the"):
        published(plan)
    assert computed(planned("2013-01-01", "2013-03-01")) == [False, False]
    published(plan)
    pd.testing.assert_frame_equal(seen(features, tables, february), before)


def test_a_run_from_before_the_columns_is_refused(
    store: Store, features: FeatureStore, tables: Year
) -> None:
    run(store, "march", tables, 3, BARE)
    run(store, "april", tables, 4)
    with pytest.raises(FeatureError, match=r"run 'march' accepted rows without '\w+', which versi"):
        planned("2013-01-01", "2013-03-01", run="march")
    assert [one.version for one in features.feature_sets()] == [1]


def test_a_contract_deployed_meanwhile_starts_it_anew(
    store: Store, features: FeatureStore, tables: Year,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run(store, "march", tables, 3)
    plan = planned("2013-01-01", "2013-03-01")
    deploy(monkeypatch, Problem.parse(FLIGHTS | {"features": {"exclude": ["dep_delay"]}}))
    with pytest.raises(FeatureError, match="deployed anew since backfill"):
        computed(plan)
    assert planned("2013-01-01", "2013-03-01")["name"] != plan["name"]


def test_a_failed_month_says_why(store: Store, features: FeatureStore, tables: Year) -> None:
    run(store, "march", tables, 3)
    plan = planned("2013-01-01", "2013-03-01")
    [key] = [entry.key for entry in Files(store).current("features").entries]
    store.delete(key)
    with pytest.raises(FeatureError):
        computed(plan)
    told = store.get_json(f"features-backfills/{plan['name']}/2013-01-failed.json")
    assert "which is missing; restore the object" in told["cause"]


def test_retention_is_the_ranges_earliest_time(
    store: Store, features: FeatureStore, tables: Year,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run(store, "march", tables, 3)
    deploy(monkeypatch, Problem.parse(FLIGHTS | {"features": {"retention": "45d"}}))
    assert planned("2013-01-01", "2013-04-01")["parts"] == ["2013-02", "2013-03"]
    with pytest.raises(FeatureError, match=r"features.retention keeps rows from 2013-02-15"):
        planned("2013-01-01", "2013-02-01")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2013-04-01", "2013-01-01", "is empty: `from` is its first event time.*exchange them"),
        ("2013-01-01", "2013-01-01", "is empty"),
        ("2013-01-01T00:00:00", "2013-04-01", "has no zone.*write 2013-01-01T00:00:00Z for UTC"),
        ("January", "2013-04-01", "from 'January' is no date; write one such as 2013-01-01"),
        ("2013-01-01", "2013-02-30", "to '2013-02-30' is no date"),
        ("2012-01-01", "2012-04-01", "accepted no rows with event times from 2012-01-01.*2013-01"),
    ],
)
def test_ranges_that_cannot_be(store: Store, tables: Year, start: str, end: str, said: str) -> None:
    run(store, "march", tables, 3)
    with pytest.raises(FeatureError, match=said):
        planned(start, end)


def test_no_run_yet(store: Store) -> None:
    with pytest.raises(FeatureError, match=r"no run has stored rows .*; run the machine first"):
        planned("2013-01-01", "2013-04-01")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"event_time": None}, "no event_time"),
        ({"entity_key": []}, "name entity_key"),
        ({"quality": {"unique": ["tailnum"]}}, "leave quality.unique out"),
    ],
)
def test_contracts_without_a_history(
    store: Store, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    whole = {"sources": [{"name": "flights", "kind": "s3", "primary": True}]}
    deploy(monkeypatch, Problem.parse(FLIGHTS | whole | changes))
    with pytest.raises(FeatureError, match=said):
        planned("2013-01-01", "2013-04-01")


class failing:  # noqa: N801
    """The n-th put fails before it does anything."""

    def __init__(self, s3: Serial, n: int) -> None:
        self._s3, self._left = s3, n

    def __enter__(self) -> None:
        self._s3.before = self._fail

    def __exit__(self, *_: object) -> None:
        self._s3.before = lambda call: None

    def _fail(self, call: str) -> None:
        if call == "put_object":
            self._left -= 1
            if self._left < 0:
                error: Any = {"Error": {"Code": "InternalError", "Message": "no"}}
                raise ClientError(error, call)


def test_months_of_a_range_are_utc_and_adjoin() -> None:
    asked = EventRange.parse("2012-11-20", "2013-02-02T03:00:00Z")
    months = list(asked.months())
    assert [month.name for month in months] == ["2012-11", "2012-12", "2013-01", "2013-02"]
    assert months[0].start == datetime(2012, 11, 20, tzinfo=UTC)
    assert months[-1].end - months[-1].start == timedelta(days=1, hours=3)
    assert all(a.end == b.start for a, b in pairwise(months))


def test_an_executions_name_follows_from_what_is_asked_for() -> None:
    asked = EventRange.parse("2013-01-01", "2013-04-01")
    assert execution_name(asked, None, 1) == "backfill-20130101-20130401-latest"
    assert execution_name(asked, "run 1", 2) == "backfill-20130101-20130401-run-1-2"
    assert execution_name(asked, None, 1, replace=True).endswith("-latest-replace")
    hours = EventRange.parse("2013-01-01T06:00Z", "2013-04-01")
    long = execution_name(hours, "r" * 80, 12)
    assert long.startswith("backfill-20130101T060000-20130401-rrr")
    assert (len(long), long[-3:]) == (80, "-12")
