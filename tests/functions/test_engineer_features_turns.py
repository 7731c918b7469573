"""The loop back: what EvaluateModel finds weak is what EngineerFeatures mends."""

from collections.abc import Iterator
from html import unescape
from typing import Any

import numpy as np
import pytest

from functions import engineer_features, evaluate, explore, score_holdout, search_trials, train
from noria.aws import clients
from noria.aws.s3 import Store
from noria.core.data.dataset import Dataset
from noria.core.features.plan import make_plan
from tests.support.model_data import problem
from tests.support.recipe_data import planted

CONTRACT: dict[str, Any] = problem(
    objective={"threshold": 0.93},
    exploration={"candidates": ["hist_gradient_boosting"], "folds": 2, "rows": 1_000},
    deployment={"canary": None},
).to_document()
EMPTY: dict[str, Any] = {"sources": []}


@pytest.fixture
def store(bucket: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("NORIA_BUCKET", bucket.bucket)
    clients.client.cache_clear()
    yield bucket
    clients.client.cache_clear()


class Machine:
    """The states from ExploreModels to EvaluateModel, and back to EngineerFeatures."""

    def __init__(self, store: Store, dataset: Dataset) -> None:
        self.store = store
        self.given: dict[str, Any] = {
            "features": {"iteration": 1, "recipes": ["basic"], "rows": dataset.training_size}
        }
        store.put_json("runs/r1/problem.json", CONTRACT)
        store.put_json("runs/r1/collected.json", EMPTY)
        store.put("clean/run=r1/dataset.npz", dataset.to_bytes())
        store.put("clean/run=r1/rows.parquet", b"rows")
        plan = make_plan(dataset, problem(), 0)
        store.put("runs/r1/iteration=1/plans/basic.json", plan.model_dump_json().encode())

    def event(self, state: str, item: Any = None) -> dict[str, Any]:
        return {"state": state, "execution": "r1", "started_at": "2026-11-24T00:00:00Z",
                "input": self.given, "item": item}  # fmt: skip

    def judge(self) -> dict[str, Any]:
        self.given["search"] = search_trials.handler(self.event("ProposeTrials"), None)
        [trial] = self.given["search"]["trials"]
        explore.handler(self.event("ExploreModels", trial), None)
        self.given["judge"] = search_trials.handler(self.event("JudgeTrials"), None)
        self.given["train"] = train.handler(self.event("TrainModel"), None)
        self.given["score"] = score_holdout.handler(self.event("ScoreHoldout"), None)
        self.given["evaluate"] = evaluate.handler(self.event("EvaluateModel"), None)
        return self.given["evaluate"]

    def engineer(self) -> dict[str, Any]:
        self.given["features"] = engineer_features.handler(self.event("EngineerFeatures"), None)
        return self.given["features"]


def test_the_second_turn_takes_the_recipe_that_the_first_one_lacked(store: Store) -> None:
    machine = Machine(store, planted("a keyword"))
    first = machine.judge()
    assert first["objective"] == "try_next_recipe"
    turn = machine.engineer()
    assert (turn["iteration"], turn["recipes"]) == (2, ["text"])
    assert "misses the threshold 0.93" in turn["reasons"][0]
    assert "because word of note still explains" in turn["reasons"][0]
    assert store.get_json("runs/r1/verdicts/02-EngineerFeatures.json")["decision"] == "text"
    assert machine.judge()["objective"] == "met"
    assert "note with 'refund'" in unescape(store.get("runs/r1/report.html").decode())


def test_a_repeated_delivery_makes_the_same_plan(store: Store) -> None:
    machine = Machine(store, planted("a desk"))
    machine.judge()
    before = dict(machine.given)
    machine.engineer()
    [key] = store.keys("runs/r1/iteration=2/plans/")
    written = store.get(key)
    machine.given = before
    machine.engineer()
    assert store.keys("runs/r1/iteration=2/plans/") == [key]
    assert store.get(key) == written


def test_a_selected_model_asks_and_watches_only_what_it_reads(store: Store) -> None:
    dataset = planted("a desk")
    machine = Machine(store, dataset)
    plan = make_plan(dataset, problem(features={"recipes": ["target_encoding", "selection"]}), 2)
    machine.given["features"]["recipes"] = [plan.recipe]
    name = plan.recipe.replace("+", ".")
    store.put(f"runs/r1/iteration=1/plans/{name}.json", plan.model_dump_json().encode())
    machine.judge()
    signature = store.get_json("models/v1/signature.json")
    names = [field["name"] for field in signature["columns"]]
    assert "desk" in names
    assert sorted([*names, *signature["unused"]]) == sorted(dataset.names())
    assert signature["unused"]
    assert set(store.get_json("models/v1/reference.json")["columns"]) <= set(names)
    sample = store.get_json("models/v1/sample.json")
    assert sample
    assert all(set(row) == set(names) for row in sample)
    assert np.isfinite(machine.given["evaluate"]["metrics"]["roc_auc"])  # type: ignore[index]
