"""A run within the limits of MLflow's API: nothing is too much, and nothing is lost but letters."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from noria.core.tracking.mlflow_run import MlflowRun
from noria.core.tracking.trial_runs import trial_run
from tests.support.examples import examples

NAMES = st.text(min_size=1, max_size=300)
TRIAL: dict[str, Any] = {
    "trial": "2.basic.ridge", "run_id": "r1", "iteration": 3, "metric": "rmse", "mean": 2.5,
    "std": 0.5, "scores": [2.0, 3.0], "candidate": "ridge", "recipe": "basic", "rung": 2,
    "parameters": {"alpha": 1.0}, "seconds": 4.5, "outcome": "chosen", "notes": ["one", "two"],
}  # fmt: skip


def logged(run: MlflowRun) -> dict[str, list[dict[str, Any]]]:
    """All that is logged of a run, over its requests."""
    batches = [*run.batches(1)]
    return {kind: [one for batch in batches for one in batch[kind]] for kind in batches[0]}


@examples(300)
@given(
    parameters=st.dictionaries(NAMES, st.text(min_size=1, max_size=3000), max_size=250),
    metrics=st.dictionaries(NAMES, st.lists(st.floats(), min_size=1, max_size=9), max_size=300),
)
def test_every_request_is_within_the_limits(
    parameters: dict[str, str], metrics: dict[str, list[float]]
) -> None:
    run = MlflowRun(name="run", tags=parameters, parameters=parameters, metrics=metrics)
    batches = [*run.batches(timestamp=1)]
    assert batches
    for batch in batches:
        assert len(batch["params"]) <= 100
        assert len(batch["tags"]) <= 100
        assert sum(map(len, batch.values())) <= 1000
        assert len(json.dumps(batch, allow_nan=False)) <= 1_000_000
        for one in batch["params"]:
            assert len(one["key"]) <= 250
            assert len(one["value"].encode()) <= 500
        assert all(len(one["value"].encode()) <= 5000 for one in batch["tags"])
    told = logged(run)
    assert len(told["params"]) == len(parameters)
    finite = [one for series in metrics.values() for one in series if abs(one) < float("inf")]
    assert sorted(one["value"] for one in told["metrics"]) == sorted(finite)


def test_a_trial_is_told_whole() -> None:
    run = trial_run(TRIAL)
    told = logged(run)
    assert (run.name, run.failed, run.seconds) == ("3/2.basic.ridge", False, 4.5)
    values = {one["key"]: one["value"] for one in told["params"]}
    assert values == {
        "candidate": "ridge", "recipe": "basic", "rung": "2", "iteration": "3", "model.alpha": "1.0"
    }  # fmt: skip
    series = [(one["key"], one["value"], one["step"]) for one in told["metrics"]]
    assert series == [
        ("rmse", 2.5, 0), ("rmse.std", 0.5, 0), ("rmse.fold", 2.0, 0), ("rmse.fold", 3.0, 1),
        ("seconds", 4.5, 0),
    ]  # fmt: skip
    tags = {one["key"]: one["value"] for one in told["tags"]}
    assert tags["noria.notes"] == "one\ntwo"
    assert tags["mlflow.note.content"] == tags["noria.outcome"] == "chosen"
    assert (tags["noria.run"], tags["noria.trial"]) == ("r1", "3/2.basic.ridge")


def test_what_is_documented_later_goes_there_by_itself() -> None:
    told = logged(trial_run(TRIAL | {"memory_mb": 512, "libraries": {"numpy": "2.5"}}))
    assert ("memory_mb", 512.0) in [(one["key"], one["value"]) for one in told["metrics"]]
    assert {"key": "noria.libraries", "value": '{"numpy": "2.5"}'} in told["tags"]


def test_a_trial_that_failed_says_why_and_what_was_tried() -> None:
    tried = {"setting": "larger trees", "gain": None, "folds": 1, "seconds": 2.0, "outcome": "lost"}
    lost = {"mean": None, "std": None, "scores": [], "error": "out of memory", "trials": [tried]}
    run = trial_run(TRIAL | lost)
    assert run.failed
    assert run.description.splitlines() == [
        "chosen", "out of memory", "| setting | gain | folds | seconds | outcome |",
        "|---|---|---|---|---|", "| larger trees |  | 1 | 2.0 | lost |",
    ]  # fmt: skip
    assert {one["key"] for one in logged(run)["metrics"]} == {"seconds"}
