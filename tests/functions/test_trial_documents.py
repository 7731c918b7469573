"""What is written down of a trial, and that one which cannot be served costs the others nothing."""

import json
from typing import Any

import numpy as np
import pandas as pd

from tests.support.stages import Outcome, run_stages

ROWS = 900


def run_on(product: float, **asked: Any) -> Outcome:
    """Run on two numbers, with so much of their product, which trees learn and a line does not."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame({name: generator.normal(size=ROWS).round(4) for name in "ab"})
    table["y"] = (
        table["a"] + product * table["a"] * table["b"] + generator.normal(size=ROWS)
    ).round(4)
    contract: dict[str, Any] = {
        "name": "curved", "statement": "What will be measured, from the two numbers before it?",
        "task": "regression", "target": "y",
        "sources": [{"name": "rows", "kind": "s3", "primary": True}],
        "objective": {"metric": "r2", "threshold": 0.05},
        "features": {"recipes": ["basic"]},
        "exploration": {"candidates": ["ridge", "random_forest", "hist_gradient_boosting"]},
    }  # fmt: skip
    content = table.to_csv(index=False).encode()
    return run_stages(contract | asked, {"rows": ("rows.csv", content)})


def tried(outcome: Outcome) -> list[dict[str, Any]]:
    """What the table `experiments` holds."""
    found = [one for key, one in outcome.objects.items() if key.startswith("experiments/")]
    assert found
    return [json.loads(one) for one in found]


def test_a_trial_tells_what_it_cost_and_what_it_was_made_with() -> None:
    """GIVEN a run THEN each trial has memory, artifact, data and libraries beside its scores."""
    outcome = run_on(1.0)
    trials = tried(outcome)
    assert {one["candidate"] for one in trials} >= {"ridge", "random_forest"}
    [served] = [len(content) for key, content in outcome.files.items() if "model.onnx" in key]
    for one in trials:
        assert one["fit_seconds"] > 0
        assert one["score_seconds"] > 0
        assert one["artifact_bytes"] > 500
        assert one["candidate"] == "blend" or one["memory_megabytes"] > 50
        assert {"scikit-learn", "skl2onnx"} <= set(one["versions"])
    assert len({one["dataset_sha256"] for one in trials}) == 1
    chosen = [one for one in trials if one["outcome"].startswith("chosen")]
    assert len(chosen) == 1
    assert chosen[0]["artifact_bytes"] / served < 2
    assert served / chosen[0]["artifact_bytes"] < 2


def test_what_is_too_large_to_serve_is_dropped_and_the_others_go_on() -> None:
    """GIVEN a limit that only the linear model keeps THEN it serves, and the others say why not."""
    outcome = run_on(0.0, training={"artifact_megabytes": 0.02})
    assert outcome.answers["evaluate"]["decision"] == "met"
    errors = {one["candidate"]: one["error"] for one in tried(outcome)}
    assert errors.pop("ridge") is None
    assert len(errors) == 2
    for error in errors.values():
        assert "0.016 are the most here (training.artifact_megabytes is 0.02): raise that" in error
    artifacts = [len(content) for key, content in outcome.files.items() if "model.onnx" in key]
    assert max(artifacts) < 0.02 * 2**20
