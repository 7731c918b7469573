"""Distributed Maps as AWS runs them: children with a history of their own, and a tolerance."""

import uuid
from collections.abc import Callable
from typing import Any

from infra.local.patching import Patches

EXCEEDED = "The specified tolerated failure threshold was exceeded"


def patch(patches: Patches) -> None:
    """Put the patches on."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        distributed_iteration_component as iteration,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (  # noqa: E501
        distributed_item_processor_worker as distributed,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (  # noqa: E501
        inline_item_processor_worker as inline,
    )

    # moto counts the children that failed and goes on as if they had answered null.
    def tolerating(original: Callable[..., None]) -> Callable[..., None]:
        def map_run(self: Any, env: Any, eval_input: Any) -> None:
            original(self, env, eval_input)
            _judge(env, eval_input)

        return map_run

    patches.put(iteration.DistributedIterationComponent, "_map_run", tolerating)

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

    counts = eval_input.map_run_record.item_counter.describe()
    failed = counts["failed"] + counts["timedOut"]
    share = eval_input.tolerated_failure_percentage / 100 * counts["total"]
    if failed <= max(eval_input.tolerated_failure_count, share):
        return
    name = StatesErrorName(StatesErrorNameType.StatesExceedToleratedFailureThreshold)
    details: Any = {"executionFailedEventDetails": {"error": name.error_name, "cause": EXCEEDED}}
    raise FailureEventException(
        FailureEvent(
            env=env, error_name=name, event_type=HistoryEventType.ExecutionFailed,
            event_details=details,
        )
    )  # fmt: skip


def _name(context: dict[str, Any], worker: Any) -> None:
    execution, name = dict(context["Execution"]), str(uuid.uuid4())
    label = worker._map_run_record.map_run_arn.rpartition("/")[2].partition(":")[0]
    execution["Id"] = f"{execution['Id'].rpartition(':')[0]}/{label}:{name}"
    execution["Name"] = name
    context["Execution"] = execution
