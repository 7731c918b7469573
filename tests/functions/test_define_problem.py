"""A revised run: what is handed on of the turns before it."""

import json

import pytest

from functions import define_problem
from noria.aws import clients
from noria.aws.s3 import Store
from noria.lifecycle.environment import StageEvent
from tests.support.model_data import problem


@pytest.fixture
def stack(bucket: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    document = problem().to_document()
    monkeypatch.setenv("NORIA_BUCKET", bucket.bucket)
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps(document))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    clients.client.cache_clear()
    bucket.put_json("runs/r/problem.json", document)
    return bucket


def revised(**before: object) -> StageEvent:
    """The next event of a run that was revised after these results."""
    answer = {"decision": "revise", "problem": {"objective": {"threshold": 0.9}}}
    state = {"run": {"cause": {}}, "answer": answer, "analyse": {"decision": "go_on"}, **before}
    event = {"state": "ReviseProblem", "execution": "r", "started_at": "2026-01-01T00:00:00Z"}
    handed = define_problem.handler({**event, "input": state}, None)
    return StageEvent.model_validate({**event, "state": "EngineerFeatures", "input": handed})


def test_a_revision_after_an_evaluation_starts_the_recipes_anew(stack: Store) -> None:
    """GIVEN models of two iterations THEN nothing of theirs is read or written over."""
    features = {"iteration": 2, "dataset": "runs/r/expanded.npz"}
    found = revised(features=features, evaluate={"objective": "too_few_rows"}, train={"version": 1})
    assert (found.iteration, found.turn) == (2, 0)
    assert not found.result("evaluate")
    assert not found.result("train")
    assert "dataset" not in found.result("features")
    assert found.result("problem")["name"] == "trial"
    assert found.input["run"] == {"cause": {}}
    assert stack.get_json("runs/r/problem.json")["objective"]["threshold"] == 0.9


def test_a_revision_before_any_model_has_no_iteration(stack: Store) -> None:
    found = revised()
    assert (found.iteration, found.turn) == (0, 0)
