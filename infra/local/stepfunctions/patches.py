"""Where moto's Step Functions starts executions differently from AWS, and where it reports them."""

import functools
import uuid
from functools import partial
from typing import Any

from infra.local.patching import Patches
from infra.local.stepfunctions.executions import Executions

EXECUTION_INPUT_LIMIT = 262_144  # bytes of an execution's input


def patch(patches: Patches, executions: Executions) -> None:
    """Start executions as AWS does, and hand on what happens in them."""
    from moto.stepfunctions import models as plain
    from moto.stepfunctions.parser import models

    # CloudFormation creates machines in a backend that the executing API does not read.
    patches.put(plain, "stepfunctions_backends", lambda _: models.stepfunctions_parser_backends)
    _check_starts(patches, models)
    _report_history(patches, executions)
    _report_endings(patches, executions)
    _keep_stops(patches)


def _check_starts(patches: Patches, models: Any) -> None:
    from moto.core.exceptions import AWSError

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


def _report_history(patches: Patches, executions: Executions) -> None:
    from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
    from moto.stepfunctions.parser.backend import execution_worker

    # History goes to whoever is watching as it is written, instead of being polled.
    def environment(original: Any) -> Any:
        def make(self: Any) -> Any:
            made = original(self)
            arn = self._evaluation_details.execution_details.arn
            made.event_manager.listener = partial(executions.on_history, arn)
            return made

        return make

    patches.put(execution_worker.ExecutionWorker, "_get_evaluation_environment", environment)

    def publish(original: Any) -> Any:
        def publish_history_event(self: Any, *values: Any, **event: Any) -> None:
            original(self, *values, **event)
            # Only those that somebody listens to are executions, or children of a Distributed Map.
            if hasattr(self, "listener"):
                self.listener(self._history_event_list[-1])

        return publish_history_event

    patches.put(EventManager, "_publish_history_event", publish)


def _report_endings(patches: Patches, executions: Executions) -> None:
    from moto.stepfunctions.parser.backend import execution

    def terminated(original: Any) -> Any:
        def end(self: Any) -> None:
            original(self)
            executions.on_end(self.execution)

        return end

    patches.put(execution.BaseExecutionWorkerCommunication, "terminated", terminated)


def _input_too_long(error: type[Exception]) -> Exception:
    class InvalidExecutionInput(error):  # type: ignore[valid-type, misc]
        TYPE = "InvalidExecutionInput"

    return InvalidExecutionInput(
        f"The input of an execution must be at most {EXECUTION_INPUT_LIMIT} bytes."
    )


def _keep_stops(patches: Patches) -> None:
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped

    # A Map that is stopped raises in moto, which then calls the execution failed, not aborted.
    def keeping_stops(original: Any) -> Any:
        def set_error(self: Any, error: Any) -> None:
            if not isinstance(self.program_state(), ProgramStopped):
                original(self, error)

        return set_error

    patches.put(Environment, "set_error", keeping_stops)
