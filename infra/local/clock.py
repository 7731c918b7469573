"""The local clock: schedules fire, alarms are judged, and what follows from both happens."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.local.cloudwatch.alarm_evaluation import encode, judge
from infra.local.eventbridge.bus import Bus, Failure

Clients = Callable[[str], Any]


@dataclass(frozen=True)
class AlarmChange:
    """An alarm that went from one state to another."""

    name: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True)
class Tick:
    """What one moment brought: alarms that changed, executions begun, deliveries that failed."""

    alarms: list[AlarmChange] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


class Watch:
    """Schedules and alarms of the account, driven by `tick`."""

    def __init__(
        self, *, clients: Clients, bus: Bus, account: str, region: str,
        now: Callable[[], datetime], invoke_later: Callable[[str, bytes], None],
        settle: Callable[[], list[Failure]],
    ) -> None:  # fmt: skip
        self._aws, self._bus, self._account, self._region = clients, bus, account, region
        self._now, self._invoke_later, self._settle = now, invoke_later, settle
        self._changes: list[AlarmChange] = []

    def tick(self, rule: str | None) -> Tick:
        """Fire schedules (all, or the named rule), wait for them, then judge every alarm."""
        begun, failed = len(self._bus.started), len(self._bus.failures)
        changed = len(self._changes)
        self._fire_rules(rule)
        if rule is None:
            self._fire_schedules()
        failures = self._settle()
        self._judge_alarms()
        failures += self._settle()
        return Tick(
            self._changes[changed:],
            self._bus.started[begun:],
            [*self._bus.failures[failed:], *failures],
        )

    # -- schedules -----------------------------------------------------------------------------

    def _fire_rules(self, name: str | None) -> None:
        scheduled = [rule for rule in self._bus.rules() if rule.scheduled_expression]
        if name and name not in {rule.name for rule in scheduled}:
            known = ", ".join(sorted(rule.name for rule in scheduled)) or "none"
            raise ValueError(f"no enabled scheduled rule is named {name!r}; there is: {known}")
        for rule in scheduled:
            if name in (None, rule.name):
                event = self._bus.event("aws.events", "Scheduled Event", {}, [rule.arn])
                self._bus.deliver(rule, event)

    def _fire_schedules(self) -> None:
        scheduler = self._aws("scheduler")
        for listed in scheduler.list_schedules()["Schedules"]:
            schedule = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
            if schedule.get("State", "ENABLED") == "ENABLED":
                self._fire(schedule["Target"], schedule["Arn"])

    def _fire(self, target: dict[str, Any], arn: str) -> None:
        moment = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = target.get("Input", "{}").replace("<aws.scheduler.scheduled-time>", moment)
        text = text.replace("<aws.scheduler.schedule-arn>", arn)
        if ":lambda:" in target["Arn"]:
            self._invoke_later(target["Arn"], text.encode())
        elif ":states:" in target["Arn"]:
            answer = self._aws("stepfunctions").start_execution(
                stateMachineArn=target["Arn"], input=text
            )
            self._bus.started.append(answer["executionArn"])
        else:
            raise ValueError(f"the local cloud cannot fire a schedule at {target['Arn']}")

    # -- alarms --------------------------------------------------------------------------------

    def _judge_alarms(self) -> None:
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
        self._changes.append(
            AlarmChange(alarm.name, before["value"], after["value"], after["reason"])
        )
        detail = {
            "alarmName": alarm.name,
            "state": after,
            "previousState": before,
            "configuration": _configuration(alarm),
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
        message = json.dumps(_notification(alarm, before, after, self._account))
        for arn in actions[after["value"]] or ():
            if ":sns:" in arn:
                self._aws("sns").publish(
                    TopicArn=arn,
                    Subject=f'{after["value"]}: "{alarm.name}" in {self._region}'[:100],
                    Message=message,
                )
            elif ":lambda:" in arn:
                self._invoke_later(arn, message.encode())
            else:
                raise ValueError(f"the local cloud cannot run alarm action {arn} of {alarm.name}")


def _configuration(alarm: Any) -> dict[str, Any]:
    metric = {
        "namespace": alarm.namespace,
        "name": alarm.metric_name,
        "dimensions": {d.name: d.value for d in alarm.dimensions},
    }
    stat = {
        "metric": metric,
        "period": int(alarm.period),
        "stat": alarm.statistic or alarm.extended_statistic,
    }
    return {
        "description": alarm.description,
        "metrics": [{"id": alarm.name[:36].lower(), "metricStat": stat, "returnData": True}],
    }


def _notification(
    alarm: Any, before: dict[str, Any], after: dict[str, Any], account: str
) -> dict[str, Any]:
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmArn": alarm.alarm_arn,
        "NewStateValue": after["value"],
        "NewStateReason": after["reason"],
        "StateChangeTime": after["timestamp"],
        "Region": alarm.region_name,
        "OldStateValue": before["value"],
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": alarm.statistic or alarm.extended_statistic,
            "Dimensions": [{"name": d.name, "value": d.value} for d in alarm.dimensions],
            "Period": int(alarm.period),
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": float(alarm.threshold),
            "TreatMissingData": alarm.treat_missing_data or "missing",
        },
    }
