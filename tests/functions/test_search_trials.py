"""The search in the machine's own way: from EngineerFeatures to EvaluateModel by the handlers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.errors import TrainingError
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
