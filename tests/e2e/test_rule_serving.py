"""A rule that suffices is served like a model; a question waits until it has an answer."""

import json
import shlex
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from infra.cli.deployed_stack import StackAccess
from infra.cli.main import app
from tests.e2e.stack import Ended, Stack
from tests.support import data_sets

pytestmark = pytest.mark.slow
# s4 is total cholesterol (s1) over HDL (s3), which is a rule; one rule that nobody has to learn.
RATIO: dict[str, Any] = {
    "target": {"name": "s4"},
    "features": {"exclude": ["lottery", "progression"]},
    "baseline": {"rule": "s1 / s3", "serve": True},
    "objective": {"threshold": 0.9, "minimum_gain": 0.1},
}
LARGE: dict[str, Any] = {
    "target": {"name": "large", "expression": "worst_area > 880"},
    "baseline": {"rule": "worst_radius > 16.8", "serve": True},
    "objective": {"metric": "accuracy", "threshold": 0.9},
}
NOISE = {"target": {"name": "lottery"}, "features": {"exclude": ["progression"]}}
MODEL_STATES = {"EngineerFeatures", "ExploreModels", "TrainModel"}


@pytest.fixture(scope="module")
def asking(stacks: dict[str, Stack]) -> Ended:
    """One run that goes through all answers of TestQuestion."""
    waiting = stacks["diabetes"].run(problem=NOISE)
    assert waiting.ending == "ReevaluateProblem"
    return waiting


class TestRegression:
    """Diabetes: a ratio that is known."""

    def test_rule_is_promoted_without_a_model(self, diabetes: Stack) -> None:
        ended = diabetes.run(problem=RATIO)
        assert ended.ending == "Promote", ended.reasons
        assert {"ExportRule", "ScoreHoldout", "EvaluateModel"} <= set(ended.states)
        assert not MODEL_STATES & set(ended.states)
        assert "the rule 's1 / s3' is what answers" in ended.reasons
        decided = [verdict["state"] for verdict in ended.record["verdicts"]]
        assert decided.index("Analyse") < decided.index("ExportRule") < decided.index(
            "EvaluateModel"
        )  # fmt: skip
        version = json.loads(diabetes.champion())["version"]
        card = diabetes.read(f"models/{version}/model_card.html").decode()
        assert "Answered by the rule: s1 / s3" in card
        reference = diabetes.json(f"models/{version}/reference.json")
        assert set(reference["columns"]) == {"s1", "s3"}  # the monitor misses no other column
        assert "s1 / s3" in diabetes.read(f"runs/{ended.name}/report.html").decode()

    def test_endpoint_answers_as_the_rule(self, diabetes: Stack) -> None:
        described = diabetes.ask("GET", "/model").json()
        assert described["version"] == json.loads(diabetes.champion())["version"]
        assert "s1 / s3" in described["statement"]
        assert [field["name"] for field in described["inputs"]] == ["s1", "s3"]
        mean = data_sets.diabetes()["patients"]["s4"].mean()
        rows = [{"s1": 200, "s3": 50}, {"s1": 157.5, "s3": 38.0}, {"s1": 200}, {"s1": 1, "s3": 0}]
        answer = diabetes.ask("POST", "/predict", {"rows": rows})
        assert answer.status == 200, answer.body
        said = [one["prediction"] for one in answer.json()["predictions"]]
        assert said == pytest.approx([4.0, 157.5 / 38, mean, mean])

    def test_same_rule_again_is_kept(self, diabetes: Stack) -> None:
        before = diabetes.champion()
        ended = diabetes.run(problem=RATIO)
        assert ended.ending == "KeepChampion", ended.reasons
        assert diabetes.champion() == before

    def test_rule_that_is_not_asked_to_serve_ends(self, diabetes: Stack) -> None:
        before = diabetes.champion()
        ended = diabetes.run(problem=RATIO | {"baseline": {"rule": "s1 / s3", "serve": False}})
        assert ended.ending == "RuleSuffices"
        assert "ExportRule" not in ended.states
        assert diabetes.champion() == before

    def test_rule_that_cannot_be_served_says_why(self, diabetes: Stack) -> None:
        hidden = {"features": {"exclude": ["lottery", "progression", "s3"]}}
        ended = diabetes.run(problem=RATIO | hidden)
        assert ended.ending == "RuleSuffices"
        assert "It is not served" in ended.reasons
        assert "column 's3' is no feature" in ended.reasons


class TestBinary:
    """Cancer: is the tumour large?"""

    def test_rule_that_falls_short_on_all_rows_is_not_served(self, cancer: Stack) -> None:
        """It meets the objective on the 100 rows that are analysed, and not on all 127."""
        falls_short = {
            "baseline": {"rule": "worst_radius > 17", "serve": True},
            "objective": {"metric": "accuracy", "threshold": 0.995},
            "analysis": {"sample_rows": 100},
        }
        ended = cancer.run(problem=LARGE | falls_short)
        assert ended.ending == "RuleSuffices", ended.reasons
        assert "ExportRule" in ended.states
        assert not MODEL_STATES & set(ended.states)
        assert "as a model version it falls short" in ended.reasons
        assert "misses the threshold 0.995" in ended.reasons

    def test_person_approves_the_rule_and_both_sides_are_answered(self, cancer: Stack) -> None:
        waiting = cancer.run(problem=LARGE)
        assert waiting.ending == "AwaitApproval", waiting.reasons
        cancer.answer(waiting, decision="aprove")  # no decision: the machine asks again
        again = cancer.follow(waiting.arn)
        assert again.ending == "AwaitApproval"
        asked = cancer.json(f"runs/{waiting.name}/waiting.json")
        assert "its decision is 'aprove'; decide approve or refuse" in asked["reasons"][0]
        send(cancer, again, asked["answers"]["approve"])
        ended = cancer.follow(waiting.arn)
        assert ended.ending == "Promote", ended.reasons
        rows = [{"worst_radius": value} for value in (16.8, 16.81, None, 30, 3)]
        said = cancer.ask("POST", "/predict", {"rows": rows}).json()["predictions"]
        assert [one["prediction"] for one in said] == [False, True, False, True, False]
        assert [one["probability"] for one in said] == [0, 1, 0, 1, 0]


class TestQuestion:
    """ReevaluateProblem takes a revision or a halt; what is neither does not lose the run."""

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ({"decision": "stop"}, "its decision is 'stop'; decide halt or revise"),
            ({}, "it is {}; decide halt or revise"),
            ("halt", "it is 'halt'; decide halt or revise"),
            ({"decision": "revise"}, "the answer says revise and has no problem"),
            ({"decision": "revise", "problem": {"objectve": {}}}, "did you mean 'objective'"),
            ({"decision": "revise", "problem": {"event_time": "a ** 2"}}, "event_time"),
            ({"decision": "revise", "problem": 3}, "is a mapping of contract fields"),
        ],
    )
    def test_answer_that_is_none_is_asked_for_again(
        self, diabetes: Stack, asking: Ended, answer: Any, why: str
    ) -> None:
        before = diabetes.json(f"runs/{asking.name}/waiting.json")
        diabetes.cloud.client("stepfunctions").send_task_success(
            taskToken=before["token"], output=json.dumps(answer)
        )
        asked = await_question(diabetes, asking, before["token"])
        assert asked["reasons"][0].startswith("The answer was not taken: ")
        assert why in asked["reasons"][0]
        assert "No better than chance" in "\n".join(asked["reasons"])
        assert diabetes.json("registry/lease.json")["holder"] is None

    def test_revision_starts_from_the_runs_contract_and_is_taken(
        self, diabetes: Stack, asking: Ended
    ) -> None:
        asked = diabetes.json(f"runs/{asking.name}/waiting.json")
        command = asked["answers"]["revise"].replace('{"objective": {"threshold": 0.7}}', "{}")
        send(diabetes, asking, command)  # the same contract, the same data, the same question
        asked = await_question(diabetes, asking, asked["token"])
        assert "No better than chance" in asked["reasons"][0]
        assert diabetes.json(f"runs/{asking.name}/problem.json")["target"]["name"] == "lottery"

    def test_command_line_refuses_a_wrong_revision_before_it_is_sent(
        self, diabetes: Stack, asking: Ended, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        asked = diabetes.json(f"runs/{asking.name}/waiting.json")
        monkeypatch.setattr(StackAccess, "open", lambda *_, **__: access(diabetes))
        file = tmp_path / "changes.yaml"
        file.write_text("objective: {treshold: 0.5}")
        words = ["problem", "revise", diabetes.name, "--input", str(file), "--run", asking.name]
        refused = CliRunner().invoke(app, words)
        assert refused.exit_code == 2
        assert "did you mean 'threshold'" in refused.stderr
        assert diabetes.json(f"runs/{asking.name}/waiting.json") == asked
        file.write_text("objective: {threshold: 0.4}")
        taken = CliRunner().invoke(app, words)
        assert taken.exit_code == 0, taken.stderr
        await_question(diabetes, asking, asked["token"])
        contract = diabetes.json(f"runs/{asking.name}/problem.json")
        assert (contract["target"]["name"], contract["objective"]["threshold"]) == ("lottery", 0.4)

    def test_command_that_is_shown_halts(self, diabetes: Stack, asking: Ended) -> None:
        asked = diabetes.json(f"runs/{asking.name}/waiting.json")
        send(diabetes, asking, asked["answers"]["halt"])
        ended = diabetes.follow(asking.arn)
        assert ended.ending == "HaltProblem"
        assert "No better than chance" in ended.reasons


def send(stack: Stack, waiting: Ended, command: str) -> None:
    """Do what the command that a person pastes would do."""
    words = shlex.split(command)
    assert words[:3] == ["aws", "stepfunctions", "send-task-success"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    token = stack.json(f"runs/{waiting.name}/waiting.json")["token"]
    assert options["--task-token"] == token
    stack.answer(waiting, **json.loads(options["--task-output"]))


def access(stack: Stack) -> StackAccess:
    """The stack as the command line has it."""
    cloud = stack.cloud
    session = boto3.session.Session(
        cloud.credentials.access_key, cloud.credentials.secret_key, region_name=cloud.region
    )
    return StackAccess(stack.name, stack.outputs, session, cloud.endpoint_url)


def await_question(stack: Stack, waiting: Ended, answered: str) -> dict[str, Any]:
    """The run's next question, behind the one that was answered by this token."""
    for _ in range(600):
        asked: dict[str, Any] = stack.json(f"runs/{waiting.name}/waiting.json")
        if asked["token"] != answered:
            return asked
        time.sleep(0.1)
    raise AssertionError(f"run {waiting.name} asked no other question")
