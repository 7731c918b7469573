"""What AWS measures and tells of itself: metrics of functions and executions, status changes."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.awslambda.function import Answer, Function
from infra.local.eventbridge.bus import Bus

SAME_TIME = timedelta(hours=1)


class AwsMetrics:
    """Publishes metrics of AWS's own namespaces, and events of Step Functions."""

    def __init__(self, *, bus: Bus, account: str, region: str, now: Callable[[], datetime]) -> None:
        self._bus, self._account, self._region, self._now = bus, account, region, now

    def invoked(self, function: Function, arn: str, answer: Answer, seconds: float) -> None:
        """Count an invocation, its error and its duration, as AWS/Lambda does."""
        resource = arn.split(":function:")[1]
        dimensions = [
            {"FunctionName": function.name},
            {"FunctionName": function.name, "Resource": resource},
            {"FunctionName": function.name, "Resource": resource,
             "ExecutedVersion": answer.version},
        ]  # fmt: skip
        values = {
            "Invocations": 1.0,
            "Errors": 1.0 if answer.error else 0.0,
            "Duration": seconds * 1000,
        }
        for name, value in values.items():
            for dimension in dimensions:
                self.publish("AWS/Lambda", name, dimension, value)

    def publish(
        self, namespace: str, name: str, dimensions: Mapping[str, str], value: float
    ) -> None:
        """Publish a metric of AWS itself, which PutMetricData does not let anybody do.

        It is stamped by the local clock, for alarms, and by the real one too where the two
        differ, for functions that ask for the last minutes by their own clock.
        """
        from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

        real = datetime.now(UTC)
        stamps = {self._now()} if abs(self._now() - real) < SAME_TIME else {self._now(), real}
        given = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        backend = cloudwatch_backends[self._account][self._region]
        for stamp in stamps:
            # moto keeps and compares times in UTC without a zone.
            naive = stamp.astimezone(UTC).replace(tzinfo=None)
            backend.metric_data.append(MetricDatum(namespace, name, value, given, naive))

    def execution_began(self, arn: str) -> None:
        """Count an execution that starts, and tell EventBridge."""
        machine = arn.rsplit(":", 1)[0].replace(":execution:", ":stateMachine:")
        self.publish("AWS/States", "ExecutionsStarted", {"StateMachineArn": machine}, 1.0)
        detail = {
            "executionArn": arn, "stateMachineArn": machine, "name": arn.rsplit(":", 1)[1],
            "status": "RUNNING", "startDate": int(datetime.now(UTC).timestamp() * 1000),
            "stopDate": None,
        }  # fmt: skip
        self._tell_status(detail)

    def execution_ended(self, execution: Any) -> None:
        """Count an execution that has ended, and tell EventBridge how."""
        metric = {
            "SUCCEEDED": "ExecutionsSucceeded",
            "FAILED": "ExecutionsFailed",
            "TIMED_OUT": "ExecutionsTimedOut",
            "ABORTED": "ExecutionsAborted",
        }[execution.status]
        machine = execution.state_machine.arn
        self.publish("AWS/States", metric, {"StateMachineArn": machine}, 1.0)
        ended = execution.status == "SUCCEEDED"
        detail = {
            "executionArn": execution.exec_arn, "stateMachineArn": machine,
            "name": execution.name, "status": execution.status,
            "startDate": int(execution.start_date.timestamp() * 1000),
            "stopDate": int(execution.stop_date.timestamp() * 1000),
            "input": execution.execution_input, "inputDetails": {"included": True},
            "output": json.dumps(execution.output) if ended else None,
            "outputDetails": {"included": True} if ended else None,
            "error": execution.error, "cause": execution.cause,
        }  # fmt: skip
        self._tell_status(detail)

    def _tell_status(self, detail: dict[str, Any]) -> None:
        event = self._bus.event(
            "aws.states", "Step Functions Execution Status Change", detail,
            [detail["executionArn"]],
        )  # fmt: skip
        self._bus.emit(event)
