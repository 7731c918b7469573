"""Distributed Maps: their children are executions, and failures count against the tolerance."""

import json
from typing import Any

import pytest

from infra.local import ExecutionResult, LocalCloud

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
