"""What goes wrong around the machine: told once, the lease given back, the champion serving."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.slow
NOISE = {"target": {"name": "lottery"}, "features": {"exclude": ["progression"]}}
QUICK = {"exploration": {"candidates": ["ridge"]}}


@pytest.fixture(autouse=True)
def champions(wine: Stack, diabetes: Stack) -> None:
    """Something serves before anything goes wrong."""
    for stack in (wine, diabetes):
        if not stack.keys("registry/champion.json"):
            assert stack.run().ending == "Promote"


def unharmed(stack: Stack, champion: bytes) -> bool:
    """Tell whether the champion is the same to the byte, serves, and the lease is free."""
    return (
        stack.champion() == champion
        and stack.json("registry/lease.json")["holder"] is None
        and stack.ask("GET", "/model").json()["version"] == json.loads(champion)["version"]
    )


@contextmanager
def denied(stack: Stack, function: str, action: str) -> Iterator[None]:
    """Take a permission from a stage's role for a while."""
    lambdas, iam = stack.cloud.client("lambda"), stack.cloud.client("iam")
    every = lambdas.get_paginator("list_functions").paginate().build_full_result()["Functions"]
    handlers = {f["Handler"]: f for f in every if f["FunctionName"].startswith(stack.name)}
    role = handlers[f"functions.{function}.handler"]["Role"].rpartition("/")[2]
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


@contextmanager
def notifications(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """Collect what people are told meanwhile."""
    sqs, sns = stack.cloud.client("sqs"), stack.cloud.client("sns")
    queue = sqs.create_queue(QueueName=f"inbox-{time.monotonic_ns()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    told: list[dict[str, Any]] = []
    subscription = sns.subscribe(
        TopicArn=stack.outputs["TopicArn"], Protocol="sqs", Endpoint=arn["QueueArn"],
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]  # fmt: skip
    yield told
    stack.cloud.settle()
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            told.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    sns.unsubscribe(SubscriptionArn=subscription)


def await_lease(stack: Stack, run: str) -> None:
    """Wait until a run was admitted."""
    deadline = time.monotonic() + 30
    while stack.json("registry/lease.json")["holder"] != run:
        assert time.monotonic() < deadline, f"{run} never took the lease"
        time.sleep(0.02)


class TestOneRunAtATime:
    """The lease."""

    def test_second_start_is_skipped(self, wine: Stack) -> None:
        first = wine.cloud.start(wine.machine, {}, name="first-of-two")
        await_lease(wine, "first-of-two")
        second = wine.run()
        assert second.ending == "Skipped"
        assert "'first-of-two' is still on" in second.reasons
        assert second.states == ["Admit", "AdmittedToRun", "Skipped"]
        assert wine.follow(first).ending == "KeepChampion"

    def test_budget_is_kept(self, wine: Stack) -> None:
        ended = wine.run(problem={"retraining": {"monthly_runs": 1}})
        assert ended.ending == "Skipped"
        assert "retraining.monthly_runs allows 1" in ended.reasons

    def test_answer_does_not_run_beside_another(self, diabetes: Stack) -> None:
        before = diabetes.champion()
        waiting = diabetes.run(problem=NOISE)
        diabetes.cloud.start(diabetes.machine, {"problem": QUICK}, name="meanwhile")
        await_lease(diabetes, "meanwhile")
        diabetes.answer(waiting, decision="revise", problem={"target": {"name": "progression"}})
        ended = diabetes.follow(waiting.arn)
        assert (ended.ending, ended.status) == ("Failed", "FAILED")
        assert "ReviseProblem failed with LeaseError: run 'meanwhile'" in ended.reasons
        other = diabetes.follow(waiting.arn.rpartition(":")[0] + ":meanwhile")
        assert other.ending in ("Promote", "KeepChampion"), other.reasons
        if other.ending == "KeepChampion":
            assert unharmed(diabetes, before)


class TestFailures:
    """Caught, recorded once under its state, told once; the champion serves on."""

    def test_stage_without_permission(self, diabetes: Stack) -> None:
        before = diabetes.champion()
        with denied(diabetes, "train", "s3:PutObject"), notifications(diabetes) as told:
            ended = diabetes.run(problem=QUICK, as_of="2026-01-05T00:00:00Z")
        assert (ended.ending, ended.status) == ("Failed", "FAILED")
        assert "TrainModel failed with AccessDenied" in ended.reasons
        assert ended.decision("RecordFailure")["decision"] == "AccessDenied"
        assert not diabetes.keys(f"models/{ended.name}")
        assert unharmed(diabetes, before)
        assert [m["Subject"] for m in told] == ["Noria e2e-diabetes: Failed"]
        # The event of the failed execution follows: it must not tell another story.
        verdict = diabetes.json(f"runs/{ended.name}/verdicts/01-RecordFailure.json")
        assert verdict["evidence"]["state"] == "TrainModel"
        assert not diabetes.keys(f"runs/{ended.name}/verdicts/00-RecordFailure.json")
        [entry] = [e for e in diabetes.json("registry/runs.json") if e["run_id"] == ended.name]
        assert entry["as_of"].startswith("2026-01-05")
        assert entry["ending"] == "Failed"

    def test_stopped_execution(self, diabetes: Stack) -> None:
        before = diabetes.champion()
        arn = diabetes.cloud.start(diabetes.machine, {}, name="stopped-by-hand")
        await_lease(diabetes, "stopped-by-hand")
        diabetes.cloud.client("stepfunctions").stop_execution(executionArn=arn)
        ended = diabetes.follow(arn)
        diabetes.cloud.settle()
        assert ended.status == "ABORTED"
        record = diabetes.json("runs/stopped-by-hand/ending.json")
        assert record["ending"] == "Failed"
        assert "ABORTED" in record["reasons"][0]
        assert unharmed(diabetes, before)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"problm": {}}, "input.problm: is not known"),
            ({"as_of": "yesterday"}, "'yesterday' is not a time"),
            ({"problem": {"name": "other"}}, "differs from the deployed 'e2e-diabetes'"),
            ({"problem": {"deployment": {"auth": "jwt"}}}, "jwt needs jwt_issuer"),
            ({"problem": {"objective": {"metric": "roc_auc"}}}, "does not suit task 'regression'"),
            ({"problem": {"baseline": {"rule": "__import__('os')"}}}, "baseline.rule"),
            ({"problem": 3}, "input.problem"),
            ({"cause": "me"}, "input.cause"),
            ({"failure": {"x": 1}}, "input.failure"),
        ],
    )
    def test_wrong_input(self, diabetes: Stack, given: dict[str, Any], said: str) -> None:
        before = diabetes.champion()
        ended = diabetes.run(**given)
        assert (ended.ending, ended.status) == ("Failed", "FAILED")
        assert "Admit failed with ContractError" in ended.reasons
        assert said in ended.reasons
        assert ended.states == ["Admit", "RecordFailure", "Failed"]
        assert unharmed(diabetes, before)


class TestServing:
    """The endpoint through all this."""

    def test_damaged_champion_is_replaced(self, wine: Stack) -> None:
        version = json.loads(wine.champion())["version"]
        key = f"models/{version}/model.onnx"
        intact = wine.read(key)
        wine.put(key, intact[:-9])
        ended = wine.run()
        wine.put(key, intact)
        assert ended.ending == "Promote", ended.reasons
        assert "champion cannot be scored any more" in ended.reasons
        assert "checksum" in ended.reasons
        assert unharmed(wine, wine.champion())

    def test_labels_are_kept_and_strangers_refused(self, wine: Stack) -> None:
        version = json.loads(wine.champion())["version"]
        sample = wine.json(f"models/{version}/sample.json")[0]
        [made] = wine.ask("POST", "/predict", sample).json()["predictions"]
        label = {"id": made["id"], "value": "class_1"}
        answer = wine.ask("POST", "/labels", {"labels": [label]})
        assert answer.status == 200, answer.body
        kept = b"".join(wine.read(key) for key in wine.keys("labels/")).decode()
        assert made["id"] in kept
        assert wine.ask("POST", "/labels", {"labels": [label]}, signed=False).status == 403
        wrong = wine.ask("POST", "/predict", sample | {"proline": "much"})
        assert wrong.status == 422
        assert "proline" in wrong.json()["detail"]

    def test_features_by_awswrangler(self, wine: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        import awswrangler as wr
        import boto3

        credentials = wine.cloud.credentials
        session = boto3.session.Session(
            credentials.access_key, credentials.secret_key, region_name=wine.cloud.region
        )
        for service in ("s3", "glue"):
            monkeypatch.setattr(wr.config, f"{service}_endpoint_url", wine.cloud.endpoint_url)
        run = json.loads(wine.champion())["run_id"]
        frame = wr.s3.read_parquet_table(
            table="features", database=wine.outputs["DatabaseName"], boto3_session=session,
            partition_filter=lambda values: values["run"] == run, use_threads=False,
        )  # fmt: skip
        assert len(frame) == 178
        assert {"flavanoids", "event_time", "created_time"} <= set(frame.columns)
        assert (frame["event_time"] <= datetime.now(UTC).replace(tzinfo=None)).all()
