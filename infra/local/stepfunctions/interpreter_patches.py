"""Where moto's interpreter of the Amazon States Language differs from AWS, or is slow."""

import functools
import logging
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from infra.local.patching import Patches

_LOG = logging.getLogger("moto.stepfunctions.local")
WaitCap = Callable[[], float]  # seconds that a wait takes at most


def patch(
    patches: Patches, *, clients: Callable[[str], Any],
    invoke_lambda: Callable[[dict[str, Any]], dict[str, Any]], wait_cap: WaitCap,
) -> None:  # fmt: skip
    """Put the patches on."""
    _parse_once(patches)
    _call_services(patches, clients, invoke_lambda)
    _name_lambda_errors(patches)
    _narrow_states_all(patches)
    _cap_waits(patches, wait_cap)
    _cap_retries(patches, wait_cap)
    _log_once(patches)
    _write_start_time(patches)


def _parse_once(patches: Patches) -> None:
    from moto.stepfunctions.parser.asl.parse import asl_parser

    # Parsing a definition takes longer than running it; programs keep no state of their own (it
    # is in the environment), so that one parse serves all executions.
    @functools.lru_cache(maxsize=32)
    def parse(definition: str) -> Any:
        return asl_parser_parse(definition)

    asl_parser_parse = asl_parser.AmazonStateLanguageParser.parse
    patches.put(asl_parser.AmazonStateLanguageParser, "parse", lambda _: staticmethod(parse))


def _call_services(
    patches: Patches, clients: Callable[[str], Any],
    invoke_lambda: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:  # fmt: skip
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    # moto makes a new boto3 client, for port 5000, at every task.
    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        del region, state_credentials
        return clients(service)

    for name, module in sorted(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and hasattr(module, "boto_client_for"):
            patches.put(module, "boto_client_for", lambda _: client_for)

    # ... and a Lambda task goes through HTTP: call the executor.
    def invoke(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
        del region, state_credentials
        return invoke_lambda(parameters)

    patches.put(lambda_eval_utils, "_invoke_lambda_function", lambda _: invoke)


def _name_lambda_errors(patches: Patches) -> None:
    from botocore.exceptions import ClientError
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
        CustomErrorName,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_lambda
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_lambda,
    )

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


def _narrow_states_all(patches: Patches) -> None:
    from moto.stepfunctions.parser.asl.component.common.error_name import error_equals_decl

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


def _cap_waits(patches: Patches, wait_cap: WaitCap) -> None:
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function

    # Waiting passes on the local clock (and moto's recurses for ever on parts of a second).
    def wait_interval(_: Any, env: Any, wait_seconds: float) -> None:
        deadline = time.monotonic() + min(wait_seconds, wait_cap())
        while env.is_running() and (left := deadline - time.monotonic()) > 0:
            env.program_state_event.wait(left)

    patches.put(wait_function.WaitFunction, "_wait_interval", lambda _: wait_interval)


def _cap_retries(patches: Patches, wait_cap: WaitCap) -> None:
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

    class Time:
        """Stands in for the time module of the retrier, which sleeps between attempts."""

        @staticmethod
        def sleep(seconds: float) -> None:
            threading.Event().wait(min(seconds, wait_cap()))

    patches.put(retrier_decl, "time", lambda _: Time)


def _log_once(patches: Patches) -> None:
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent

    # A failed state is logged once per level of the tree, each time with the whole tree below it.
    def log_failure(self: Any, failure_event_exception: Any) -> None:
        event = failure_event_exception.failure_event
        _LOG.info("%s: %s", type(self).__name__, event.event_details)

    patches.put(EvalComponent, "_log_failure_event_exception", lambda _: log_failure)

    def log_exception(self: Any, exception: Exception) -> None:
        _LOG.info("%s: %r", type(self).__name__, exception)

    patches.put(EvalComponent, "_log_exception", lambda _: log_exception)


def _write_start_time(patches: Patches) -> None:
    from moto.stepfunctions.parser.asl.eval.states import ContextObject

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
