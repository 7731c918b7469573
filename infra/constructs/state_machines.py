"""What the state machines have in common: how they call functions, and where they log."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.stages import RETENTION

# Lambda's own failures, worth another try; ours (NoriaError) would only fail again.
TRANSIENT = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.SnapStartException",
    "Lambda.SnapStartNotReadyException",
    "Lambda.SnapStartTimeoutException",
]

# What every function is told, beside its own input.
CONTEXT = {
    "state.$": "$$.State.Name",
    "execution.$": "$$.Execution.Name",
    "started_at.$": "$$.Execution.StartTime",
}


def standard_machine(
    scope: Construct, definition: sfn.IChainable, *, timeout: cdk.Duration, suffix: str = ""
) -> sfn.StateMachine:
    """A Standard machine that logs its errors; `suffix` tells its log from others of the stack."""
    return sfn.StateMachine(
        scope,
        "Machine",
        definition_body=sfn.DefinitionBody.from_chainable(definition),
        state_machine_type=sfn.StateMachineType.STANDARD,
        timeout=timeout,
        tracing_enabled=True,
        logs=sfn.LogOptions(
            destination=_log_group(scope, suffix),
            level=sfn.LogLevel.ERROR,
            include_execution_data=True,
        ),
    )


def invoke(
    scope: Construct,
    name: str,
    function: lambda_.Function,
    payload: Mapping[str, Any],
    **task: Any,
) -> tasks.LambdaInvoke:
    """A state that calls a function and takes its answer as it is."""
    return retrying(
        tasks.LambdaInvoke(
            scope,
            name,
            lambda_function=function,
            payload=payload_of(payload),
            payload_response_only=True,
            task_timeout=sfn.Timeout.duration(_longer_than(function)),
            retry_on_service_exceptions=False,
            **task,
        )
    )


def retrying(task: tasks.LambdaInvoke) -> tasks.LambdaInvoke:
    """A call that is tried again where Lambda itself failed."""
    task.add_retry(
        errors=TRANSIENT,
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        max_delay=cdk.Duration.seconds(60),
        jitter_strategy=sfn.JitterType.FULL,
    )
    return task


def payload_of(fields: Mapping[str, Any]) -> sfn.TaskInput:
    """CDK writes `name.$` itself for values that are paths."""
    return sfn.TaskInput.from_object(
        {name.removesuffix(".$"): sfn.JsonPath.string_at(path) for name, path in fields.items()}
    )


def _longer_than(function: lambda_.Function) -> cdk.Duration:
    """So that a function's own time limit comes first, with a cause that says so."""
    limit = function.timeout.to_seconds() if function.timeout else 900
    return cdk.Duration.seconds(limit + 60)


def _log_group(scope: Construct, suffix: str) -> logs.LogGroup:
    # Names under this prefix do not count against the size of CloudWatch's resource policy.
    return logs.LogGroup(
        scope,
        "Logs",
        log_group_name=f"/aws/vendedlogs/states/{cdk.Stack.of(scope).stack_name}{suffix}",
        retention=RETENTION,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
