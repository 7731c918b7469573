"""EventBridge for real: events to rules, inputs to targets, failures to dead-letter queues."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.errors import FailedDelivery
from infra.local.eventbridge.target_input import target_input

Clients = Callable[[str], Any]


def iso(moment: datetime) -> str:
    """Write a time as events carry it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Bus:
    """Delivers events to the targets of the rules that moto's EventBridge holds."""

    def __init__(
        self, *, clients: Clients, account: str, region: str, now: Callable[[], datetime],
        invoke_async: Callable[[str, bytes], None],
    ) -> None:  # fmt: skip
        self._aws, self._account, self._region = clients, account, region
        self._now, self._invoke_async = now, invoke_async
        self.started: list[str] = []
        self.failures: list[FailedDelivery] = []

    # -- events in -----------------------------------------------------------------------------

    def event(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: list[str]
    ) -> dict[str, Any]:
        """Make an event of this account, at the local clock's time."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self._account,
            "time": iso(self._now()),
            "region": self._region,
            "resources": resources,
            "detail": dict(detail),
        }

    def rules(self) -> list[Any]:
        """List the enabled rules of every bus."""
        from moto.events.models import events_backends

        buses = events_backends[self._account][self._region].event_buses.values()
        return [rule for bus in buses for rule in bus.rules.values() if rule.state == "ENABLED"]

    def emit(self, event: dict[str, Any]) -> None:
        """Deliver an event of an AWS service to the rules of the default bus that match it."""
        for rule in self.rules():
            pattern = rule.event_pattern
            scheduled = not pattern.get_pattern()  # not a pattern that matches everything
            if rule.event_bus_name == "default" and not scheduled and pattern.matches_event(event):
                self.deliver(rule, event)

    def deliver(self, rule: Any, event: Mapping[str, Any]) -> None:
        """Send an event to all targets of a rule."""
        given = _normalised(event)
        for target in list(rule.targets):
            try:
                payload = target_input(target, given, rule)
                self._send(rule, target, given, payload)
            except (ClientError, BotoCoreError, ValueError, KeyError) as error:
                self._dead_letter(rule, target, given, error)

    # -- targets -------------------------------------------------------------------------------

    def _send(self, rule: Any, target: Any, event: Mapping[str, Any], payload: str) -> None:
        arn: str = target["Arn"]
        service = arn.split(":")[2]
        send = getattr(self, f"_to_{service}", None)
        if send is None:
            raise ValueError(f"the local cloud cannot deliver events to {service}")
        send(rule, target, event, payload)

    def _to_states(self, rule: Any, target: Any, event: Mapping[str, Any], payload: str) -> None:
        # EventBridge names the execution by event and rule, so that a repeated delivery of one
        # event starts one execution.
        mark = hashlib.sha256(f"{rule.arn}{target['Id']}".encode()).hexdigest()[:32]
        answer = self._aws("stepfunctions").start_execution(
            stateMachineArn=target["Arn"], name=f"{event['id']}_{mark}", input=payload
        )
        self.started.append(answer["executionArn"])

    def _to_lambda(self, _: Any, target: Any, __: Mapping[str, Any], payload: str) -> None:
        self._invoke_async(target["Arn"], payload.encode())

    def _to_sns(self, _: Any, target: Any, __: Mapping[str, Any], payload: str) -> None:
        self._aws("sns").publish(TopicArn=target["Arn"], Message=payload)

    def _to_sqs(self, _: Any, target: Any, __: Mapping[str, Any], payload: str) -> None:
        group = target.get("SqsParameters", {}).get("MessageGroupId")
        extra = {"MessageGroupId": group} if group else {}
        self._aws("sqs").send_message(
            QueueUrl=self._queue_url(target["Arn"]), MessageBody=payload, **extra
        )

    def _to_firehose(self, _: Any, target: Any, __: Mapping[str, Any], payload: str) -> None:
        stream = target["Arn"].rsplit("/", 1)[1]
        self._aws("firehose").put_record(
            DeliveryStreamName=stream, Record={"Data": payload.encode()}
        )

    def _to_logs(self, _: Any, target: Any, event: Mapping[str, Any], payload: str) -> None:
        logs, group = self._aws("logs"), target["Arn"].split(":log-group:")[1].removesuffix(":*")
        logs.create_log_stream(logGroupName=group, logStreamName=event["id"])
        logs.put_log_events(
            logGroupName=group, logStreamName=event["id"],
            logEvents=[{"timestamp": int(self._now().timestamp() * 1000), "message": payload}],
        )  # fmt: skip

    def _to_events(self, _: Any, target: Any, event: Mapping[str, Any], __: str) -> None:
        entry = {
            "Source": event["source"], "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]), "EventBusName": target["Arn"],
        }  # fmt: skip
        self._aws("events").put_events(Entries=[entry])

    def _queue_url(self, arn: str) -> str:
        url: str = self._aws("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        return url

    def _dead_letter(
        self, rule: Any, target: Any, event: Mapping[str, Any], error: Exception
    ) -> None:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "INTERNAL"
        self.failures.append(FailedDelivery(target["Arn"], code, str(error)))
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        values = {
            "RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"], "ERROR_CODE": code,
            "ERROR_MESSAGE": str(error)[:1024],
        }  # fmt: skip
        self._aws("sqs").send_message(
            QueueUrl=self._queue_url(queue), MessageBody=json.dumps(event),
            MessageAttributes={
                key: {"DataType": "String", "StringValue": value} for key, value in values.items()
            },
        )  # fmt: skip


def _normalised(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give a moto event its documented shape: the time as text, no internal fields."""
    moment = event["time"]
    if isinstance(moment, str) and re.fullmatch(r"\d+(\.\d+)?", moment):
        moment = float(moment)
    if isinstance(moment, int | float):
        moment = iso(datetime.fromtimestamp(moment, UTC))
    return {k: v for k, v in event.items() if k != "ingestion-time"} | {"time": moment}
