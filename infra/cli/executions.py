"""Executions of the machines beside the lifecycle's: begun once, and what their states said."""

import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"


def begin(
    states: Any, machine: str, given: Mapping[str, Any], named: Callable[[int], str]
) -> str:  # fmt: skip
    """Start an execution, or find it running; returns its ARN."""
    for attempt in count(1):
        try:
            answer = states.start_execution(
                stateMachineArn=machine, name=named(attempt), input=json.dumps(given)
            )
        except states.exceptions.ExecutionAlreadyExists:
            continue  # it ended: the next one goes on
        break
    return str(answer["executionArn"])


def state_output(states: Any, arn: str, name: str) -> dict[str, Any]:
    """What a state left, nothing before it did."""
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    for event in (event for page in pages for event in page["events"]):
        details = event.get("stateExitedEventDetails", {})
        if details.get("name") == name:
            found: dict[str, Any] = json.loads(details["output"])
            return found
    return {}
