"""Runs that try a variation of the contract, and refreshes: what they do to the feature store."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pandas as pd
import pytest

from functions import define_problem
from noria.aws.feature_store import Files
from noria.aws.registry import Champion, Registry
from noria.aws.storage import Store
from noria.contracts import Problem
from noria.core.history import History
from noria.feature_store import FeatureStore
from tests.functions.feature_stack import deliver, feature_stack, features_of
from tests.functions.test_history import APRIL, DATABASE, PROBLEM
from tests.unit.data_frames import airplanes

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
    return deliver(store, name, {"flights": rows}, problem, as_of.isoformat(), state, carried)


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
    history = History.model_validate_json(store.get("runs/varied/history.json"))
    assert history.feature_set.startswith("variation_")
    own = Files(store).current(f"features_{history.feature_set}")
    assert (own.runs, own.rows) == (["varied"], Files(store).current("features").rows)


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

    # Deployed as a contract it goes on with that set, until a new champion looks up elsewhere.
    varied = PROBLEM.merged(VERY_LATE)
    deploy(monkeypatch, varied)
    assert defined("deployed", only="features")["feature_set"] == own
    assert defined("turn")["feature_set"] == "features"
    # Another contract that does not allow the variation is followed itself.
    other = varied.to_document() | {"sources": [{"name": "trips", "kind": "s3", "primary": True}]}
    deploy(monkeypatch, Problem.parse(other))
    assert defined("other", only="features")["feature_set"] == "features"


def test_a_refresh_makes_no_version(
    store: Store, features: FeatureStore, table: pd.DataFrame
) -> None:
    """GIVEN a source that lost a column and changed another's type THEN what is stored stays.

    The next turn of the wheel makes the new version.
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


def test_a_column_without_values_keeps_its_type(
    store: Store, features: FeatureStore, table: pd.DataFrame
) -> None:
    """GIVEN a run in which the text that a window counts is empty THEN the set is the same."""
    run(store, "march", table.query("month <= 3"), APRIL)
    empty = table.query("month <= 3").assign(dest=float("nan"))
    run(store, "april", empty, APRIL + timedelta(days=1))
    assert [one.version for one in features.feature_sets()] == [1]
