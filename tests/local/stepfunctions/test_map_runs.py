"""Distributed Maps: their children are executions, and failures count against the tolerance."""

import contextlib
import json
from typing import Any

import pytest

from infra.local import ExecutionResult, LocalCloud, Observer, StateEvent

ROLE = "arn:aws:iam::123456789012:role/any"


def mapped(cloud: LocalCloud, items: list[str], **fields: Any) -> ExecutionResult:
    """Run a machine whose map answers each item with its context, and fails where it is "bad"."""
    child = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "IsBad",
        "States": {
            "IsBad": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.part", "StringEquals": "bad", "Next": "Broken"}],
                "Default": "Answer",
            },
            "Broken": {"Type": "Fail", "Error": "Broken", "Cause": "it was bad"},
            "Answer": {
                "Type": "Pass",
                "Parameters": {"part.$": "$.part", "parent.$": "$.parent",
                               "own.$": "$$.Execution.Name", "id.$": "$$.Execution.Id"},
                "End": True,
            },
        },
    }  # fmt: skip
    each = {
        "Type": "Map", "Label": "Part", "ItemsPath": "$.parts", "MaxConcurrency": 2,
        "ItemSelector": {"part.$": "$$.Map.Item.Value", "parent.$": "$$.Execution.Name"},
        "ItemProcessor": child, "ResultPath": "$.answers", "Next": "After", **fields,
    }  # fmt: skip
    definition = {
        "StartAt": "Each", "States": {"Each": each, "After": {"Type": "Pass", "End": True}},
    }  # fmt: skip
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name=f"mapped-{abs(hash(json.dumps([items, fields])))}"[:80],
        definition=json.dumps(definition), roleArn=ROLE,
    )["stateMachineArn"]  # fmt: skip
    return cloud.run(machine, {"parts": items}, timeout=30)


def test_children_are_executions_of_their_own(cloud: LocalCloud) -> None:
    result = mapped(cloud, ["a", "b", "c"])
    assert result.status == "SUCCEEDED"
    answers = result.output["answers"]
    assert [one["part"] for one in answers] == ["a", "b", "c"]
    assert {one["parent"] for one in answers} == {result.name}
    assert len({one["own"] for one in answers} | {result.name}) == 4
    assert all("/Part:" in one["id"] for one in answers)
    assert [state["type"].value for state in result.history if "Map" in state["type"].value] == [
        "MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunSucceeded",
        "MapStateSucceeded", "MapStateExited",
    ]  # fmt: skip


def test_no_failure_is_tolerated_unless_the_map_says_so(cloud: LocalCloud) -> None:
    result = mapped(cloud, ["a", "bad", "c"])
    assert (result.status, result.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert "threshold was exceeded" in (result.cause or "")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"ToleratedFailureCount": 1}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 34.0}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 33.0}, "FAILED"),
        ({"ToleratedFailurePercentage": 100}, "SUCCEEDED"),
    ],
)
def test_the_tolerance_is_a_number_or_a_share(
    cloud: LocalCloud, fields: dict[str, Any], status: str
) -> None:
    assert mapped(cloud, ["a", "bad", "c"], **fields).status == status


def test_a_failure_beyond_the_tolerance_can_be_caught(cloud: LocalCloud) -> None:
    caught = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "After"}]
    assert mapped(cloud, ["bad"], Catch=caught).status == "SUCCEEDED"


def test_no_items_are_no_failure(cloud: LocalCloud) -> None:
    assert mapped(cloud, []).output["answers"] == []


def read_from(cloud: LocalCloud, key: str, observer: Observer | None = None) -> ExecutionResult:
    """Run a machine whose map reads its items from an object."""
    s3, states = cloud.client("s3"), cloud.client("stepfunctions")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(
            Bucket="items", CreateBucketConfiguration={"LocationConstraint": cloud.region}
        )
    s3.put_object(Bucket="items", Key="read/items.json", Body=json.dumps(["a", "b", "c"]).encode())
    s3.put_object(Bucket="items", Key="closed/items.json", Body=b"[]")
    trust = {"Version": "2012-10-17", "Statement": []}
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::items/read/*"}
    iam = cloud.client("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(
            RoleName="reader", PolicyName="read",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [read]}),
        )  # fmt: skip
    each = {
        "Type": "Map", "Label": "Part", "MaxConcurrency": 2, "End": True,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "items", "Key.$": "$.key"},
        },
        "ItemSelector": {"part.$": "$$.Map.Item.Value", "key.$": "$.key"},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Answer",
            "States": {"Answer": {"Type": "Pass", "End": True}},
        },
    }  # fmt: skip
    machine = states.create_state_machine(
        name=f"reads-{key.partition('/')[0]}",
        definition=json.dumps({"StartAt": "Each", "States": {"Each": each}}),
        roleArn=ROLE.replace("any", "reader"),
    )["stateMachineArn"]
    return cloud.run(machine, {"key": key}, timeout=30, observer=observer)


def test_items_are_read_under_the_machines_role(cloud: LocalCloud) -> None:
    seen: list[StateEvent] = []
    key = "read/items.json"
    result = read_from(cloud, key, seen.append)
    assert result.output == [{"part": part, "key": key} for part in "abc"]
    left = [(one.item, one.data["part"]) for one in seen
            if one.kind == "exited" and one.state == "Answer"]  # fmt: skip
    assert sorted(left) == [(0, "a"), (1, "b"), (2, "c")]
    assert [one.item for one in seen if one.state == "Each"] == [None, None]


def test_items_that_the_role_may_not_read_fail_the_map(cloud: LocalCloud) -> None:
    result = read_from(cloud, "closed/items.json")
    assert (result.status, result.error) == ("FAILED", "States.ItemReaderFailed")
    assert "AccessDenied" in (result.cause or "")
