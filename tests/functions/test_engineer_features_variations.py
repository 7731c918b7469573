"""Runs that try a variation of the contract, and refreshes: what they do to the feature store."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest

from functions import define_problem
from noria.aws.feature_store import Files
from noria.aws.model_registry import Champion, Registry
from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.windows.lookup_spec import LookupSpec
from noria.errors import ContractError
from noria.feature_store.store import FeatureReference, FeatureStore
from tests.noria.feature_store.test_windows import APRIL, DATABASE, PROBLEM
from tests.support.data_frames import airplanes
from tests.support.feature_stack import cleansed, deliver, feature_stack, features_of

VERY_LATE: dict[str, Any] = {"target": {"expression": "arr_delay > 60"}}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return airplanes()


@pytest.fixture
def store(bucket: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    deploy(monkeypatch, PROBLEM)
    with feature_stack(bucket, monkeypatch, DATABASE) as stack:
        yield stack


@pytest.fixture
def features(store: Store) -> Iterator[FeatureStore]:
    with features_of(store, DATABASE) as opened:
        yield opened


def deploy(monkeypatch: pytest.MonkeyPatch, problem: Problem) -> None:
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps(problem.to_document()))


def defined(name: str, **given: Any) -> dict[str, Any]:
    """What DefineProblem hands on of an execution with this input, after Admit."""
    event = {
        "state": "DefineProblem", "execution": name, "started_at": "2014-01-01T00:00:00Z",
        "input": {"run": {"only": given.get("only", "")}, "input": given},
    }  # fmt: skip
    return define_problem.handler(event, None)


def run(store: Store, name: str, rows: pd.DataFrame, as_of: datetime, **given: Any) -> Any:
    """An execution from DefineProblem to the feature store."""
    told = defined(name, **given)
    problem = Problem.parse(store.get_json(f"runs/{name}/problem.json"))
    state = "StoreFeatures" if given.get("only") else "EngineerFeatures"
    carried = {"problem": told, "run": {"only": given.get("only", "")}}
    accepted = cleansed({"flights": rows}, problem)
    return deliver(store, name, accepted, problem, as_of.isoformat(), state, carried)


def stored(store: Store) -> dict[str, str]:
    """Everything that readers of the deployed contract's set see, and how it is looked up."""
    client = boto3.client("dynamodb")
    items = client.scan(TableName=f"{DATABASE}_online")["Items"]
    own = {one["entity"]["S"]: json.dumps(one, default=str, sort_keys=True)
           for one in items if json.loads(one["entity"]["S"])[0] == "features"}  # fmt: skip
    return own | {"files": Files(store).current("features").model_dump_json()}


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({}, False),
        ({"objective": {"threshold": 0.8}}, False),
        ({"features": {"recipes": ["windows"]}, "evaluation": {"holdout": 0.3}}, False),
        (VERY_LATE, True),
        ({"features": {"delay": "4h"}}, True),
        ({"features": {"exclude": []}}, True),
        ({"quality": {"minimum_rows": 50, "schema_drift": "fail"}}, False),
        ({"quality": {"columns": {"distance": {"minimum": 100}}}}, True),
    ],
)
def test_what_makes_other_rows_has_a_set_of_its_own(
    store: Store, changes: dict[str, Any], own: bool
) -> None:
    name = defined("r", problem=changes)["feature_set"]
    assert (name.startswith("variation_"), name == "features") == (own, not own)
    assert defined("again", problem=changes)["feature_set"] == name


def test_a_variation_leaves_the_history_that_is_served(store: Store, table: pd.DataFrame) -> None:
    """GIVEN a run with another target THEN the champion's history is what it was, bit by bit."""
    march = table.query("month <= 3")
    run(store, "march", march, APRIL)
    before = stored(store)
    run(store, "varied", march, APRIL + timedelta(hours=1), problem=VERY_LATE)
    assert stored(store) == before
    history = LookupSpec.model_validate_json(store.get("runs/varied/history.json"))
    assert history.feature_set.startswith("variation_")
    own = Files(store).current(f"features_{history.feature_set}")
    assert (own.runs, own.rows) == (["varied"], Files(store).current("features").rows)


def test_a_variation_knows_what_came_late(store: Store, table: pd.DataFrame) -> None:
    """GIVEN a day's flights that came a month late THEN a variation does not see them before."""
    march = table.query("month <= 3")
    late = (march["month"] == 1) & (march["day"] == 9)
    run(store, "february", march[~late & (march["month"] == 1)], APRIL - timedelta(days=59))
    run(store, "march", march, APRIL)
    run(store, "varied", march, APRIL + timedelta(hours=1), problem=VERY_LATE)
    usual, varied = (
        Dataset.from_bytes(store.get(f"runs/{name}/expanded.npz")) for name in ("march", "varied")
    )
    np.testing.assert_array_equal(usual.data["miles"], varied.data["miles"])
    own = Dataset.from_bytes(store.get("clean/run=varied/dataset.npz"))  # by its own rows, in time
    assert (own.data["miles"] != varied.data["miles"]).sum() > 20


def test_a_variations_first_run_is_delivered_again(store: Store, table: pd.DataFrame) -> None:
    """GIVEN a refresh that corrected what it was dated by THEN nothing is refused or changed."""
    march = table.query("month <= 3")
    run(store, "march", march, APRIL)
    run(store, "varied", march, APRIL + timedelta(hours=1), problem=VERY_LATE)
    own = f"features_{defined('r', problem=VERY_LATE)['feature_set']}"
    before = Files(store).current(own)
    more = table.query("month <= 3 or day <= 2")
    run(store, "refresh", more, APRIL + timedelta(days=2), only="features")
    run(store, "varied", march, APRIL + timedelta(hours=1), problem=VERY_LATE)
    assert Files(store).current(own) == before


def test_a_deployment_that_a_variation_cannot_follow_is_told(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN a retention shorter than the serving variation's window THEN the refresh goes on."""
    march = table.query("month <= 3")
    run(store, "march", march, APRIL)
    run(store, "varied", march, APRIL, problem=VERY_LATE)
    serve(store, "varied")
    short = PROBLEM.to_document()
    short["features"]["retention"] = "20d"
    short["features"]["windows"] = short["features"]["windows"][:1]
    deploy(monkeypatch, Problem.parse(short))
    told = defined("refresh", only="features")
    assert told["feature_set"] == "features"
    assert "retention 20d is shorter than window" in told["notes"][0]


@pytest.mark.parametrize(("field", "value"), [("retention", "40d"), ("refresh", "2h")])
def test_what_is_the_stacks_is_no_variation(store: Store, field: str, value: str) -> None:
    with pytest.raises(ContractError, match=f"features.{field} cannot be changed by an execution"):
        defined("r", problem={"features": {field: value}})


def serve(store: Store, run_id: str) -> None:
    """Make a run's model the champion, as Promote does."""
    registry, version = Registry(store), f"{run_id}-1"
    history = store.get_json(f"runs/{run_id}/history.json")
    signature = json.dumps({"history": history}).encode()
    registry.write_version(version, {"signature.json": signature})
    registry.promote(
        Champion(version=version, run_id=run_id, as_of=APRIL, function_version="1",
                 metric="roc_auc", metrics={}, training_rows=1, promoted_at=datetime.now(UTC))
    )  # fmt: skip


def test_a_refresh_keeps_young_what_is_served(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN a variation whose model serves THEN its own set is refreshed, by its own contract."""
    march, april = table.query("month <= 3"), table.query("month <= 3 or day <= 3")
    run(store, "march", march, APRIL)
    serve(store, "march")
    assert defined("refresh", only="features")["feature_set"] == "features"
    run(store, "varied", march, APRIL + timedelta(hours=1), problem=VERY_LATE)
    serve(store, "varied")
    before = stored(store)
    own = defined("r", problem=VERY_LATE)["feature_set"]
    run(store, "refreshed", april, APRIL + timedelta(days=3), only="features")
    assert Files(store).current(f"features_{own}").runs == ["varied", "refreshed"]
    assert stored(store) == before

    # Whatever is deployed: it goes on with that set, until a new champion looks up elsewhere.
    varied = PROBLEM.merged(VERY_LATE)
    for number, deployed in enumerate(
        (
            varied,
            PROBLEM.merged({"quality": {"columns": {"distance": {"minimum": 1}}}}),
            Problem.parse(PROBLEM.to_document() | {"deployment": {"canary": None}}),
        )
    ):
        deploy(monkeypatch, deployed)
        told = defined(f"deployed-{number}", only="features")
        assert (told["feature_set"], told["notes"]) == (own, [])
        assert defined(f"turn-{number}")["feature_set"] == "features"
    # A contract that does not allow the variation is followed itself, and says what that means.
    other = varied.to_document() | {"sources": [{"name": "trips", "kind": "s3", "primary": True}]}
    deploy(monkeypatch, Problem.parse(other))
    told = defined("other", only="features")
    assert told["feature_set"] == "features"
    assert f"serves by feature set '{own}', which can no longer be refreshed" in told["notes"][0]


def test_a_refresh_makes_no_version(
    store: Store, features: FeatureStore, table: pd.DataFrame
) -> None:
    """GIVEN a source that lost a column and changed another's type THEN what is stored stays.

    The next training run makes the new version.
    """
    run(store, "march", table.query("month <= 3"), APRIL)
    before = Files(store).current("features").rows
    other = table.query("month <= 3 or day <= 3").drop(columns="hour")
    other["sched_dep_time"] = other["sched_dep_time"].map("about {:.0f} or so".format)
    answer = run(store, "refresh", other, APRIL + timedelta(days=3), only="features")
    assert "column 'hour' is gone or of another type: what is stored of it stays" in str(answer)
    assert "column 'sched_dep_time' is gone" in str(answer)
    assert [one.version for one in features.feature_sets()] == [1]
    now = Files(store).current("features")
    assert before < now.rows < before + 200  # new flights only
    run(store, "turn", other, APRIL + timedelta(days=4))
    assert [one.version for one in features.feature_sets()] == [1, 2]
    assert features.compare("features", 1, 2).removed == ("hour",)


def test_a_refresh_with_a_new_window_carries_what_is_gone(
    store: Store, features: FeatureStore, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN a window that means something else by now, and a column that is gone THEN both go."""
    run(store, "march", table.query("month <= 3"), APRIL)
    windows = PROBLEM.to_document()["features"]["windows"]
    changed = [one | ({"over": "9d"} if one["as"] == "miles" else {}) for one in windows]
    deploy(monkeypatch, PROBLEM.merged({"features": {"windows": changed}}))
    other = table.query("month <= 3").drop(columns="hour")
    at = APRIL + timedelta(days=3)
    for name in ("refresh", "refresh"):  # delivered twice
        run(store, name, other, at, only="features")
    assert [one.version for one in features.feature_sets()] == [1, 2]
    before, now = (Files(store).current(f"features{suffix}") for suffix in ("", "_v2"))
    assert now.rows == before.rows
    asked = table[["tailnum"]].drop_duplicates().astype({"tailnum": "string"})
    found = [
        features.historical_features(
            asked.assign(prediction_time=pd.Timestamp(at)),
            [FeatureReference("features", ["hour"], version)],
        )["hour"]
        for version in (1, 2)
    ]
    pd.testing.assert_series_equal(*found)
    assert found[0].notna().sum() > 20


def test_a_refresh_without_a_column_is_delivered_again(store: Store, table: pd.DataFrame) -> None:
    """GIVEN another refresh that corrected the column meanwhile THEN nothing changes."""
    march = table.query("month <= 3")
    run(store, "march", march, APRIL)
    without = table.query("month <= 3 or day <= 2").drop(columns="hour")
    run(store, "first", without, APRIL + timedelta(days=2), only="features")
    corrected = march.assign(hour=march["hour"] + 1)
    run(store, "second", corrected, APRIL + timedelta(days=3), only="features")
    before = stored(store)
    run(store, "first", without, APRIL + timedelta(days=2), only="features")
    assert stored(store) == before


@pytest.mark.parametrize("kind", ["repeats", "no key"])
def test_a_refresh_without_a_column_leaves_rows_that_it_cannot_tell_apart(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    document = PROBLEM.to_document()
    if kind == "repeats":
        document["quality"] = {"unique": ["tailnum", "time_hour", "minute"]}
    else:
        del document["entity_key"], document["features"]["windows"]
    deploy(monkeypatch, Problem.parse(document))
    run(store, "march", table.query("month <= 3"), APRIL)
    before = stored(store)
    other = table.query("month <= 3").drop(columns="hour")
    answer = run(store, "refresh", other, APRIL + timedelta(days=3), only="features")
    assert "nothing was stored, as that would take the place of all rows" in answer["reasons"]
    assert stored(store)["files"] == before["files"]


def test_a_run_that_died_leaves_no_obstacle(
    store: Store, features: FeatureStore, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN first runs that registered versions and stored nothing THEN the next one stores."""
    march = table.query("month <= 3")
    for number, gone in enumerate(([], ["hour"], ["day"])):
        with monkeypatch.context() as patched:
            patched.setattr(Files, "put", _raise)
            with pytest.raises(ConnectionError):
                run(store, f"died {number}", march.drop(columns=gone), APRIL)
    assert [one.version for one in features.feature_sets()] == [1, 2, 3]
    run(store, "march", march.drop(columns="day"), APRIL)
    latest = features.feature_set("features")
    assert Files(store).current(latest.table).runs == ["march"]


def test_a_shorter_delay_holds_for_the_past(
    store: Store, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN rows that are known sooner from now on THEN training sees what answers will see."""
    march = table.query("month <= 3")
    run(store, "march", march, APRIL)
    sooner = PROBLEM.to_document()
    sooner["features"]["delay"] = sooner["monitoring"]["label_delay"] = "2h"
    deploy(monkeypatch, Problem.parse(sooner))
    run(store, "april", march, APRIL + timedelta(hours=1))
    found = Dataset.from_bytes(store.get("runs/april/expanded.npz"))
    own = Dataset.from_bytes(store.get("clean/run=april/dataset.npz"))
    for name in ("miles", "flown", "mean_delay"):
        np.testing.assert_array_equal(found.data[name], own.data[name])


def test_a_longer_delay_keeps_the_order_of_corrections(
    store: Store, features: FeatureStore, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN rows corrected within hours THEN with a delay of days the correction still counts."""
    march = table.query("month <= 3")
    wrong = march.assign(distance=march["distance"] + 5000.0)
    run(store, "wrong", wrong, APRIL)
    run(store, "right", march, APRIL + timedelta(hours=5))
    later = PROBLEM.to_document()
    later["features"]["delay"] = "2d"
    windows = later["features"]["windows"]
    later["features"]["windows"] = [one for one in windows if one["over"] in ("7d", "30d")]
    deploy(monkeypatch, Problem.parse(later))
    run(store, "later", march.iloc[::2], APRIL + timedelta(hours=9))  # some rows are gone
    asked = table[["tailnum"]].drop_duplicates().astype({"tailnum": "string"})
    at = pd.Timestamp(APRIL + timedelta(days=9))
    found = features.historical_features(
        asked.assign(prediction_time=at), [FeatureReference("features", ["distance"])]
    )
    assert features.feature_set("features").version == 2
    assert found["distance"].max() < 5000
    assert found["distance"].notna().sum() >= 38


def _raise(*_: Any) -> None:
    raise ConnectionError("S3 is away")


def test_a_column_without_values_keeps_its_type(
    store: Store, features: FeatureStore, table: pd.DataFrame
) -> None:
    """GIVEN a run in which the text that a window counts is empty THEN the set is the same."""
    run(store, "march", table.query("month <= 3"), APRIL)
    empty = table.query("month <= 3").assign(dest=float("nan"))
    run(store, "april", empty, APRIL + timedelta(days=1))
    assert [one.version for one in features.feature_sets()] == [1]
