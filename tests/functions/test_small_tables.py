"""A table of few rows is judged by all of them, and what serves has learnt from all of them."""

from typing import Any

import numpy as np
import pandas as pd

from tests.support.stages import Outcome, run_stages

ROWS = 240


def judged(seed: int = 1, strength: float = 1.2, **evaluation: Any) -> Outcome:
    """Run on 240 rows, of which a logistic model tells the class with a ROC AUC of about 0.8."""
    generator = np.random.default_rng(seed)
    rows = pd.DataFrame(generator.normal(size=(ROWS, 4)).round(4), columns=list("abcd"))
    chance = 1 / (1 + np.exp(-strength * (rows["a"] + 0.6 * rows["b"])))
    rows["ill"] = np.where(generator.random(ROWS) < chance, "yes", "no")
    contract = {
        "name": "patients", "statement": "Which patients will fall ill within a year?",
        "task": "binary", "target": "ill", "positive_class": "yes",
        "sources": [{"name": "patients", "kind": "s3", "primary": True}],
        "quality": {"minimum_rows": 50},
        "objective": {"metric": "roc_auc", "threshold": 0.75},
        "exploration": {"candidates": ["logistic_regression"], "trials": 1},
        "evaluation": evaluation,
    }  # fmt: skip
    return run_stages(contract, {"patients": ("rows.csv", rows.to_csv(index=False).encode())})


def test_all_rows_tell_what_a_holdout_of_few_cannot() -> None:
    """GIVEN several draws of 240 rows THEN all rows decide on more of them than 48 do."""
    decided = {
        small: [
            judged(seed, small_holdout=small).answers.get("evaluate", {}).get("decision")
            for seed in range(6)
        ]
        for small in (0, 200)
    }
    assert decided[200].count("met") > decided[0].count("met")
    assert "undecided" in decided[0]


def test_what_judged_is_told_and_learnt() -> None:
    outcome = judged()
    assert outcome.answers["evaluate"]["challenger"] == "wins"
    [verdict] = [one for one in outcome.verdicts if one["state"] == "EvaluateModel"]
    found = verdict["evidence"]
    assert (found["rows"], found["parity"]["rows"]) == (ROWS, ROWS - found["out_of_fold"])
    assert f"({found['out_of_fold']} out of fold, as the holdout is small)" in verdict["reasons"][0]
    assert found["interval"]["low"] < found["bound"] < found["value"]
    assert outcome.answers["final"]["rows"] == ROWS
    assert outcome.answers["final"]["decision"] == "adopted"


def test_noise_is_not_promoted() -> None:
    outcome = judged(strength=0.0)
    assert outcome.answers.get("evaluate", {}).get("challenger") != "wins"
    assert outcome.decision == "reevaluate"
