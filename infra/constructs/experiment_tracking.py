"""What sends ended runs to the contract's MLflow server; a stack without one has none of it."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs import grants
from infra.constructs.stages import LONG, REGISTRY, RUNS, Packages, Row, contract_variable
from infra.constructs.storage import Storage
from noria.contracts import MlflowTracking, Problem
from noria.lifecycle.environment import Environment

TRACKER = Row(
    name="track_run", layer="serve", timeout=LONG, powers=["read_secret", "notify"],
    reads=[RUNS, REGISTRY, "models/"],
    writes=[RUNS, REGISTRY + "runs.json", REGISTRY + "tracking_lease.json"],
    knows=["problem", "topic"],
)  # fmt: skip
ENDED = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class ExperimentTracking(Construct):
    """A function that an execution's end calls: the run has ended, so that nothing waits for it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        problem: Problem,
        mlflow: MlflowTracking,
        storage: Storage,
        packages: Packages,
        environment: Environment,
        machine: sfn.StateMachine,
        change_champion: lambda_.Function,
        undelivered: sqs.IQueue,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        known = {"problem": contract_variable(problem), "topic": topic.topic_arn}
        self.function = packages.function(
            self,
            TRACKER,
            storage=storage,
            environment=environment.model_copy(update=known),
            powers={
                "read_secret": lambda: grants.secrets([mlflow.secret]),
                "notify": lambda: grants.allow(["sns:Publish"], [topic.topic_arn]),
            },
        )
        self._follow(machine, undelivered)
        self._follow_people(change_champion)

    def _follow(self, machine: sfn.StateMachine, undelivered: sqs.IQueue) -> None:
        events.Rule(
            self,
            "RunEnded",
            description="A run that has ended goes to MLflow",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ENDED, "stateMachineArn": [machine.state_machine_arn]},
            ),
            targets=[
                targets.LambdaFunction(
                    self.function,
                    dead_letter_queue=undelivered,
                    retry_attempts=10,
                    max_event_age=cdk.Duration.hours(6),
                )
            ],
        )

    def _follow_people(self, change_champion: lambda_.Function) -> None:
        """A person who lets another version serve changes the champion outside any execution."""
        known = Environment(alias="", tracker=self.function.function_name).to_variables()
        for variable, value in known.items():
            change_champion.add_environment(variable, value)
        invoke = grants.allow(["lambda:InvokeFunction"], [self.function.function_arn])
        change_champion.add_to_role_policy(invoke)
