"""The search in the machine's own way: from EngineerFeatures to EvaluateModel by the handlers."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions import explore, search_trials
from functions.search_trials import MOST_INLINE
from noria.aws.s3 import Store
from noria.core.features.plan import make_plan
from noria.errors import TrainingError
from tests.support.model_data import problem
from tests.support.recipe_data import planted
from tests.support.stages import Outcome, run_stages

CANDIDATES = ["hist_gradient_boosting", "logistic_regression"]


def judged(killed: Sequence[str] = (), **exploration: Any) -> Outcome:
    """Run on rows whose outcome a keyword of a free text tells, with an easy objective."""
    dataset = planted("a keyword", 2_000)
    rows = pd.DataFrame(dataset.data).drop(columns=["at", "desk"])
    # The numbers tell a little, so that the first recipe meets the objective.
    rows["a"] += dataset.target * 0.8
    rows["refunded"] = np.where(dataset.target, "yes", "no")
    contract = {
        "name": "parcels", "statement": "Which customers want their money back?",
        "task": "binary", "target": "refunded", "positive_class": "yes",
        "sources": [{"name": "notes", "kind": "s3", "primary": True}],
        "objective": {"metric": "roc_auc", "threshold": 0.6},
        "exploration": {"candidates": CANDIDATES, "folds": 2, "trials": 12} | exploration,
    }  # fmt: skip
    content = rows.to_csv(index=False).encode()
    return run_stages(
        contract, {"notes": ("rows.csv", content)}, lambda trial: trial["candidate"] in killed
    )


def test_an_easy_objective_does_not_stop_the_search_at_the_first_recipe() -> None:
    """GIVEN an objective that `basic` meets THEN the far better recipe is promoted all the same."""
    best, first = judged(), judged(stop="objective")
    assert best.answers["evaluate"]["challenger"] == "wins"
    scores = [one.answers["evaluate"]["metrics"]["roc_auc"] for one in (first, best)]
    assert scores[1] > scores[0] + 0.1
    assert first.answers["features"]["recipes"] == ["basic"]
    decided = {one["state"]: one for one in best.verdicts}
    assert "text" in decided["TrainModel"]["reasons"][0]
    assert decided["JudgeTrials"]["decision"] == "train"
    assert len(decided["JudgeTrials"]["reasons"]) == 3
    assert decided["JudgeTrials"]["reasons"][-1].startswith("twice the rows, ")
    outcomes = decided["JudgeTrials"]["evidence"]["outcomes"]
    assert sum(one.startswith("chosen") for one in outcomes.values()) == 1


def test_what_is_surely_worse_than_the_quick_model_is_not_promoted() -> None:
    """GIVEN `basic` alone, which meets the objective and reads no words THEN the next is tried."""
    first = judged(stop="objective")
    assert first.answers["evaluate"]["metrics"]["roc_auc"] > 0.6
    assert first.answers["evaluate"]["objective"] == "try_next_recipe"
    assert "quick model of the analysis is surely better" in first.reasons[0]


def test_a_trial_that_needs_more_memory_than_there_is_costs_the_others_nothing() -> None:
    """GIVEN trials whose function is killed THEN they are told as failed, another is trained."""
    outcome = judged(killed=CANDIDATES[:1], trials=2)
    assert outcome.answers["train"]["decision"] == CANDIDATES[1]
    [verdict] = [one for one in outcome.verdicts if one["state"] == "JudgeTrials"]
    outcomes = verdict["evidence"]["outcomes"]
    lost = [told for name, told in outcomes.items() if name.endswith(CANDIDATES[0])]
    assert lost
    assert set(lost) == {"failed"}


def test_where_every_trial_is_killed_the_run_says_so() -> None:
    told = "hist_gradient_boosting: Runtime.OutOfMemory: .* signal: killed"
    with pytest.raises(TrainingError, match=told):
        judged(killed=CANDIDATES)


def test_without_a_search_the_machine_climbs_from_basic() -> None:
    alone = judged(trials=1)
    assert alone.answers["features"]["recipes"] == ["basic"]
    assert [one["rung"] for one in alone.answers["search"]["trials"]] == [1, 1]


DATASET = planted("a keyword", 400)
#: Names as long as recipes have them.
LONG = [f"calendar+windows+target_encoding+interactions+text+selection{number}"
        for number in range(10)]  # fmt: skip
KINDS = ["decision_tree", "extra_trees", "hist_gradient_boosting", "logistic_regression",
         "neural_network", "random_forest", "support_vectors"]  # fmt: skip
LONGEST_CAUSE = json.dumps({"errorMessage": "killed " * 4_500})  # Lambda cuts at 32 KiB
LARGEST_STATE = 32_768  # bytes, of the 256 KiB that AWS allows


class Search:
    """The states of a rung, over the machine's state; every recipe has the plan of `basic`."""

    def __init__(self, store: Store, recipes: Sequence[str], **exploration: Any) -> None:
        contract = problem(exploration={"candidates": KINDS, "folds": 2} | exploration)
        store.put_json("runs/r1/problem.json", contract.to_document())
        store.put("clean/run=r1/dataset.npz", DATASET.to_bytes())
        plan = make_plan(DATASET, contract, 0).model_dump_json().encode()
        for recipe in recipes:
            store.put(f"runs/r1/iteration=1/plans/{recipe.replace('+', '.')}.json", plan)
        self.state: dict[str, Any] = {
            "features": {"iteration": 1, "recipes": [*recipes], "rows": DATASET.training_size}
        }

    def call(self, handler: Any, state: str, **told: Any) -> dict[str, Any]:
        event = {"state": state, "execution": "r1", "started_at": "2026-11-24T00:00:00Z"}
        answer: dict[str, Any] = handler.handler({**event, **told, "input": self.state}, None)
        assert len(json.dumps(self.state | {"last": answer})) < LARGEST_STATE
        return answer

    def propose(self) -> dict[str, Any]:
        self.state["search"] = self.call(search_trials, "ProposeTrials")
        return self.state["search"]

    def lose(self, trial: dict[str, Any]) -> None:
        failure = {"Error": "Runtime.OutOfMemory", "Cause": LONGEST_CAUSE}
        self.call(search_trials, "ExploreModels", item=trial, failure=failure)

    def judge(self) -> dict[str, Any]:
        return self.call(search_trials, "JudgeTrials")


def test_more_than_40_trials_are_items_in_the_runs_folder_and_not_in_the_state(
    store: Store,
) -> None:
    """GIVEN more trials than an inline Map runs at once THEN the Distributed Map reads them."""
    search = Search(store, LONG[:4], trials=28).propose()
    assert (search["count"], search["many"]) == (28, False)
    assert search["trials"] == store.get_json(search["key"])
    many = Search(store, LONG[:6], trials=80)
    search = many.propose()
    assert (search["count"], search["many"], search["trials"]) == (80, True, [])
    assert search["count"] > MOST_INLINE
    assert len(store.get_json(search["key"])) == 80
    assert (search["execution"], search["started_at"][:10]) == ("r1", "2026-11-24")
    assert many.propose() == search  # delivered twice


def test_40_trials_of_long_names_fit_the_state_though_each_fails_at_length(store: Store) -> None:
    """GIVEN 40 functions that are killed with 32 KiB to say THEN the state says none of it."""
    search = Search(store, LONG, candidates=KINDS[:4], trials=40)
    trials = search.propose()["trials"]
    assert len(trials) == MOST_INLINE
    for trial in trials:
        search.lose(trial)
    with pytest.raises(TrainingError, match=r"extra_trees: Runtime.OutOfMemory: killed") as told:
        search.judge()
    assert len(str(told.value)) < LARGEST_STATE


def test_of_a_trial_that_left_nothing_it_is_said_that_it_failed(store: Store) -> None:
    """GIVEN a trial that ended, one that was lost after it ended, and one without a trace."""
    search = Search(store, ["basic"], candidates=KINDS[:4], trials=4)
    ended, lost_late, lost, gone = search.propose()["trials"]
    for trial in (ended, lost_late):
        search.call(explore, "ExploreModels", item=trial)
    search.lose(lost_late)
    search.lose(lost)
    answer = search.judge()
    assert answer["decision"] == "train"
    assert answer["seconds"] > 0
    kinds = [one["candidate"] for one in (ended, lost_late, lost, gone)]
    found = {
        kind: store.get_json(f"runs/r1/iteration=1/explore/1.basic.{kind}.json") for kind in kinds
    }
    assert {name: one["error"] is None for name, one in found.items()} == {
        "decision_tree": True, "extra_trees": True, "hist_gradient_boosting": False,
        "logistic_regression": False,
    }  # fmt: skip
    assert found["hist_gradient_boosting"]["error"].startswith("Runtime.OutOfMemory: killed")
    assert "left a result" in found["logistic_regression"]["error"]
    assert found["logistic_regression"]["outcome"] == "failed"
