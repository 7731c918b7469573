"""A version is asked again: by the endpoint's own handler, from the log and from the holdout."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np
import pytest

from functions import endpoint, replay_requests
from noria.aws import clients
from noria.aws.s3 import Store
from noria.core.model.holdout_requests import holdout_requests
from noria.serving import process
from tests.support import tiny_model
from tests.support.moto_session import aws_in_process
from tests.support.tiny_model import BUCKET, make_champion, write_model

OLD, NEW = "3", "4"
MODELS = {OLD: "old-1", NEW: "new-1"}
EVENT = {
    "state": "ReplayRequests", "execution": "run", "started_at": "2026-11-24T00:00:00Z",
    "input": {
        "publish": {"function_version": NEW, "previous": OLD},
        "train": {"version": "new-1"},
        "features": {"iteration": 1},
    },
}  # fmt: skip


class Versions:
    """AWS Lambda with the endpoint's versions, each of which serves its own model."""

    def __init__(self) -> None:
        self.left = 20_000  # milliseconds
        self.broken: set[str] = set()
        self.asked: list[str] = []

    def invoke(self, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:
        self.asked.append(f"{FunctionName}:{Qualifier}")
        if Qualifier in self.broken:
            told = {"errorMessage": "RequestId: 1 Error: Runtime exited with error: signal: killed"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        os.environ |= {
            "NORIA_MODEL": MODELS[Qualifier], "AWS_LAMBDA_FUNCTION_VERSION": Qualifier,
        }  # fmt: skip
        process.served.cache_clear()
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: self.left)
        answer = endpoint.handler(json.loads(Payload), context)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Versions]:
    """A stack with a champion and a challenger, before any traffic."""
    variables = {
        "NORIA_BUCKET": BUCKET, "NORIA_NAMESPACE": "Noria/test", "NORIA_MODEL": "",
        "NORIA_ENDPOINT_FUNCTION": "flights-endpoint", "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    made = Versions()
    with aws_in_process():
        clients.forget_clients()
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        store = Store(s3, BUCKET)
        for name in MODELS.values():
            write_model(store, name)
        make_champion(store, "old-1")
        keep_holdout(store)
        services = {"s3": s3, "lambda": made}
        monkeypatch.setattr(boto3, "client", lambda name, **_: services[name])
        yield made
    clients.forget_clients()
    process.served.cache_clear()


@pytest.fixture
def store(versions: Versions) -> Store:
    found: Any = clients.client("s3")
    return Store(found, BUCKET)


def keep_holdout(store: Store, factor: float = 1.0) -> None:
    """The holdout's rows as ScoreHoldout keeps them, with so much of the model's scores."""
    data = tiny_model.training(rows=60, seed=5)
    scores = tiny_model.probability(data.data["distance"].astype(float)) * factor
    document = holdout_requests(data, scores, tiny_model.binary_signature())
    store.put_json("runs/run/iteration=1/holdout_requests.json", document)


def log(store: Store, count: int, **more: Any) -> None:
    """Predictions of the champion, as Firehose writes them now."""
    now = datetime.now(UTC)
    draw = np.random.default_rng(3).normal(size=count).round(4).tolist()
    lines = [
        json.dumps({
            "prediction_id": f"{number:036}", "model_version": "old-1", "function_version": OLD,
            "served_at": now.isoformat(), "prediction": True, "score": 0.5,
            "inputs": {"distance": one, "carrier": "AA", "departure": None, **more},
        })
        for number, one in enumerate(draw)
    ]  # fmt: skip
    store.put(f"predictions/{now:%Y/%m/%d/%H}/log", "\n".join(lines).encode())


def replayed() -> tuple[dict[str, Any], dict[str, Any], str]:
    """What the handler answers, the verdict that it recorded, and what the versions printed."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        answer = replay_requests.handler(EVENT, None)
    store = Store(clients.client("s3"), BUCKET)
    return answer, store.get_json("runs/run/verdicts/01-ReplayRequests.json"), printed.getvalue()


def test_logged_requests_are_asked_of_both_versions(versions: Versions, store: Store) -> None:
    log(store, 250)
    answer, verdict, printed = replayed()
    assert answer["decision"] == "passed"
    assert verdict["evidence"]["asked"] == "logged requests"
    assert verdict["evidence"]["new"]["requests"] == verdict["evidence"]["old"]["requests"] == 250
    assert (verdict["evidence"]["changed"], verdict["evidence"]["psi"]) == (0.0, 0.0)
    assert verdict["evidence"]["holdout_rows"] == 60
    assert 0 < answer["most_common"] < 0.1
    assert set(versions.asked) == {"flights-endpoint:3", "flights-endpoint:4"}
    assert "prediction_id" not in printed  # a replay is no prediction, and no traffic
    assert "_aws" not in printed


def test_the_latest_thousand_are_enough(versions: Versions, store: Store) -> None:
    log(store, 1_200)
    _, verdict, _ = replayed()
    assert verdict["evidence"]["new"]["requests"] == 1_000


def test_without_a_log_the_holdout_stands_in(versions: Versions, store: Store) -> None:
    answer, verdict, _ = replayed()
    assert answer["decision"] == "passed"
    assert verdict["evidence"]["asked"] == "rows of the holdout"
    assert verdict["evidence"]["old"]["requests"] == 60
    assert "60 of 60 rows of the holdout are answered as judged" in verdict["reasons"]


def test_a_log_without_what_the_new_version_reads_is_not_asked(
    versions: Versions, store: Store
) -> None:
    """GIVEN a champion that did not read a field THEN its log would ask with gaps."""
    signature = tiny_model.binary_signature()
    field = signature.columns[1].model_copy(update={"name": "colour"})
    wider = signature.model_copy(update={"columns": (*signature.columns, field)})
    write_model(store, "new-1", wider)
    data = tiny_model.training(rows=60, seed=5)
    keep = holdout_requests(data, tiny_model.probability(data.data["distance"]), signature)
    store.put_json("runs/run/iteration=1/holdout_requests.json", keep)
    log(store, 50)
    answer, verdict, _ = replayed()
    assert answer["decision"] == "passed"
    assert verdict["evidence"]["asked"] == "rows of the holdout"
    assert "most logged requests lack colour" in verdict["reasons"][-1]


def test_a_damaged_artifact_fails_every_request(versions: Versions, store: Store) -> None:
    log(store, 20)
    store.put("models/new-1/model.onnx", b"damaged")
    answer, _, _ = replayed()
    assert answer["decision"] == "failed"
    assert "10 of 10 logged requests failed" in answer["reasons"][0]  # and it was asked no more
    assert "does not match its checksum" in answer["reasons"][0]


def test_what_was_not_judged_does_not_serve(versions: Versions, store: Store) -> None:
    keep_holdout(store, factor=0.5)
    answer, _, _ = replayed()
    assert answer["decision"] == "failed"
    assert (
        "of 60 rows of the holdout are answered otherwise than they were judged"
        in (answer["reasons"][0])
    )


def test_a_version_that_dies_is_told_and_not_asked_on(versions: Versions, store: Store) -> None:
    log(store, 900)
    versions.broken = {NEW}
    answer, verdict, _ = replayed()
    assert answer["decision"] == "failed"
    assert "signal: killed" in answer["reasons"][0]
    assert verdict["evidence"]["new"]["failed"] == 10  # of the first invocation
    assert versions.asked.count("flights-endpoint:4") == 4


def test_requests_that_a_version_has_no_time_for_are_asked_again(
    versions: Versions, store: Store
) -> None:
    """GIVEN a function near its time limit THEN it answers what it can, and is asked for more."""
    log(store, 5)
    versions.left = 0
    _, verdict, _ = replayed()
    assert verdict["evidence"]["new"]["requests"] == 5
    assert versions.asked.count("flights-endpoint:4") == 60 + 5


def test_fields_that_the_new_version_does_not_know_are_refused(
    versions: Versions, store: Store
) -> None:
    log(store, 20, weather="rain")
    answer, _, _ = replayed()
    assert answer["decision"] == "passed"  # the champion refuses them as well
    assert answer["reasons"][0].startswith("20 logged requests were asked again: 0 failed, 20 were")


def test_another_question_is_not_compared(versions: Versions, store: Store) -> None:
    write_model(store, "new-1", tiny_model.regression_signature())
    data = tiny_model.training(rows=60, seed=5)
    scores = data.data["distance"].astype(float) ** 2
    signature = tiny_model.regression_signature()
    store.put_json(
        "runs/run/iteration=1/holdout_requests.json", holdout_requests(data, scores, signature)
    )
    log(store, 20)
    answer, verdict, _ = replayed()
    assert answer["decision"] == "passed"
    assert verdict["evidence"]["asked"] == "rows of the holdout"
    assert verdict["evidence"]["old"] is None
    assert verdict["evidence"]["answered_otherwise"] == 0
