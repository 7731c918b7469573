"""State machines of the template run with the semantics of Step Functions."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import Deployed, ExecutionResult, LocalCloud, StateEvent

Run = Callable[..., ExecutionResult]
ITEMS = [{"do": "brief", "decision": name} for name in "abc"]


def test_payload_context_and_result_path(run: Run) -> None:
    result = run({"do": "brief", "decision": "go"}, name="payload")
    assert result.status == "SUCCEEDED"
    assert result.output["first"]["decision"] == "go"
    assert result.output["first"]["state"] == "First"
    assert result.output["first"]["at"].endswith("Z")
    assert result.name == "payload"


def test_map_keeps_order_and_sees_item_and_outer_state(run: Run) -> None:
    result = run({"do": "brief", "name": "outer", "pause": 3600, "items": ITEMS})
    assert [one["decision"] for one in result.output["mapped"]] == ["a", "b", "c"]
    assert result.output["whole"]["Payload"]["decision"] == "on"
    assert result.output["whole"]["StatusCode"] == 200


def test_execution_stopped_inside_a_map_is_aborted(cloud: LocalCloud, stack: Deployed) -> None:
    mapped = [{"do": "sleep", "seconds": 1}] * 3
    given = {"do": "brief", "name": "stopped", "pause": 0, "items": mapped}
    arn = cloud.start(stack.outputs["StateMachineArn"], given, name="stopped-in-map")
    states = cloud.client("stepfunctions")
    deadline = time.monotonic() + 20
    while "MapStateEntered" not in str(states.get_execution_history(executionArn=arn)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    states.stop_execution(executionArn=arn)
    assert cloud.wait(arn, timeout=20).status == "ABORTED"


def test_wait_states_pass_on_the_local_clock(run: Run) -> None:
    started = time.monotonic()
    run({"do": "brief", "name": "w", "pause": 3600, "items": []})
    assert time.monotonic() - started < 5


def test_retry_with_a_custom_error_name(run: Run) -> None:
    result = run({"do": "flaky", "mark": "retried", "times": 2})
    assert result.status == "SUCCEEDED"
    assert result.output["first"]["tries"] == 3


def test_catch_by_error_type(run: Run) -> None:
    result = run({"do": "hopeless"})
    assert (result.status, result.output) == ("SUCCEEDED", {"caught": "Hopeless"})


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"do": "flaky", "mark": "exhausted", "times": 9}, "Flaky"),
        ({"do": "sleep", "seconds": 30}, "Sandbox.Timedout"),
        ({"do": "exit", "status": 1}, "Runtime.ExitError"),
    ],
)
def test_other_errors_are_caught_recorded_and_fail_the_execution(
    run: Run, given: dict[str, Any], error: str
) -> None:
    result = run(given)
    assert result.status == "FAILED"
    assert result.error == error
    assert json.loads(result.cause or "{}")["errorType"] == error


def test_errors_that_states_all_does_not_catch(run: Run) -> None:
    result = run({"do": "big", "bytes": 300_000})
    assert result.status == "FAILED"
    assert result.error == "States.DataLimitExceeded"


def test_callback_waits_and_goes_on(cloud: LocalCloud, run: Run, stack: Deployed) -> None:
    given = {"do": "brief", "name": "c", "pause": 0, "items": [], "ask": True}
    for decision, status in {"yes": "SUCCEEDED", "no": "FAILED"}.items():
        waiting = run(given)
        assert (waiting.status, waiting.waiting_at) == ("RUNNING", "AskPerson")
        stored = cloud.client("s3").get_object(
            Bucket=stack.outputs["BucketName"], Key="open/token.json"
        )
        token = json.loads(stored["Body"].read())["token"]
        cloud.client("stepfunctions").send_task_success(
            taskToken=token, output=json.dumps({"decision": decision})
        )
        ended = _ended(cloud, waiting.arn)
        assert ended.status == status
        assert ended.waiting_at is None


def _ended(cloud: LocalCloud, arn: str) -> ExecutionResult:
    deadline = time.monotonic() + 10
    while (result := cloud.wait(arn)).status == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.02)
    return result


def test_observer_sees_each_state_live_with_its_output(run: Run) -> None:
    seen: list[StateEvent] = []
    run({"do": "brief", "name": "o", "pause": 0, "items": ITEMS}, observer=seen.append)
    outer = [(e.kind, e.state) for e in seen if e.item is None]
    assert outer == [
        (kind, state)
        for state in ("First", "OnlyFirst", "Each", "Whole", "Pause", "NeedsPerson", "Done")
        for kind in ("entered", "exited")
    ] + [("ended", "")]
    assert {e.item for e in seen} == {None, 0, 1, 2}
    first = next(e for e in seen if (e.kind, e.state) == ("exited", "First"))
    assert first.data["first"]["decision"] == "on"
    assert first.seconds is not None
    assert first.seconds >= 0


def test_names_are_deduplicated_as_on_aws(cloud: LocalCloud, stack: Deployed) -> None:
    arn = stack.outputs["StateMachineArn"]
    given = {"do": "sleep", "seconds": 1}
    first = cloud.start(arn, given, name="twice")
    assert cloud.start(arn, given, name="twice") == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        cloud.start(arn, {"do": "brief"}, name="twice")
    cloud.wait(first)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        cloud.start(arn, given, name="twice")


def test_input_beyond_the_quota_is_refused(cloud: LocalCloud, stack: Deployed) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.start(stack.outputs["StateMachineArn"], {"padding": "x" * 300_000})
    assert caught.value.response["Error"]["Code"] == "InvalidExecutionInput"


def test_executions_without_a_name_get_one(cloud: LocalCloud, stack: Deployed) -> None:
    client = cloud.client("stepfunctions")
    arns = {
        client.start_execution(stateMachineArn=stack.outputs["StateMachineArn"])["executionArn"]
        for _ in range(2)
    }
    assert len(arns) == 2


def test_a_timeout_of_the_wait_says_so(cloud: LocalCloud, stack: Deployed) -> None:
    arn = cloud.start(stack.outputs["StateMachineArn"], {"do": "sleep", "seconds": 1.5})
    with pytest.raises(TimeoutError, match="still running"):
        cloud.wait(arn, timeout=0.1)
    assert cloud.wait(arn).status == "SUCCEEDED"


def test_task_states_cost_milliseconds(run: Run) -> None:
    run({"do": "brief"})
    started = time.monotonic()
    for _ in range(10):
        run({"do": "brief"})
    assert (time.monotonic() - started) / 10 < 0.3
