"""Reading and stopping executions of moto's Step Functions."""

import contextlib
from typing import Any

from infra.local.stepfunctions.executions import Executions
from infra.local.stepfunctions.followed_execution import FollowedExecution
from infra.local.stepfunctions.observed_states import ENDINGS, ExecutionResult


def execution_result(followed: FollowedExecution, *, account: str, region: str) -> ExecutionResult:
    """Describe how an execution ended, or where it waits."""
    backend = _backend(account, region)
    execution = backend.describe_execution(followed.arn)
    return ExecutionResult(
        name=execution.name,
        arn=followed.arn,
        status=execution.status,
        output=execution.output if execution.status == "SUCCEEDED" else None,
        error=execution.error,
        cause=execution.cause,
        history=[dict(event) for event in backend.get_execution_history(followed.arn)["events"]],
        waiting_at=None if execution.status in ENDINGS else followed.waiting_at,
    )


def abort_all(executions: Executions, *, account: str, region: str) -> None:
    """Stop what still runs, so that no interpreter wakes up in a world that is gone."""
    from moto.core.exceptions import AWSError

    backend = _backend(account, region)
    for arn in executions.running():
        with contextlib.suppress(AWSError):
            backend.stop_execution(arn)


def _backend(account: str, region: str) -> Any:
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    return stepfunctions_parser_backends[account][region]
