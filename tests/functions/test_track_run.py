"""A run that has ended goes to a real MLflow with SQLite, once, and costs nothing where it cannot.

What is there is read back by MLflow's own client.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import numpy as np
import pandas as pd
import pytest

from functions import conclude, promote, track_run
from noria.aws import clients
from noria.aws.model_registry import Champion, Registry
from noria.aws.run_folder import RunFolder
from noria.aws.run_lease import LeaseBook
from noria.aws.run_log import RunLog
from noria.aws.s3 import Store
from noria.errors import LeaseError, TrackingError
from noria.tracking.run_tracking import LEASE
from tests.support.endpoint_function import make_endpoint
from tests.support.mlflow_server import SECRET, TrackingServer, client_python, running
from tests.support.moto_session import aws_in_process
from tests.support.scripted_server import Answer, Asked, serving
from tests.support.stages import STARTED, Outcome, run_stages

BUCKET, RUN = "parcels-bucket", "run"
PLACE = {"LocationConstraint": "eu-west-1"}
ENDED = {"detail": {"name": RUN, "status": "SUCCEEDED"}}
CONTRACT: dict[str, Any] = {
    "name": "parcels", "statement": "Which parcels of tomorrow will be late?",
    "task": "binary", "target": "late", "positive_class": "yes",
    "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.8},
    "exploration": {"candidates": ["logistic_regression", "decision_tree"], "folds": 2,
                    "trials": 6},
}  # fmt: skip
NUMBERS = ("rung", "iteration", "rows", "features", "folds", "seed")


@pytest.fixture(scope="module")
def server() -> Iterator[TrackingServer]:
    python = client_python()
    if python is None:
        pytest.skip("no MLflow: its packages cannot be had")
    with running(python) as found:
        yield found


@pytest.fixture(scope="module")
def locked_server() -> Iterator[TrackingServer]:
    """A server that asks for a user and a password."""
    python = client_python()
    if python is None:
        pytest.skip("no MLflow: its packages cannot be had")
    with running(python, locked=True) as found:
        yield found


@pytest.fixture(scope="module")
def recorded() -> Outcome:
    """A run of the stages whose model meets the objective."""
    generator = np.random.default_rng(3)
    load, weight = generator.normal(size=(2, 1_500)).round(3)
    late = np.where(load + 0.3 * generator.normal(size=1_500) > 0, "yes", "no")
    rows = pd.DataFrame({"load": load, "weight": weight, "late": late})
    outcome = run_stages(CONTRACT, {"parcels": ("rows.csv", rows.to_csv(index=False).encode())})
    assert outcome.answers["evaluate"]["challenger"] == "wins"
    return outcome


@dataclass
class Stack:
    """A stack in moto, with what a run left, as handlers find it."""

    store: Store
    outcome: Outcome
    topic: str
    queue: str

    def end(self, state: str) -> None:
        """Let the run end as the machine does."""
        answers = self.outcome.answers | {"publish": {"function_version": "1", "previous": "1"}}
        event = {"state": state, "execution": RUN, "started_at": STARTED, "input": answers}
        (promote if state == "Promote" else conclude).handler(event, None)
        boto3.client("sqs").purge_queue(QueueUrl=self.queue)

    def deploy(self, name: str, uri: str, **more: Any) -> None:
        """Deploy the contract under a name, with this server."""
        mlflow = {"tracking_uri": uri, **more}
        os.environ["NORIA_PROBLEM"] = json.dumps(CONTRACT | {"name": name, "mlflow": mlflow})

    def told(self) -> list[str]:
        """What people were told since the run's end."""
        answer = boto3.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(one["Body"])["Message"] for one in answer.get("Messages", [])]

    def trials(self) -> dict[str, dict[str, Any]]:
        """The trials as the run documented them, by name."""
        keys = self.store.keys("experiments/")
        documents = [self.store.get_json(key) for key in keys]
        return {one["trial"]: one for one in documents}

    def verdict(self) -> dict[str, Any]:
        """What the run's folder says of its tracking."""
        (found,) = [one for one in RunFolder(self.store, RUN).verdicts()
                    if one["state"] == "TrackRun"]  # fmt: skip
        return found


@pytest.fixture
def stack(recorded: Outcome) -> Iterator[Stack]:
    with aws_in_process():
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=PLACE)
        store = Store(boto3.client("s3"), BUCKET)
        for key, content in recorded.objects.items():
            store.put(key, content)
        make_endpoint("parcels-endpoint")
        topic = boto3.client("sns").create_topic(Name="people")["TopicArn"]
        queue = boto3.client("sqs").create_queue(QueueName="mail")["QueueUrl"]
        arn = "arn:aws:sqs:eu-west-1:123456789012:mail"
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        variables = {
            "NORIA_STACK": "parcels", "NORIA_BUCKET": BUCKET, "NORIA_TOPIC": topic,
            "NORIA_ENDPOINT_FUNCTION": "parcels-endpoint", "NORIA_PROBLEM": "",
        }  # fmt: skip
        clients.client.cache_clear()
        with patch.dict("os.environ", variables):
            yield Stack(store, recorded, topic, queue)
        clients.client.cache_clear()


def by_trial(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was read back, by the trial; "" is the execution."""
    runs = {one["tags"].get("noria.trial", ""): one for one in found["runs"]}
    assert len(runs) == len(found["runs"])
    return runs


def test_trials_and_the_model_are_there_as_documented(stack: Stack, server: TrackingServer) -> None:
    stack.end("Promote")
    stack.deploy("parcels", server.url)
    assert track_run.handler(ENDED, None)["decision"] == "tracked"
    first = server.read_back("parcels")
    runs = by_trial(first)
    trials = stack.trials()
    assert len(trials) > 2
    assert set(runs) == {"", *(f"1/{name}" for name in trials)}
    for name, trial in trials.items():
        run = runs[f"1/{name}"]
        assert (run["name"], run["status"]) == (name, "FINISHED")
        assert run["parameters"]["candidate"] == trial["candidate"]
        assert [run["parameters"][one] for one in NUMBERS] == [str(trial[one]) for one in NUMBERS]
        chosen = {one: run["parameters"][f"model.{one}"] for one in trial["parameters"]}
        assert chosen == {one: _text(value) for one, value in trial["parameters"].items()}
        assert run["metrics"]["roc_auc.fold"] == pytest.approx(trial["scores"])
        assert run["metrics"]["roc_auc"] == pytest.approx([trial["mean"]])
        assert run["metrics"]["fit_seconds"] == [trial["fit_seconds"]]
        assert run["tags"]["noria.outcome"] == trial["outcome"]
        assert run["tags"]["mlflow.parentRunId"] == runs[""]["id"]
        assert run["seconds"] == pytest.approx(trial["seconds"], abs=0.002)
        told = run["tags"]["mlflow.note.content"].splitlines()
        assert len(told) == 1 + (len(trial["trials"]) + 2 if trial["trials"] else 0)
    _check_execution(stack, runs[""])
    _check_model(stack, first["models"]["parcels"], runs[""]["id"])
    # The same event again, as EventBridge may deliver it.
    assert track_run.handler(ENDED, None)["decision"] == "tracked"
    assert server.read_back("parcels") == first
    assert stack.told() == []


def _check_execution(stack: Stack, run: dict[str, Any]) -> None:
    judged = stack.store.get_json("models/v1/evaluation.json")
    read = stack.store.get_json("models/v1/lineage.json")["inputs"]["dataset"]
    assert (run["name"], run["status"]) == (RUN, "FINISHED")
    assert judged["metrics"].items() <= {k: v[0] for k, v in run["metrics"].items()}.items()
    assert run["tags"]["noria.ending"] == "Promote"
    assert run["tags"]["noria.library.scikit-learn"]
    assert run["tags"]["mlflow.note.content"].startswith("Promote: version v1 serves")
    [dataset] = run["datasets"]
    assert dataset["source"] == f"s3://{BUCKET}/{read['key']}"
    assert read["sha256"].startswith(dataset["digest"])
    assert run["files"] == [f"model/{name}" for name in (
        "MLmodel", "evaluation.json", "lineage.json", "model.onnx", "model_card.html",
        "signature.json",
    )]  # fmt: skip


def _check_model(stack: Stack, model: dict[str, Any], run: str) -> None:
    [version] = model["versions"]
    assert model["aliases"] == {"champion": version["version"]}
    assert (version["run"], version["flavors"]) == (run, ["onnx"])
    assert version["tags"] == {"noria.version": "v1", "noria.run": RUN}
    taken = {one["name"]: one["type"] for one in version["inputs"]}
    assert taken == {"load": "double", "weight": "double"}
    assert version["outputs"][0]["name"] == "late"
    assert version["graph"] == len(stack.store.get("models/v1/model.onnx"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_a_model_that_was_not_promoted_is_in_no_registry(
    stack: Stack, server: TrackingServer
) -> None:
    stack.end("KeepChampion")
    stack.deploy("kept", server.url, experiment="/teams/parcels")
    reasons = track_run.handler(ENDED, None)["reasons"]
    assert "version v1 was not promoted, so it is not registered" in reasons
    found = server.read_back("/teams/parcels")
    assert "kept" not in found["models"]
    assert "model/model.onnx" in by_trial(found)[""]["files"]
    # A person lets it serve later on, and then retires it for another one.
    champion = Champion(
        version="v1", run_id=RUN, as_of=STARTED, function_version="1", metric="roc_auc",
        metrics={"roc_auc": 0.9}, training_rows=1200, promoted_at=STARTED,
    )  # fmt: skip
    registry = Registry(stack.store)
    registry.promote(champion)
    track_run.handler({"run": RUN}, None)
    registry.promote(champion.model_copy(update={"version": "v2", "run_id": "another"}))
    registry.retire("v1", "learnt from a broken feed")
    track_run.handler({"run": RUN}, None)
    model = server.read_back("/teams/parcels")["models"]["kept"]
    [version] = model["versions"]
    assert version["tags"]["noria.retired"] == "learnt from a broken feed"


def test_a_delivery_that_broke_off_is_finished_by_the_next(
    stack: Stack, server: TrackingServer
) -> None:
    """GIVEN a server that is full after some calls THEN what is missing comes with another end."""
    stack.end("Promote")
    left = [13]

    def forwarded(asked: Asked) -> Answer:
        left[0] -= 1
        return _from(server, asked) if left[0] > 0 else Answer(503, b"full")

    with serving(forwarded) as proxy:
        stack.deploy("broken-off", proxy.url)
        told = track_run.handler(ENDED, None)
    assert told["decision"] == "not_tracked"
    assert "503" in told["reasons"][0]
    begun = server.statuses("broken-off")
    assert {*begun.values()} == {"RUNNING", "FINISHED"}
    stack.deploy("broken-off", server.url)
    assert track_run.handler({"detail": {"name": "features-only"}}, None) == {
        "run": "features-only", "decision": "nothing_to_track", "reasons": ["no model was tried"]
    }  # fmt: skip
    runs = by_trial(server.read_back("broken-off"))
    assert set(runs) == {"", *(f"1/{name}" for name in stack.trials())}
    assert {*begun} < {one["id"] for one in runs.values()}
    assert {one["status"] for one in runs.values()} == {"FINISHED"}
    assert len(runs[""]["metrics"]["roc_auc"]) == 1
    assert stack.verdict()["decision"] == "tracked"


def _from(server: TrackingServer, asked: Asked) -> Answer:
    kept = {name: asked.headers[name] for name in ("Authorization", "Content-Type")
            if name in asked.headers}  # fmt: skip
    request = urllib.request.Request(  # noqa: S310 - our own server
        server.url + asked.path, asked.body or None, kept, method=asked.method
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())


def test_a_server_that_is_down_costs_the_run_nothing(stack: Stack) -> None:
    stack.end("Promote")
    before = stack.store.get("runs/run/ending.json")
    stack.deploy("down", "http://127.0.0.1:9")
    told = track_run.handler(ENDED, None)
    assert told["decision"] == "not_tracked"
    assert told["reasons"] == [
        "'http://127.0.0.1:9' cannot be reached ([Errno 111] Connection refused); it is tried "
        "again with the next run"
    ]
    assert stack.verdict()["reasons"] == told["reasons"]
    assert stack.store.get("runs/run/ending.json") == before
    [entry] = RunLog(stack.store).entries()
    assert (entry["ending"], entry["tracked"]) == ("Promote", False)
    [message] = stack.told()
    assert message.splitlines()[1:] == told["reasons"]


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ({"username": "noria", "password": "old"}, "answered 401 Unauthorized; check user and"),
        ({"token": "of another server"}, "answered 401 Unauthorized; check user and password"),
        ({"user": "noria"}, "has neither token nor username and password; add them"),
        (None, "secret 'noria/mlflow' cannot be read (ResourceNotFoundException): create it"),
    ],
)
def test_a_secret_that_does_not_do_is_told(
    stack: Stack, locked_server: TrackingServer, secret: dict[str, str] | None, told: str
) -> None:
    stack.end("KeepChampion")
    stack.deploy("locked", locked_server.url, secret="noria/mlflow", insecure=True)
    if secret is not None:
        _keep(secret)
    answer = track_run.handler(ENDED, None)
    assert answer["decision"] == "not_tracked"
    assert told in answer["reasons"][0]
    assert "old" not in answer["reasons"][0]


def _keep(secret: dict[str, str]) -> None:
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="noria/mlflow", SecretString=json.dumps(secret))


def test_a_server_that_asks_for_a_password_gets_the_secrets(
    stack: Stack, locked_server: TrackingServer
) -> None:
    for key in [one for one in stack.store.keys("runs/run/iteration=") if "/explore/" in one][1:]:
        stack.store.delete(key)
    stack.end("Promote")
    stack.deploy("opened", locked_server.url, secret="noria/mlflow", insecure=True)
    _keep(SECRET)
    answer = track_run.handler(ENDED, None)
    assert answer["decision"] == "tracked"
    assert answer["reasons"][1] == "version v1 is version 1 of the registered model 'opened'"
    assert [*locked_server.statuses("opened").values()] == ["FINISHED", "FINISHED"]


def test_a_deleted_experiment_is_not_written_to(stack: Stack, server: TrackingServer) -> None:
    stack.end("KeepChampion")
    stack.deploy("deleted", server.url)
    track_run.handler(ENDED, None)
    server.delete_experiment("deleted")
    [reason] = track_run.handler(ENDED, None)["reasons"]
    assert reason.startswith("experiment 'deleted' was deleted on 'http://127.0.0.1:")
    assert reason.endswith("restore it there, or name another one in mlflow.experiment")


def test_two_deliveries_at_once_do_not_send_twice(stack: Stack, server: TrackingServer) -> None:
    stack.end("KeepChampion")
    stack.deploy("twice", server.url)
    LeaseBook(stack.store, timedelta(minutes=1), LEASE).acquire("another", datetime.now(UTC))
    with pytest.raises(LeaseError, match="tried again later"):
        track_run.handler(ENDED, None)
    assert server.statuses("twice") == {}


def test_a_run_that_tried_nothing_leaves_nothing(stack: Stack, server: TrackingServer) -> None:
    for key in [*stack.store.keys("runs/run/iteration="), "registry/versions.json"]:
        stack.store.delete(key)
    stack.end("HaltBadData")
    stack.deploy("nothing", server.url)
    assert track_run.handler(ENDED, None)["decision"] == "nothing_to_track"
    assert RunLog(stack.store).entries()[0]["tracked"] is True
    assert server.statuses("nothing") == {}


def test_an_event_that_comes_before_the_end_was_recorded_comes_again(stack: Stack) -> None:
    """GIVEN a stopped run, whose event reaches RecordFailure and this at once."""
    RunLog(stack.store).record(RUN, as_of=STARTED)
    stack.deploy("early", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match="has not ended yet; it is tried again later"):
        track_run.handler(ENDED, None)
    assert "tracked" not in RunLog(stack.store).entries()[0]


def test_a_damaged_model_is_told_and_holds_up_no_other_run(
    stack: Stack, server: TrackingServer
) -> None:
    stack.end("Promote")
    stack.store.put("models/v1/signature.json", b"{}")
    stack.deploy("damaged", server.url)
    told = track_run.handler(ENDED, None)
    assert told["decision"] == "not_tracked"
    assert "does not match its checksum" in told["reasons"][0]
    assert track_run.handler({"run": "another"}, None)["decision"] == "nothing_to_track"
