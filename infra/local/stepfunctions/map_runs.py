"""Distributed Maps as AWS runs them: children with a history of their own, and a tolerance."""

import re
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from infra.local.patching import Patches
from infra.local.stepfunctions.executions import Executions
from infra.local.stepfunctions.followed_execution import Child

PERCENTAGE = re.compile(r'("ToleratedFailurePercentage"\s*:\s*\d+)(?=\s*[,}])')
ReaderOf = Callable[[str], Any]
EXCEEDED = "The specified tolerated failure threshold was exceeded"


def patch(patches: Patches, executions: Executions, reader_of: ReaderOf) -> None:
    """Put the patches on; `reader_of` gives an S3 client under a role."""
    _take_percentages(patches)
    _read_items(patches, reader_of)
    _judge_failures(patches)
    _make_executions(patches, executions)


def _take_percentages(patches: Patches) -> None:
    from moto.stepfunctions.parser.asl.parse import asl_parser

    # moto's grammar takes a percentage only with a point, AWS any number.
    def pointed(original: Callable[[str], Any]) -> Any:
        return staticmethod(lambda definition: original(PERCENTAGE.sub(r"\1.0", definition)))

    patches.put(asl_parser.AmazonStateLanguageParser, "parse", pointed)


def _read_items(patches: Patches, reader_of: ReaderOf) -> None:
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader import (
        item_reader_decl,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (
        resource_eval_s3,
    )

    # A map reads its items under the machine's role, moto under that of nobody.
    def under_role(_: Any) -> Any:
        def client(resource_runtime_part: Any, state_credentials: Any) -> Any:
            del resource_runtime_part
            return reader_of(state_credentials.role_arn)

        return staticmethod(client)

    patches.put(resource_eval_s3.ResourceEvalS3, "_get_s3_client", under_role)

    # ... and what it cannot read has a name of its own.
    def named(original: Callable[..., None]) -> Callable[..., None]:
        def evaluate(self: Any, env: Any) -> None:
            try:
                original(self, env)
            except ClientError as error:
                raise _failure(env, "StatesItemReaderFailed", str(error)) from error

        return evaluate

    patches.put(item_reader_decl.ItemReader, "_eval_body", named)


def _judge_failures(patches: Patches) -> None:
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        distributed_iteration_component as iteration,
    )

    # moto counts the children that failed and goes on as if they had answered null.
    def tolerating(original: Callable[..., None]) -> Callable[..., None]:
        def map_run(self: Any, env: Any, eval_input: Any) -> None:
            original(self, env, eval_input)
            _judge(env, eval_input)

        return map_run

    patches.put(iteration.DistributedIterationComponent, "_map_run", tolerating)


def _make_executions(patches: Patches, executions: Executions) -> None:
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (  # noqa: E501
        distributed_item_processor_worker as distributed,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (  # noqa: E501
        inline_item_processor_worker as inline,
    )

    # The children of a run share one history in moto, which nobody reads.
    def reporting(original: Callable[..., None]) -> Callable[..., None]:
        def eval_job(self: Any, env: Any, job: Any) -> None:
            _listen(env, executions, Child(self._map_run_record.map_run_arn, job.job_index))
            original(self, env, job)

        return eval_job

    patches.put(distributed.DistributedItemProcessorWorker, "_eval_job", reporting)

    # A child is an execution: its context object names itself, not the parent.
    def naming(original: Callable[..., None]) -> Callable[..., None]:
        def eval_input(self: Any, env_frame: Any) -> None:
            original(self, env_frame)
            if isinstance(self, distributed.DistributedItemProcessorWorker):
                _name(env_frame.states.context_object.context_object_data, self)

        return eval_input

    patches.put(inline.InlineItemProcessorWorker, "_eval_input", naming)


def _judge(env: Any, eval_input: Any) -> None:
    """End the map where more children failed than its state tolerates."""
    counts = eval_input.map_run_record.item_counter.describe()
    failed = counts["failed"] + counts["timedOut"]
    share = eval_input.tolerated_failure_percentage / 100 * counts["total"]
    if failed > max(eval_input.tolerated_failure_count, share):
        raise _failure(env, "StatesExceedToleratedFailureThreshold", EXCEEDED)


def _failure(env: Any, kind: str, cause: str) -> Exception:
    """A failure of the map itself, which its Catch sees by the name that AWS gives it."""
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
        StatesErrorName,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType,
    )

    name = StatesErrorName(StatesErrorNameType[kind])
    details: Any = {"executionFailedEventDetails": {"error": name.error_name, "cause": cause}}
    made: Exception = FailureEventException(
        FailureEvent(
            env=env, error_name=name, event_type=HistoryEventType.ExecutionFailed,
            event_details=details,
        )
    )  # fmt: skip
    return made


def _listen(env: Any, executions: Executions, child: Child) -> None:
    """Give a child a history of its own, which the parent's observers see."""
    from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

    parent = env.states.context_object.context_object_data["Execution"]["Id"]
    env.event_manager = EventManager()
    env.event_manager.listener = partial(executions.on_child_history, parent, child)


def _name(context: dict[str, Any], worker: Any) -> None:
    execution, name = dict(context["Execution"]), str(uuid.uuid4())
    label = worker._map_run_record.map_run_arn.rpartition("/")[2].partition(":")[0]
    execution["Id"] = f"{execution['Id'].rpartition(':')[0]}/{label}:{name}"
    execution["Name"] = name
    context["Execution"] = execution
