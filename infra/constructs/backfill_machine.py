"""The backfill's machine: plan, every month by itself, and one publication of all of them."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.stages import Stages
from infra.constructs.state_machines import CONTEXT, invoke, standard_machine

# Of the ten functions at once that a new account has, the endpoint keeps most.
SIDE_BY_SIDE = 4


class BackfillMachine(Construct):
    """The state machine over the function `backfill`."""

    def __init__(self, scope: Construct, construct_id: str, *, stages: Stages) -> None:
        super().__init__(scope, construct_id)
        self._function = stages["backfill"]
        plan = self._step("PlanBackfill", CONTEXT | {"input.$": "$"}, result_path="$.plan")
        publish = self._step("PublishBackfill", CONTEXT | {"input.$": "$"})
        # CDK adds what the role needs to start, follow and redrive the children of a map.
        self.machine = standard_machine(
            self,
            plan.next(self._months()).next(publish),
            timeout=cdk.Duration.days(2),
            suffix="-backfill",
        )

    def _months(self) -> sfn.DistributedMap:
        """Each month in an execution of its own; the first that fails ends the map.

        What they come to is in the bucket, so their results stay out of the state.
        """
        months = sfn.DistributedMap(
            self,
            "BackfillMonths",
            label="Month",
            items_path="$.plan.parts",
            item_selector={
                "name.$": "$.plan.name",
                "execution.$": "$.plan.execution",
                "part.$": "$$.Map.Item.Value",
            },
            max_concurrency=SIDE_BY_SIDE,
            tolerated_failure_count=0,
            map_execution_type=sfn.StateMachineType.STANDARD,
            result_path=sfn.JsonPath.DISCARD,
        )
        return months.item_processor(self._step("BackfillMonth", CONTEXT | {"item.$": "$"}))

    def _step(self, name: str, payload: Mapping[str, Any], **task: Any) -> tasks.LambdaInvoke:
        return invoke(self, name, self._function, payload, **task)
