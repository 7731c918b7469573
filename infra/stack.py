"""One stack per contract: the wiring diagram of a problem's whole lifecycle."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from infra.constructs.alarms import AlertTopic, StackAlarms
from infra.constructs.backfill_machine import BackfillMachine
from infra.constructs.batch_machine import BatchMachine
from infra.constructs.champion_keeper import let_mend
from infra.constructs.experiment_tracking import ExperimentTracking
from infra.constructs.serving import Serving
from infra.constructs.stages import Packages, Stages
from infra.constructs.storage import Storage
from infra.lifecycle import STAGES, Lifecycle
from infra.packaging.assets import Asset, code_version
from noria.contracts import Problem
from noria.lifecycle.environment import Environment


class ProblemStack(cdk.Stack):
    """Everything that one contract needs; the contract's name is the stack's."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        problem: Problem,
        layers: Mapping[str, Asset],
        code: Asset,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, description=_one_line(problem), **stack)
        cdk.Tags.of(self).add("noria:problem", problem.name)

        storage = Storage(self, "Store", problem=problem)
        alerts = AlertTopic(self, "Alerts")
        packages = Packages(self, "Packages", layers=layers, code=code)
        environment = Environment(
            stack=self.stack_name,
            stack_id=cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID)),
            bucket=storage.bucket.bucket_name,
            database=storage.database_name,
            namespace=f"Noria/{self.stack_name}",
            code_version=code_version(),
        )
        serving = Serving(
            self,
            "Serving",
            problem=problem,
            storage=storage,
            packages=packages,
            environment=environment,
        )
        stages = Stages(
            self,
            "Stages",
            rows=STAGES,
            problem=problem,
            storage=storage,
            packages=packages,
            environment=environment,
            endpoint=serving.function,
            topic=alerts.topic,
        )
        let_mend(stages["monitor"], stages["change_champion"])
        lifecycle = Lifecycle(self, "Lifecycle", stages=stages, storage=storage)
        backfill = BackfillMachine(self, "Backfill", stages=stages)
        batch = BatchMachine(self, "Batch", stages=stages, storage=storage)
        alarms = StackAlarms(
            self,
            "Watch",
            problem=problem,
            namespace=environment.namespace,
            machine=lifecycle.machine,
            batch=batch.machine,
            monitor=stages["monitor"],
            record_failure=stages["record_failure"],
            serving=serving,
            topic=alerts.topic,
        )
        if problem.mlflow is not None:
            tracking = ExperimentTracking(
                self,
                "Tracking",
                problem=problem,
                mlflow=problem.mlflow,
                storage=storage,
                packages=packages,
                environment=environment,
                machine=lifecycle.machine,
                change_champion=stages["change_champion"],
                undelivered=alarms.undelivered,
                topic=alerts.topic,
            )
            self._outputs(TrackingFunctionName=tracking.function.function_name)

        self._outputs(
            BucketName=storage.bucket.bucket_name,
            DatabaseName=storage.database_name,
            StateMachineArn=lifecycle.machine.state_machine_arn,
            BackfillMachineArn=backfill.machine.state_machine_arn,
            BackfillFunctionName=stages["backfill"].function_name,
            BatchMachineArn=batch.machine.state_machine_arn,
            EndpointUrl=serving.url,
            EndpointFunctionName=serving.function.function_name,
            ApiId=serving.api.api_id,
            ChampionFunctionName=stages["change_champion"].function_name,
            MonitorFunctionName=alarms.monitor.function_name,
            TopicArn=alerts.topic.topic_arn,
        )

    def _outputs(self, **values: str) -> None:
        for name, value in values.items():
            cdk.CfnOutput(self, name, value=value)


def _one_line(problem: Problem) -> str:
    """The statement, as CloudFormation wants a description: one line of at most 1024 bytes."""
    line = " ".join(problem.statement.split()).encode()[:1000]
    return line.decode(errors="ignore")
