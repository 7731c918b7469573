"""What the state machines have in common: how they call functions, and where they log."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.stages import RETENTION, Stages

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

PATIENCE = cdk.Duration.days(30)  # for a person's answer
SIDE_BY_SIDE = 4

Target = sfn.IChainable

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


class StateKinds(Construct):
    """The kinds of states that a machine over the stages has."""

    def __init__(self, scope: Construct, construct_id: str, *, stages: Stages) -> None:
        super().__init__(scope, construct_id)
        self._stages = stages

    def _task(self, name: str, handler: str, *, result: str) -> tasks.LambdaInvoke:
        """A stage: its answer is stored at `result` of the state."""
        return self._invoke(name, handler, result_path=result)

    def _ending(self, name: str, handler: str = "conclude") -> tasks.LambdaInvoke:
        """Where the machine ends as it is meant to: the reason is recorded, the lease released."""
        return self._invoke(name, handler)

    def _each(self, name: str, handler: str, items: str, result: str) -> sfn.Map:
        """The same stage for each item, side by side."""
        stage = sfn.Map(
            self,
            name,
            items_path=items,
            item_selector={
                "state.$": "$$.State.Name",
                "item.$": "$$.Map.Item.Value",
                "input.$": "$",
            },
            max_concurrency=SIDE_BY_SIDE,
            result_path=result,
        )
        payload = CONTEXT | {"state.$": "$.state", "item.$": "$.item", "input.$": "$.input"}
        return stage.item_processor(self._invoke(f"{name}Item", handler, payload=payload))

    def _ask(self, name: str, *, result: str) -> tasks.LambdaInvoke:
        """A question to a person: the machine waits for the answer that comes with the token."""
        return retrying(
            tasks.LambdaInvoke(
                self,
                name,
                lambda_function=self._stages["ask"],
                integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
                payload=payload_of(CONTEXT | {"token.$": "$$.Task.Token", "input.$": "$"}),
                task_timeout=sfn.Timeout.duration(PATIENCE),
                result_path=result,
                retry_on_service_exceptions=False,
            )
        )

    def _wait(self, name: str, seconds: str) -> sfn.Wait:
        return sfn.Wait(self, name, time=sfn.WaitTime.seconds_path(seconds))

    def _choice(
        self, name: str, field: str, ways: Mapping[str | bool, Target], otherwise: Target
    ) -> sfn.Choice:
        choice = sfn.Choice(self, name)
        for value, target in ways.items():
            choice.when(_equals(field, value), target)
        return choice.otherwise(otherwise)

    def _answered(
        self, name: str, field: str, ways: Mapping[str, Target], ask_again: Target
    ) -> sfn.Choice:
        """A person's decision; whatever is none, or is no decision at all, is asked for again."""
        choice = sfn.Choice(self, name)
        for value, target in ways.items():
            given = sfn.Condition.is_present(field)
            choice.when(sfn.Condition.and_(given, _equals(field, value)), target)
        return choice.otherwise(ask_again)

    def _invoke(
        self, name: str, handler: str, *, payload: Mapping[str, Any] | None = None, **task: Any
    ) -> tasks.LambdaInvoke:
        told = payload or CONTEXT | {"input.$": "$"}
        return invoke(self, name, self._stages[handler], told, **task)


def _equals(field: str, value: str | bool) -> sfn.Condition:
    if isinstance(value, bool):
        return sfn.Condition.boolean_equals(field, value)
    return sfn.Condition.string_equals(field, value)
