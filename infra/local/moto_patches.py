"""Where moto 5.2 answers differently from AWS, and where it asks to be told what runs a Lambda.

Each patch says why it is there. They are put on when a cloud starts and taken off when it closes,
so that other users of moto in the same process get it as it comes.
"""

import base64
import copy
import functools
import json
import logging
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.local.awslambda.executor import (
    InvalidEventError,
    PayloadTooLargeError,
    ThrottledError,
)
from infra.local.cloudwatch.alarm_evaluation import statistic
from infra.local.stepfunctions import map_runs

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud

_LOG = logging.getLogger("moto.stepfunctions.local")
EXECUTION_INPUT_LIMIT = 262_144  # bytes of an execution's input
PERCENTILE = re.compile(r"p\d{1,2}(\.\d+)?|p100")
ENVIRONMENT_LIMIT = 4096  # bytes of a function's environment variables
RESERVED_VARIABLES = {
    "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_REGION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT", "_HANDLER", "_X_AMZN_TRACE_ID",
}  # fmt: skip


class Patches:
    """Replaced attributes, in order, so that they can be put back."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute by what `make` builds from the original."""
        original = owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)
        self._originals.append((owner, name, original))
        bare = original.__func__ if isinstance(original, classmethod | staticmethod) else original
        setattr(owner, name, make(bare))

    def undo(self) -> None:
        """Put every original back."""
        for owner, name, original in reversed(self._originals):
            setattr(owner, name, original)
        self._originals.clear()


def apply(cloud: "LocalCloud") -> Patches:
    """Put all patches on."""
    patches = Patches()
    steps = (
        *(_lambda, _machines, _interpreter, map_runs.patch, _stops, _events, _alarms, _firehose),
        _access,
    )
    for patch in steps:
        patch(patches, cloud)
    return patches


# -- Lambda -------------------------------------------------------------------------------------


def _lambda(patches: Patches, cloud: "LocalCloud") -> None:
    from moto.awslambda import models

    # moto runs functions in Docker, or answers a fixed text: run them in our workers instead.
    def invoke(self: Any, function_name: str, qualifier: str | None, body: Any,
               headers: Any, response_headers: Any) -> bytes:  # fmt: skip
        return _invoke(cloud, self, function_name, qualifier, body, headers, response_headers)

    patches.put(models.LambdaBackend, "invoke", lambda _: invoke)

    # SNS, SQS and log subscriptions call the function object itself, always asynchronously.
    def invoke_function(self: Any, body: str, request_headers: Any, response_headers: Any) -> str:
        del request_headers, response_headers
        backend = models.lambda_backends[self.account_id][self.region]
        cloud.invoke_later(backend, self.function_arn, None, body.encode())
        return ""

    patches.put(models.LambdaFunction, "invoke", lambda _: invoke_function)

    # moto numbers a version by how many are left (a deleted version's number would come back),
    # shares the mutable code mapping between versions, and forgets, at the first publication,
    # that nothing has changed since.
    def publish_version(self: Any, name_or_arn: str, description: str = "") -> Any:
        latest = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
        versions = self._functions[latest.function_name]["versions"]
        if versions and not latest.code_or_config_updated:
            return versions[-1]
        latest.code_or_config_updated = False
        latest.published = getattr(latest, "published", 0) + 1
        version = copy.copy(latest)
        version.code = dict(latest.code)
        version.set_version(latest.published)
        version.description = description or latest.description
        versions.append(version)
        self._arns[version.function_arn] = version
        return version

    patches.put(models.LambdaStorage, "publish_version", lambda _: publish_version)
    _limit_variables(patches, models)


def _limit_variables(patches: Patches, models: Any) -> None:
    """Refuse environments that Lambda refuses: beyond 4 KiB, or with its own names."""
    from moto.awslambda.exceptions import InvalidParameterValueException

    def refuse(spec: Any) -> None:
        variables = (spec.get("Environment") or {}).get("Variables") or {}
        size = sum(len(f"{key}{value}".encode()) for key, value in variables.items())
        if size > ENVIRONMENT_LIMIT:
            raise InvalidParameterValueException(
                "Lambda was unable to configure your environment variables because the environment "
                f"variables you have provided exceeded the 4KB limit ({size} bytes)."
            )
        if taken := RESERVED_VARIABLES & variables.keys():
            raise InvalidParameterValueException(
                "Lambda was unable to configure your environment variables because the environment "
                "variables you have provided contains reserved keys that are currently not "
                f"supported for modification. Reserved keys used in this request: {sorted(taken)}"
            )

    def create(original: Any) -> Any:
        def create_function(self: Any, spec: Any) -> Any:
            refuse(spec)
            return original(self, spec)

        return create_function

    def update(original: Any) -> Any:
        def update_function(self: Any, function_name: str, qualifier: Any, body: Any) -> Any:
            refuse(body)
            return original(self, function_name, qualifier, body)

        return update_function

    patches.put(models.LambdaBackend, "create_function", create)
    patches.put(models.LambdaBackend, "update_function_configuration", update)


def _invoke(cloud: "LocalCloud", backend: Any, name: str, qualifier: str | None, body: Any,
            headers: Any, response_headers: Any) -> bytes:  # fmt: skip
    from moto.awslambda.exceptions import LambdaClientError

    event = body if isinstance(body, bytes) else (body or "").encode()
    kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
    try:
        if kind == "DryRun":
            cloud.executor.resolve(backend, name, qualifier)
            return b""
        if kind == "Event":
            cloud.invoke_later(backend, name, qualifier, event)
            return b""
        context = headers.get("X-Amz-Client-Context")
        answer = cloud.executor.invoke(
            backend, name, qualifier, event, json.loads(base64.b64decode(context or b"bnVsbA=="))
        )
    except tuple(_LAMBDA_ERRORS) as error:
        code, status = _LAMBDA_ERRORS[type(error)]
        refused = LambdaClientError(code, str(error))
        refused.code = status
        raise refused from error
    response_headers["X-Amz-Executed-Version"] = answer.version
    response_headers["x-amz-log-result"] = answer.log_tail.decode()
    if answer.error:
        response_headers["X-Amz-Function-Error"] = answer.error
    return answer.payload


_LAMBDA_ERRORS: dict[type[Exception], tuple[str, int]] = {
    ThrottledError: ("TooManyRequestsException", 429),
    PayloadTooLargeError: ("RequestTooLargeException", 413),
    InvalidEventError: ("InvalidRequestContentException", 400),
}


def invoke_for_task(
    cloud: "LocalCloud", backend: Any, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Invoke a function for a Task state; Lambda's refusals come as botocore raises them."""
    from botocore.exceptions import ClientError
    from moto.core.exceptions import JsonRESTError

    headers = {"X-Amz-Invocation-Type": parameters.get("InvocationType", "RequestResponse")}
    answered: dict[str, str] = {}
    header = "X-Amz-Function-Error"
    try:
        payload = _invoke(
            cloud, backend, parameters["FunctionName"], parameters.get("Qualifier"),
            parameters.get("Payload") or b"{}", headers, answered,
        )  # fmt: skip
    except JsonRESTError as error:
        raise ClientError(
            {
                "Error": {"Code": error.error_type, "Message": error.message},
                "ResponseMetadata": {"HTTPStatusCode": error.code, "RequestId": str(uuid.uuid4())},
            },
            "Invoke",
        ) from error
    return {
        "StatusCode": 200,
        "ExecutedVersion": answered.get("X-Amz-Executed-Version", "$LATEST"),
        "Payload": json.loads(payload) if payload else {},
        **({"FunctionError": answered[header]} if header in answered else {}),
    }


# -- Step Functions: starting, and telling us what happens --------------------------------------


def _machines(patches: Patches, cloud: "LocalCloud") -> None:
    from moto.core.exceptions import AWSError
    from moto.stepfunctions import models as plain
    from moto.stepfunctions.parser import models
    from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
    from moto.stepfunctions.parser.backend import execution, execution_worker

    # CloudFormation creates machines in a backend that the executing API does not read.
    patches.put(plain, "stepfunctions_backends", lambda _: models.stepfunctions_parser_backends)

    # moto takes inputs beyond the quota, and names an unnamed execution "None".
    def start_execution(original: Any) -> Any:
        @functools.wraps(original)
        def start(self: Any, state_machine_arn: str, name: str | None = None,
                  execution_input: str | None = None, trace_header: Any = None) -> Any:  # fmt: skip
            if len((execution_input or "").encode()) > EXECUTION_INPUT_LIMIT:
                raise _input_too_long(AWSError)
            name = name or str(uuid.uuid4())
            return original(self, state_machine_arn, name, execution_input, trace_header)

        return start

    patches.put(models.StepFunctionsParserBackend, "start_execution", start_execution)

    # History goes to whoever is watching as it is written, instead of being polled.
    def environment(original: Any) -> Any:
        def make(self: Any) -> Any:
            made = original(self)
            made.event_manager.execution_arn = self._evaluation_details.execution_details.arn
            return made

        return make

    patches.put(execution_worker.ExecutionWorker, "_get_evaluation_environment", environment)

    def publish(original: Any) -> Any:
        def publish_history_event(self: Any, **event: Any) -> None:
            original(self, **event)
            # The children of a Distributed Map have a manager, and a history, of their own.
            if hasattr(self, "execution_arn"):
                cloud.machines.on_history(self.execution_arn, self._history_event_list[-1])

        return publish_history_event

    patches.put(EventManager, "_publish_history_event", publish)

    def terminated(original: Any) -> Any:
        def end(self: Any) -> None:
            original(self)
            cloud.machines.on_end(self.execution)

        return end

    patches.put(execution.BaseExecutionWorkerCommunication, "terminated", terminated)


def _input_too_long(error: type[Exception]) -> Exception:
    class InvalidExecutionInput(error):  # type: ignore[valid-type, misc]
        TYPE = "InvalidExecutionInput"

    return InvalidExecutionInput(
        f"The input of an execution must be at most {EXECUTION_INPUT_LIMIT} bytes."
    )


# -- Step Functions: the interpreter ------------------------------------------------------------


def _stops(patches: Patches, cloud: "LocalCloud") -> None:
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped

    # A Map that is stopped raises in moto, which then calls the execution failed, not aborted.
    def keeping_stops(original: Callable[..., None]) -> Callable[..., None]:
        def set_error(self: Any, error: Any) -> None:
            if not isinstance(self.program_state(), ProgramStopped):
                original(self, error)

        return set_error

    patches.put(Environment, "set_error", keeping_stops)


def _interpreter(patches: Patches, cloud: "LocalCloud") -> None:
    from botocore.exceptions import ClientError
    from moto.stepfunctions.parser.asl.component.common.error_name import error_equals_decl
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
        CustomErrorName,
    )
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
        lambda_eval_utils,
        state_task_lambda,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_lambda,
    )
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
    from moto.stepfunctions.parser.asl.eval.states import ContextObject
    from moto.stepfunctions.parser.asl.parse import asl_parser

    # Parsing a definition takes longer than running it; programs keep no state of their own (it
    # is in the environment), so that one parse serves all executions.
    @functools.lru_cache(maxsize=32)
    def parse(definition: str) -> Any:
        return asl_parser_parse(definition)

    asl_parser_parse = asl_parser.AmazonStateLanguageParser.parse
    patches.put(asl_parser.AmazonStateLanguageParser, "parse", lambda _: staticmethod(parse))

    # moto makes a new boto3 client, for port 5000, at every task.
    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        del region, state_credentials
        return cloud.client(service)

    for name, module in sorted(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and hasattr(module, "boto_client_for"):
            patches.put(module, "boto_client_for", lambda _: client_for)

    # ... and a Lambda task goes through HTTP: call the executor.
    def invoke(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
        del region, state_credentials
        return cloud.invoke_from_machine(parameters)

    patches.put(lambda_eval_utils, "_invoke_lambda_function", lambda _: invoke)

    # Lambda's own refusals are `Lambda.<code>` on AWS, `Exception` in moto: Retry names them.
    def from_error(original: Any) -> Any:
        def make(self: Any, env: Any, ex: Exception) -> Any:
            if not isinstance(ex, ClientError):
                return original(self, env, ex)
            error, cause = (
                state_task_service_lambda.StateTaskServiceLambda._error_cause_from_client_error(ex)
            )
            event = original(self, env, ex)
            event.error_name = CustomErrorName(error)
            event.event_details["lambdaFunctionFailedEventDetails"] = {
                "error": error,
                "cause": cause,
            }
            return event

        return make

    patches.put(state_task_lambda.StateTaskLambda, "_from_error", from_error)

    # States.ALL catches neither States.Runtime nor States.DataLimitExceeded on AWS.
    def matches(original: Any) -> Any:
        def evaluate(self: Any, env: Any) -> None:
            name = env.stack[-1].error_name if env.stack[-1] else None
            if name in ("States.Runtime", "States.DataLimitExceeded"):
                env.stack.pop()
                env.stack.append(any(e.error_name == name for e in self.error_names))
                return
            original(self, env)

        return evaluate

    patches.put(error_equals_decl.ErrorEqualsDecl, "_eval_body", matches)

    # Waiting passes on the local clock (and moto's recurses for ever on parts of a second).
    def wait_interval(_: Any, env: Any, wait_seconds: float) -> None:
        deadline = time.monotonic() + min(wait_seconds, cloud.wait_cap)
        while env.is_running() and (left := deadline - time.monotonic()) > 0:
            env.program_state_event.wait(left)

    patches.put(wait_function.WaitFunction, "_wait_interval", lambda _: wait_interval)

    # A failed state is logged once per level of the tree, each time with the whole tree below it.
    def log_failure(self: Any, failure_event_exception: Any) -> None:
        event = failure_event_exception.failure_event
        _LOG.info("%s: %s", type(self).__name__, event.event_details)

    patches.put(EvalComponent, "_log_failure_event_exception", lambda _: log_failure)

    def log_exception(self: Any, exception: Exception) -> None:
        _LOG.info("%s: %r", type(self).__name__, exception)

    patches.put(EvalComponent, "_log_exception", lambda _: log_exception)

    class Time:
        """Stands in for the time module of the retrier, which sleeps between attempts."""

        @staticmethod
        def sleep(seconds: float) -> None:
            threading.Event().wait(min(seconds, cloud.wait_cap))

    patches.put(retrier_decl, "time", lambda _: Time)

    # $$.Task.Token of moto is `<uuid>`-like and long-lived, as on AWS; nothing to change. But
    # $$.Execution.StartTime is a datetime object: paths into a payload need AWS's ISO text.
    def update_context(original: Any) -> Any:
        def init(self: Any, context_object: Any) -> None:
            original(self, context_object)
            execution = self.context_object_data["Execution"]
            if isinstance(execution["StartTime"], datetime):
                execution["StartTime"] = _iso(execution["StartTime"])

        return init

    patches.put(ContextObject, "__init__", update_context)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- EventBridge, CloudWatch, Firehose ----------------------------------------------------------


def _events(patches: Patches, cloud: "LocalCloud") -> None:
    from moto.events import models

    # moto knows no Step Functions, Lambda or SNS targets, no Input and InputPath, no disabled
    # rules and no dead-letter queues, and fails a PutEvents call that reaches such a target.
    def send_to_targets(self: Any, event: Any, transform_input: bool = True) -> None:
        del transform_input
        if self.state != "ENABLED" or not self.event_pattern.get_pattern():
            return  # a schedule is not a pattern that matches everything
        if self.event_pattern.matches_event(event):
            cloud.bus.deliver(self, event)

    patches.put(models.Rule, "send_to_targets", lambda _: send_to_targets)


def _alarms(patches: Patches, cloud: "LocalCloud") -> None:
    from moto.cloudwatch import models

    # An alarm is born without data, not OK.
    def born(original: Any) -> Any:
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            self.state_value = "INSUFFICIENT_DATA"

        return init

    patches.put(models.Alarm, "__init__", born)

    # SetAlarmState acts on AWS: the event goes out and the actions run.
    def set_alarm_state(original: Any) -> Any:
        def change(self: Any, alarm_name: str, reason: str, reason_data: str, state: str) -> None:
            alarm = self.alarms.get(alarm_name)
            before = cloud.watch.snapshot(alarm) if alarm else None
            original(self, alarm_name, reason, reason_data, state)
            if before and before["value"] != state:
                cloud.watch.on_transition(alarm, before)

        return change

    patches.put(models.CloudWatchBackend, "set_alarm_state", set_alarm_state)

    # moto answers None, and then fails, when metrics are asked for percentiles.
    def statistics(original: Any) -> Any:
        def of_type(self: Any, stat: str) -> Any:
            if PERCENTILE.fullmatch(stat):
                return statistic(self.metric_data, stat)
            return original(self, stat)

        return of_type

    patches.put(models.Statistics, "get_statistics_for_type", statistics)


def _firehose(patches: Patches, cloud: "LocalCloud") -> None:
    from moto.firehose import models

    # moto appends /YYYY/MM/DD/HH even to a prefix that says itself where the time goes.
    def path(stream: str, version: str, prefix: str) -> str:
        return f"{firehose_prefix(prefix, cloud.now())}{_firehose_object(stream, version)}"

    patches.put(models.FirehoseBackend, "_format_s3_object_path", lambda _: staticmethod(path))


def _firehose_object(stream: str, version: str) -> str:
    return f"{stream}-{version}-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"


_JAVA_DATE = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def firehose_prefix(prefix: str, at: datetime) -> str:
    """Resolve `!{timestamp:...}` as Firehose does; without any, it appends YYYY/MM/dd/HH/."""
    if "!{timestamp:" not in prefix:
        return f"{prefix}{at:%Y/%m/%d/%H}/"

    def resolve(match: re.Match[str]) -> str:
        # 'quoted' parts are literal, letters are Java date fields
        parts = re.split(r"'([^']*)'", match.group(1))
        return "".join(
            part if index % 2 else re.sub(
                "|".join(_JAVA_DATE), lambda m: at.strftime(_JAVA_DATE[m.group()]), part
            )
            for index, part in enumerate(parts)
        )  # fmt: skip

    return re.sub(r"!\{timestamp:([^}]*)\}", resolve, prefix)


# -- who may do what ----------------------------------------------------------------------------


def _access(patches: Patches, cloud: "LocalCloud") -> None:
    from moto.core.authorization import ActionAuthenticatorMixin

    # moto switches IAM on for every service or for none, and judges resources right for S3 only:
    # calls that functions make to S3 are judged under their role, all others are recorded.
    def authorize(self: Any, iam_request_cls: type, resource: str = "*") -> None:
        cloud.access.check(self, iam_request_cls, resource)

    patches.put(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", lambda _: authorize)
