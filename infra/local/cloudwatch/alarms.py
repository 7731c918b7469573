"""The alarms of the account: judged when the clock is set, and acting on their transitions."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.local.cloudwatch.alarm_evaluation import encode, judge
from infra.local.cloudwatch.alarm_events import configuration, notification
from infra.local.eventbridge.bus import Bus, Clients


@dataclass(frozen=True)
class AlarmChange:
    """An alarm that went from one state to another."""

    name: str
    old: str
    new: str
    reason: str


class Alarms:
    """Every alarm that moto's CloudWatch holds."""

    def __init__(
        self, *, clients: Clients, bus: Bus, account: str, region: str,
        now: Callable[[], datetime], invoke_async: Callable[[str, bytes], None],
    ) -> None:  # fmt: skip
        self._aws, self._bus, self._account, self._region = clients, bus, account, region
        self._now, self._invoke_async = now, invoke_async
        self.changes: list[AlarmChange] = []

    def judge_all(self) -> None:
        """Evaluate every alarm; those whose state changes act."""
        from moto.cloudwatch.models import cloudwatch_backends

        backend = cloudwatch_backends[self._account][self._region]
        for alarm in list(backend.alarms.values()):
            judgement = judge(alarm, backend.metric_data, self._now())
            if judgement is None or judgement.state == alarm.state_value:
                continue
            before = self.snapshot(alarm)
            alarm.update_state(judgement.reason, encode(judgement.data), judgement.state)
            self.on_transition(alarm, before)

    def snapshot(self, alarm: Any) -> dict[str, Any]:
        """Describe an alarm's state as events do."""
        return {
            "value": alarm.state_value,
            "reason": alarm.state_reason,
            "reasonData": alarm.state_reason_data,
            "timestamp": self._now().strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        }

    def on_transition(self, alarm: Any, before: dict[str, Any]) -> None:
        """Tell EventBridge and the alarm's actions that its state has changed."""
        after = self.snapshot(alarm)
        self.changes.append(
            AlarmChange(alarm.name, before["value"], after["value"], after["reason"])
        )
        detail = {
            "alarmName": alarm.name,
            "state": after,
            "previousState": before,
            "configuration": configuration(alarm),
        }
        self._bus.emit(
            self._bus.event(
                "aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm.alarm_arn]
            )
        )
        if alarm.actions_enabled:
            self._act(alarm, before, after)

    def _act(self, alarm: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
        actions = {
            "ALARM": alarm.alarm_actions,
            "OK": alarm.ok_actions,
            "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
        }
        message = json.dumps(notification(alarm, before, after, self._account))
        for arn in actions[after["value"]] or ():
            if ":sns:" in arn:
                self._aws("sns").publish(
                    TopicArn=arn,
                    Subject=f'{after["value"]}: "{alarm.name}" in {self._region}'[:100],
                    Message=message,
                )
            elif ":lambda:" in arn:
                self._invoke_async(arn, message.encode())
            else:
                raise ValueError(f"the local cloud cannot run alarm action {arn} of {alarm.name}")
