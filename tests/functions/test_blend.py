"""A blend goes the machine's whole way: searched, trained, judged, fitted on all rows, told."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from tests.support.stages import Outcome, run_stages

ROWS = 1_200


def judged(megabytes: float = 20.0, **exploration: Any) -> Outcome:
    """An outcome that is partly a sum, partly a pattern of steps: each model sees a part of it."""
    generator = np.random.default_rng(3)
    names = [f"x{number}" for number in range(24)]
    rows = pd.DataFrame(generator.normal(size=(ROWS, 24)).round(4), columns=names)
    steps = 3 * np.sign(np.sin(3 * rows["x0"])) + 2 * (rows["x1"] > 0) * (rows["x2"] > 0)
    rows["price"] = rows[names[4:]].sum(axis=1) + steps + generator.normal(0, 1, ROWS)
    rows["day"] = pd.date_range("2024-01-01", periods=ROWS, freq="h").astype(str)
    contract = {
        "name": "prices", "statement": "What will a room cost on the next day?",
        "task": "regression", "target": "price",
        "event_time": "day", "objective": {"metric": "r2", "threshold": 0.3},
        "sources": [{"name": "rooms", "kind": "s3", "primary": True}],
        "exploration": {"candidates": ["hist_gradient_boosting", "ridge"], "trials": 2}
        | exploration,
        "training": {"artifact_megabytes": megabytes},
    }  # fmt: skip
    return run_stages(contract, {"rooms": ("rows.csv", rows.to_csv(index=False).encode())})


@pytest.fixture(scope="module")
def blended() -> Outcome:
    return judged()


def test_the_better_blend_is_chosen_and_told(blended: Outcome) -> None:
    decided = {one["state"]: one for one in blended.verdicts}
    outcomes = decided["JudgeTrials"]["evidence"]["outcomes"]
    assert outcomes["1.blend"].startswith("chosen: better than the best trial")
    assert [one for one in outcomes.values() if one == "the best trial, behind a blend"]
    assert decided["TrainModel"]["decision"] == "blend"
    assert "% ridge (basic)" in decided["TrainModel"]["reasons"][0]
    assert blended.answers["evaluate"]["challenger"] == "wins"
    assert blended.answers["final"]["decision"] == "adopted"
    files = {key.rpartition("/")[2]: content for key, content in blended.files.items()}
    signature = json.loads(files["signature.json"])
    assert sum(one["weight"] for one in signature["blend"]) == pytest.approx(1)
    card = files["model_card.html"].decode()
    assert "% ridge (basic)" in card


def trials(outcome: Outcome) -> dict[str, dict[str, Any]]:
    documents = [json.loads(one) for key, one in outcome.objects.items()
                 if key.startswith("experiments/")]  # fmt: skip
    return {one["candidate"]: one for one in documents}


def test_a_blend_that_is_too_large_to_serve_is_none(blended: Outcome) -> None:
    """GIVEN room for each of its models and not for both THEN the best of them is trained."""
    sizes = {name: one["artifact_bytes"] for name, one in trials(blended).items()}
    assert sizes["blend"] == sizes["hist_gradient_boosting"] + sizes["ridge"]
    outcome = judged(1.26 * sizes["hist_gradient_boosting"] / 2**20)
    found = trials(outcome)
    assert [one["error"] for one in found.values()] == [None, None]
    assert sum(one["outcome"].startswith("chosen") for one in found.values()) == 1
    [reason] = [one for one in outcome.sentences if "a blend: its artifact has" in one]
    assert "raise that" in reason


def test_its_answers_have_intervals_that_hold_the_values_of_the_holdout(blended: Outcome) -> None:
    files = {key.rpartition("/")[2]: content for key, content in blended.files.items()}
    judged_by = json.loads(files["evaluation.json"])
    assert judged_by["coverage"] == pytest.approx(0.9, abs=0.06)
    signature = Signature.model_validate_json(files["signature.json"])
    [answer] = OnnxModel(files["model.onnx"], signature).predict([signature.example])
    low, high = answer["interval"]
    assert low < answer["prediction"] < high
    held = f"Of the holdout&#39;s values they hold {judged_by['coverage']:.1%}."
    assert held in files["model_card.html"].decode()


def test_it_scores_more_than_one_model_on_the_holdout(blended: Outcome) -> None:
    alone = judged(blend=False)
    assert alone.answers["train"]["decision"] in ("hist_gradient_boosting", "ridge")
    scores = [one.answers["evaluate"]["metrics"]["r2"] for one in (alone, blended)]
    assert scores[1] > scores[0] + 0.005
