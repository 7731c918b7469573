"""Lambda functions in the local cloud run as they would on Lambda."""

import base64
import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import Deployed, LocalCloud

Invoke = Callable[..., Any]


def test_import_path_is_asset_layers_stdlib_and_runtime_only(invoke: Invoke) -> None:
    seen = invoke({"do": "echo"})["Payload"]
    assert seen["greeting"] == "hello from the layer"
    first, *rest = seen["path"]
    assert first == seen["environment"]["LAMBDA_TASK_ROOT"]
    assert Path(first, "functions").is_dir()
    assert Path(rest[0]).name == "python"
    assert not [path for path in seen["path"] if "site-packages" in path]
    assert "pytest" not in seen["modules"]
    assert "moto" not in seen["modules"]


def test_workers_stay_warm_and_share_one_zygote(invoke: Invoke) -> None:
    first, second = (invoke({"do": "echo"})["Payload"] for _ in range(2))
    assert (first["pid"], first["loaded"]) == (second["pid"], second["loaded"])
    assert first["parent"] != os.getpid()


def test_context_and_answer(invoke: Invoke) -> None:
    answer = invoke({"do": "echo"}, LogType="Tail")
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert 0 < answer["Payload"]["remaining"] <= 2000
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "echo says hello from the layer" in log
    assert "[WARNING]" in log
    assert "REPORT RequestId" in log


def test_logs_reach_the_function_s_log_group(
    invoke: Invoke, cloud: LocalCloud, stack: Deployed
) -> None:
    environment = invoke({"do": "echo"})["Payload"]["environment"]
    logs = cloud.client("logs")
    found = logs.filter_log_events(logGroupName=environment["AWS_LAMBDA_LOG_GROUP_NAME"])
    assert any("echo says" in event["message"] for event in found["events"])
    written = cloud.home / "logs" / f"{stack.outputs['StageFunctionName']}.log"
    assert "echo says" in written.read_text()


def test_functions_with_json_logs_write_an_object_a_line(
    invoke: Invoke, cloud: LocalCloud, stack: Deployed
) -> None:
    """GIVEN the template's LoggingConfig THEN lines are as Lambda's Python runtime writes them."""
    name = stack.outputs["LoggedFunctionName"]
    environment = invoke({"do": "echo"}, name=name)["Payload"]["environment"]
    assert environment["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert environment["AWS_LAMBDA_LOG_LEVEL"] == "INFO"
    start, said, info, warning, report = _log_of(cloud, environment)
    assert said == "echo says hello from the layer"  # what is printed stays as it is
    assert json.loads(info).items() >= {
        "level": "INFO", "message": "an echo", "logger": "functions.stage",
        "greeting": "hello from the layer",
    }.items()  # fmt: skip
    found = json.loads(warning)
    datetime.fromisoformat(found.pop("timestamp"))
    request = json.loads(start)["record"]["requestId"]
    assert found == {
        "level": "WARNING", "message": "a warning", "logger": "functions.stage",
        "requestId": request, "run": "run-1", "rows": 3,
    }  # fmt: skip
    assert json.loads(report)["type"] == "platform.report"
    assert json.loads(report)["record"]["status"] == "success"
    traced = cloud.client("lambda").get_function_configuration(FunctionName=name)
    assert traced["TracingConfig"] == {"Mode": "Active"}


def test_functions_with_json_logs_write_their_traceback_into_one_line(
    invoke: Invoke, cloud: LocalCloud, stack: Deployed
) -> None:
    name = stack.outputs["LoggedFunctionName"]
    environment = invoke({"do": "echo"}, name=name)["Payload"]["environment"]
    before = len(_log_of(cloud, environment))
    invoke({"do": "hopeless"}, name=name)
    _, error, report = _log_of(cloud, environment)[before:]
    found = json.loads(error)
    assert (found["level"], found["errorType"], found["errorMessage"]) == (
        "ERROR", "Hopeless", "no use"
    )  # fmt: skip
    assert "hopeless" in "".join(found["stackTrace"])
    assert json.loads(report)["record"]["status"] == "failure"


def _log_of(cloud: LocalCloud, environment: dict[str, str]) -> list[str]:
    """What the log stream of a function's process holds."""
    found = cloud.client("logs").get_log_events(
        logGroupName=environment["AWS_LAMBDA_LOG_GROUP_NAME"],
        logStreamName=environment["AWS_LAMBDA_LOG_STREAM_NAME"],
        startFromHead=True,
    )
    return [event["message"] for event in found["events"]]


def test_an_exception_comes_back_by_its_name(invoke: Invoke) -> None:
    answer = invoke({"do": "hopeless"})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Hopeless"
    assert answer["Payload"]["errorMessage"] == "no use"
    assert "hopeless" in "".join(answer["Payload"]["stackTrace"])


def test_timeout_is_enforced_and_the_next_call_works(invoke: Invoke) -> None:
    started = time.monotonic()
    answer = invoke({"do": "sleep", "seconds": 60})
    assert time.monotonic() - started < 10
    assert answer["Payload"]["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in answer["Payload"]["errorMessage"]
    assert "FunctionError" not in invoke({"do": "brief"})


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"do": "exit", "status": 3}, "Runtime exited with error: exit status 3"),
        ({"do": "exit", "status": 0}, "exit status 0"),
    ],
)
def test_a_dying_worker_is_named(invoke: Invoke, event: dict[str, Any], message: str) -> None:
    payload = invoke(event)["Payload"]
    assert payload["errorType"] == "Runtime.ExitError"
    assert message in payload["errorMessage"]


def test_an_idle_worker_that_was_killed_is_replaced_or_named(invoke: Invoke) -> None:
    os.kill(invoke({"do": "echo"})["Payload"]["pid"], signal.SIGKILL)
    time.sleep(0.1)
    assert invoke({"do": "brief"}).get("FunctionError") in (None, "Unhandled")
    assert "FunctionError" not in invoke({"do": "brief"})


def test_memory_is_enforced(invoke: Invoke) -> None:
    assert invoke({"do": "eat", "mib": 20})["Payload"] == 20
    assert invoke({"do": "eat", "mib": 600})["Payload"]["errorType"] == "Runtime.OutOfMemory"


def test_answers_are_encoded_as_lambda_does(invoke: Invoke) -> None:
    assert invoke({"do": "odd"})["Payload"] == {"nan": None, "text": "ä"}
    assert invoke({"do": "unjson"})["Payload"]["errorType"] == "Runtime.MarshalError"


def test_payload_limits(invoke: Invoke) -> None:
    answer = invoke({"do": "big", "bytes": 7_000_000})
    assert answer["Payload"]["errorType"] == "Function.ResponseSizeTooLarge"
    with pytest.raises(ClientError) as caught:
        invoke({"do": "brief", "padding": "x" * 7_000_000})
    assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"


def test_concurrent_invocations_use_several_workers(invoke: Invoke) -> None:
    with ThreadPoolExecutor(4) as threads:
        event = {"do": "sleep", "seconds": 0.3}
        answers = list(threads.map(lambda _: invoke(event)["Payload"], range(4)))
    assert len({answer["pid"] for answer in answers}) == min(4, os.cpu_count() or 1)


def test_import_error_is_named(cloud: LocalCloud, invoke: Invoke, scratch: str) -> None:
    client = cloud.client("lambda")
    for handler, kind in {
        "functions.broken.handler": "Runtime.ImportModuleError",
        "functions.stage.nothing": "Runtime.HandlerNotFound",
    }.items():
        client.update_function_configuration(FunctionName=scratch, Handler=handler)
        assert invoke({}, name=scratch)["Payload"]["errorType"] == kind


def test_reserved_concurrency_throttles(cloud: LocalCloud, invoke: Invoke, scratch: str) -> None:
    cloud.client("lambda").put_function_concurrency(
        FunctionName=scratch, ReservedConcurrentExecutions=0
    )
    with pytest.raises(ClientError) as caught:
        invoke({"do": "brief"}, name=scratch)
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"


def test_a_role_reaches_only_what_it_was_granted(
    cloud: LocalCloud, invoke: Invoke, stack: Deployed
) -> None:
    assert "FunctionError" not in invoke({"do": "store", "key": "open/allowed"})
    denied = invoke({"do": "store", "key": "closed/denied"})["Payload"]
    assert denied["errorType"] == "AccessDenied"
    calls = [call for call in cloud.access.calls if call.action == "s3:PutObject"]
    mine = [call for call in calls if call.function == stack.outputs["StageFunctionName"]]
    assert {(call.resource.split("/", 1)[1], call.allowed) for call in mine} >= {
        ("open/allowed", True),
        ("closed/denied", False),
    }


def test_functions_can_ask_for_percentiles_of_their_durations(
    cloud: LocalCloud, invoke: Invoke, stack: Deployed
) -> None:
    invoke({"do": "echo"})
    dimension = {"Name": "FunctionName", "Value": stack.outputs["StageFunctionName"]}
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Duration", "Dimensions": [dimension]}
    now = datetime.now(UTC)
    answer = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": "slow", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "p95"}}
        ],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
    )
    assert max(answer["MetricDataResults"][0]["Values"]) > 0


def test_a_version_is_asked_by_its_number(
    cloud: LocalCloud, stack: Deployed, invoke: Invoke
) -> None:
    name = stack.outputs["StageFunctionName"]
    version = cloud.client("lambda").publish_version(FunctionName=name)["Version"]
    assert invoke({"do": "echo"}, Qualifier=version)["ExecutedVersion"] == version
    assert invoke({"do": "echo"})["ExecutedVersion"] == "$LATEST"
