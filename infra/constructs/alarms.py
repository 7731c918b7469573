"""The alarms: what tells people, and what starts the next training run."""

from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.endpoint_alarms import Watched, endpoint_alarms
from infra.constructs.retraining_triggers import AT_LEAST, Trigger, triggers_of
from infra.constructs.serving import Serving
from noria.contracts import Problem
from noria.lifecycle.environment import FEATURES_ONLY

LONGEST_PERIOD = timedelta(days=7)  # CloudWatch evaluates no longer period


class AlertTopic(Construct):
    """The topic that tells people."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        # No KMS: alarms cannot publish under AWS's own key, and a key of ours costs while idle.
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        # The policy that enforces TLS replaces the default one, which let alarms publish.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )


class StackAlarms(Construct):
    """The monitor's schedule, the alarms, and the rules that they set off."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        problem: Problem,
        namespace: str,
        machine: sfn.StateMachine,
        batch: sfn.StateMachine,
        monitor: lambda_.Function,
        record_failure: lambda_.Function,
        serving: Serving,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.monitor = monitor
        self._notify = actions.SnsAction(topic)
        self.undelivered = self._queue()
        self._schedule_monitor(monitor, problem.monitoring.every)
        if problem.features.windows:
            self._refresh_features(machine, problem.feature_refresh)
        self._retrain_on_alarms(problem, namespace, machine)
        self._record_uncaught_failures(machine, record_failure)
        self._alarm_people(machine, batch, serving, namespace)

    def _schedule_monitor(self, monitor: lambda_.Function, every: timedelta) -> None:
        target = targets.LambdaFunction(
            monitor, dead_letter_queue=self.undelivered, retry_attempts=3
        )
        self._schedule(every, "MonitorSchedule", "Compare live use with training", target)

    def _refresh_features(self, machine: sfn.StateMachine, every: timedelta) -> None:
        """The history that the endpoint looks up is kept as young as training believes it to be."""
        given = {
            "only": FEATURES_ONLY,
            "cause": {"kind": "schedule"},
            "as_of": events.EventField.time,
        }
        target = targets.SfnStateMachine(
            machine,
            input=events.RuleTargetInput.from_object(given),
            dead_letter_queue=self.undelivered,
            retry_attempts=3,
        )
        self._schedule(every, "RefreshFeatures", "Bring the feature store up to date", target)

    def _schedule(
        self, every: timedelta, name: str, description: str, target: events.IRuleTarget
    ) -> None:
        minutes = cdk.Duration.minutes(every.total_seconds() // 60)
        schedule = events.Schedule.rate(minutes)
        events.Rule(self, name, description=description, schedule=schedule, targets=[target])

    def _retrain_on_alarms(
        self, problem: Problem, namespace: str, machine: sfn.StateMachine
    ) -> None:
        """Alarm → rule → execution, with the cause as its input. Admit is the governor."""
        period = min(problem.monitoring.every, LONGEST_PERIOD)
        alarms = [
            self._trigger_alarm(name, trigger, namespace, period)
            for name, trigger in triggers_of(problem).items()
        ]
        if not alarms:
            return
        cause = {
            "kind": "alarm",
            "alarm": events.EventField.from_path("$.detail.alarmName"),
            "reason": events.EventField.from_path("$.detail.state.reason"),
        }
        events.Rule(
            self,
            "Retrain",
            description="An alarm on live use starts a training run",
            event_pattern=events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                resources=[alarm.alarm_arn for alarm in alarms],
                detail={"state": {"value": ["ALARM"]}},
            ),
            targets=[
                targets.SfnStateMachine(
                    machine,
                    input=events.RuleTargetInput.from_object(
                        {"cause": cause, "as_of": events.EventField.time}
                    ),
                    dead_letter_queue=self.undelivered,
                    retry_attempts=10,
                    max_event_age=cdk.Duration.hours(6),
                )
            ],
        )

    def _trigger_alarm(
        self, name: str, trigger: Trigger, namespace: str, period: timedelta
    ) -> cloudwatch.Alarm:
        metric = cloudwatch.Metric(
            namespace=namespace,
            metric_name=trigger.metric,
            statistic=trigger.statistic,
            period=cdk.Duration.seconds(period.total_seconds()),
        )
        return self._alarm(
            f"{name.title().replace('_', '')}Alarm",
            metric,
            trigger.threshold,
            trigger.comparison,
            f"{trigger.metric} asks for another training run",
        )

    def _record_uncaught_failures(
        self, machine: sfn.StateMachine, record_failure: lambda_.Function
    ) -> None:
        """Time-outs, stops and errors of the machine itself are caught by none of its states."""
        events.Rule(
            self,
            "UncaughtFailure",
            description="Record what the machine could not record itself",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [machine.state_machine_arn],
                },
            ),
            targets=[
                targets.LambdaFunction(
                    record_failure, dead_letter_queue=self.undelivered, retry_attempts=10
                )
            ],
        )

    def _alarm_people(
        self, machine: sfn.StateMachine, batch: sfn.StateMachine, serving: Serving, namespace: str
    ) -> None:
        five = cdk.Duration.minutes(5)
        watched: Watched = {
            "MachineFailed": (machine.metric_failed(period=five), 1, "A run failed"),
            "MachineTimedOut": (machine.metric_timed_out(period=five), 1, "A run took too long"),
            "BatchFailed": (batch.metric_failed(period=five), 1, "A batch of predictions failed"),
            "UndeliveredEvents": (
                self.undelivered.metric_approximate_number_of_messages_visible(period=five),
                1,
                "An event did not reach the machine or a function: see the dead-letter queue",
            ),
            **endpoint_alarms(serving, namespace, five),
        }
        for name, (metric, threshold, meaning) in watched.items():
            self._alarm(name, metric, threshold, AT_LEAST, meaning)

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        comparison: cloudwatch.ComparisonOperator,
        meaning: str,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=meaning,
        )
        alarm.add_alarm_action(self._notify)
        return alarm

    def _queue(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
