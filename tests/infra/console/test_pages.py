"""What the console's pages tell of a stack, and what they do."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.console.form_routes import refusal
from tests.infra.console.served import Served, served, words

CONTRACT: dict[str, Any] = {
    "name": "parcels", "statement": "Will this parcel be late?", "task": "binary",
    "target": "late", "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
    "monitoring": {"quality_floor": 0.55},
}  # fmt: skip
HOSTILE = "<script>alert(1)</script>"
TRAINED = {"v1": ("first", 0.66), "v2": ("second", 0.71), "v3": ("third", 0.69)}
LOG = [
    {"run_id": "first", "ending": "Promote", "automatic": False, "as_of": "2026-01-01T00:00:00Z"},
    {"run_id": "second", "ending": "Promote", "automatic": True, "as_of": "2026-02-01T00:00:00Z"},
    {"run_id": "third", "ending": "KeepChampion", "automatic": True,
     "as_of": "2026-03-01T00:00:00Z"},
]  # fmt: skip


@pytest.fixture
def console() -> Iterator[Served]:
    """A stack with three runs that AWS forgot, each with a model; v2 serves."""
    with served(CONTRACT) as made:
        stack = made.made
        stack.put("registry/runs.json", LOG)
        named = {name: {"run_id": one[0], "iteration": 1} for name, one in TRAINED.items()}
        stack.put("registry/versions.json", named)
        for name, (_, score) in TRAINED.items():
            stack.put(f"models/{name}/signature.json", {"candidate": "logistic", "recipe": "basic"})
            stack.put(f"models/{name}/evaluation.json", {
                "metric": "roc_auc", "value": score, "threshold": 0.6, "metrics": {},
                "interval": {"low": score - 0.03, "high": score + 0.03, "confidence": 0.95},
            })  # fmt: skip
        first = {"version": "v1", "run_id": "first", "promoted_at": "2026-01-01T08:00:00Z"}
        by_hand = {"action": "promote", "by": "arn:someone", "reason": HOSTILE}
        second = {"version": "v2", "run_id": "second", "promoted_at": "2026-02-01T08:00:00Z",
                  "by_hand": by_hand}  # fmt: skip
        stack.put("registry/history/1.json", first)
        stack.put("registry/champion.json", second)
        for entry in LOG:
            verdict = {"state": "Admit", "decision": "run", "reasons": [HOSTILE]}
            stack.put(f"runs/{entry['run_id']}/ending.json", {
                **entry, "reasons": ["because"], "verdicts": [verdict], "candidates": CANDIDATES,
                "champion": {"version": "v2", "run_id": "second", "metrics": {}},
                "cause": {"kind": "alarm", "alarm": "parcelsWatchDriftAlarm12", "reason": "moved"},
            })  # fmt: skip
        yield made


CANDIDATES = [
    {"candidate": "dummy", "score": None, "error": "it failed", "metric": "roc_auc"},
    {"candidate": "logistic", "score": 0.61, "std": 0.01, "seconds": 1.0, "metric": "roc_auc"},
    {"candidate": "trees", "score": 0.71, "std": 0.01, "seconds": 2.0, "metric": "roc_auc"},
]


def test_runs_tell_ending_cause_and_models(console: Served) -> None:
    answer = console.get("/runs")
    assert answer.status_code == 200
    told = words(answer.text)
    assert told.index("third") < told.index("second") < told.index("first")
    assert "KeepChampion" in told
    assert "v3" in told


def test_a_run_that_aws_forgot_is_told_by_what_it_wrote(console: Served) -> None:
    answer = console.get("/runs/third")
    told = words(answer.text)
    assert "The run ended: KeepChampion." in told
    assert "alarm Drift: moved" in told
    assert told.index("trees") < told.index("logistic") < told.index("it failed")
    assert HOSTILE not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_the_machine_is_drawn_with_a_part_for_each_state_and_way(console: Served) -> None:
    page = console.get("").text
    for part in ("Admit", "Skipped", "Admit&gt;Skipped"):
        assert f'data-part="{part}"' in page
    assert "var(--m-task)" in page


def test_models_tell_intervals_and_reigns(console: Served) -> None:
    answer = console.get("/models")
    told = words(answer.text)
    assert "0.6800 to 0.7400" in told
    assert "ROC AUC with interval, by version" in answer.text
    assert "2026-01-01 08:00 to 2026-02-01 08:00" in told
    assert "2026-02-01 08:00 until now" in told
    assert HOSTILE not in answer.text
    assert "Promote v3" in answer.text
    assert "Promote v2" not in answer.text  # it serves


def test_a_change_asks_for_a_reason_first(console: Served) -> None:
    asked = console.get("/change?action=promote&version=v3")
    assert "Now v2 serves." in words(asked.text)
    refused = console.post("/change", action="promote", version="v3", reason=" ")
    assert refused.status_code == 422
    assert "Give a reason" in refused.text
    assert console.get("/change?action=promote&version=v9").status_code == 404
    assert console.get("/change?action=delete&version=v3").status_code == 404


def test_an_input_is_checked_with_the_contracts_own_sentences(console: Served) -> None:
    variation = {"problem": {"objective": {"treshold": 0.7}}}
    answer = console.post("/runs", input=json.dumps(variation), action="start")
    assert answer.status_code == 422
    assert "did you mean 'threshold'" in words(answer.text).replace("&#39;", "'")
    assert "treshold" in answer.text
    assert executions() == []
    broken = console.post("/runs", input="{'a': 1}", action="start")
    assert "JSON takes double quotes" in broken.text
    valid = console.post("/runs", input='{"problem": {"objective": {"threshold": 0.7}}}')
    assert valid.status_code == 200
    assert "Nothing was started" in valid.text
    assert executions() == []


def executions() -> list[str]:
    machines = boto3.client("stepfunctions")
    [machine] = machines.list_state_machines()["stateMachines"]
    found = machines.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    return [one["name"] for one in found]


def test_a_form_that_is_sent_twice_starts_one_run(console: Served) -> None:
    name = "0b7b8c1e-5f0a-4a0e-9d6f-1f6d2a3b4c5d"
    for _ in range(2):
        answer = console.post("/runs", input="{}", action="start", name=name)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/stacks/parcels/runs/{name}"
    assert executions() == [name]


def test_a_run_that_does_not_wait_takes_no_answer(console: Served) -> None:
    answer = console.post("/runs/third/answer", decision="approve", reason="good")
    assert answer.status_code == 422
    assert "does not wait at AwaitApproval" in words(answer.text)
    assert console.post("/runs/third/answer", decision="perhaps").status_code == 404


def test_live_use_is_drawn_from_what_the_monitor_saw(console: Served) -> None:
    for hour, drift in ((1, 0.05), (2, 0.3)):
        console.made.put(f"monitoring/2026-03-01T0{hour}-00-00Z.json", {
            "at": f"2026-03-01T0{hour}:00:00Z", "model_version": "v2", "compared": 400,
            "drift": drift, "prediction_drift": 0.01, "columns": {"weight": drift, "size": 0.0},
            "quality": 0.7, "quality_low": 0.66, "quality_high": 0.74, "labels": 250,
        })  # fmt: skip
    console.made.put("monitoring/_state.json", {"tick": None})
    answer = console.get("/live?span=3h")
    told = words(answer.text)
    assert answer.status_code == 200
    assert "Measured 2026-03-01 at 02:00 UTC on 400 predictions of v2." in told
    assert "monitoring.drift 0.2" in told
    assert "monitoring.quality_floor 0.55" in told
    assert "weight" in told
    assert "No requests in the last 3 hours." in told
    assert "started by an alarm" in told


def test_a_stack_without_anything_says_what_to_do() -> None:
    with served(CONTRACT) as console:
        assert "No run yet." in console.get("").text
        assert "No runs yet." in console.get("/runs").text
        assert "No model yet." in console.get("/models").text
        assert "No model serves yet." in console.get("/predict").text
        assert "has not measured drift yet" in console.get("/live").text


def test_what_is_not_there_is_a_page_that_says_so(console: Served) -> None:
    for path in ("/runs/nobody", "/runs/first/report", "/models/v9/card", "/runs/..%2F..", "/none"):
        answer = console.get(path)
        assert answer.status_code == 404
    unknown = console.client.get("/stacks/walrus")
    assert unknown.status_code == 502
    assert "stack &#39;walrus&#39; cannot be read on AWS" in unknown.text.replace("Stack", "stack")


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        ('POST /predict was answered 422: {"detail": "row 0: no field"}', 422, "row 0: no field"),
        ('POST /predict was answered 403: {"message": "Forbidden"}', 403, "Forbidden"),
        ("POST /predict was answered 500: oh", 500, "oh"),
        ("host cannot be reached", 502, "host cannot be reached"),
    ],
)
def test_a_refusal_is_told_in_the_endpoints_own_words(told: str, status: int, said: str) -> None:
    assert refusal(told) == (status, said)
