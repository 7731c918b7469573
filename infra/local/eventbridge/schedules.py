"""Scheduled rules, and the schedules of EventBridge Scheduler, fired when the clock is set."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from infra.local.eventbridge.bus import Bus, Clients, iso


class Schedules:
    """The schedules of the account."""

    def __init__(
        self, *, clients: Clients, bus: Bus, now: Callable[[], datetime],
        invoke_async: Callable[[str, bytes], None],
    ) -> None:  # fmt: skip
        self._aws, self._bus, self._now, self._invoke_async = clients, bus, now, invoke_async

    def fire(self, rule: str | None) -> None:
        """Fire every schedule, or only the rule of this name."""
        self._fire_rules(rule)
        if rule is None:
            self._fire_schedules()

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
        moment = iso(self._now())
        text = target.get("Input", "{}").replace("<aws.scheduler.scheduled-time>", moment)
        text = text.replace("<aws.scheduler.schedule-arn>", arn)
        if ":lambda:" in target["Arn"]:
            self._invoke_async(target["Arn"], text.encode())
        elif ":states:" in target["Arn"]:
            answer = self._aws("stepfunctions").start_execution(
                stateMachineArn=target["Arn"], input=text
            )
            self._bus.started.append(answer["executionArn"])
        else:
            raise ValueError(f"the local cloud cannot fire a schedule at {target['Arn']}")
