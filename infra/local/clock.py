"""The local clock: setting it fires schedules, then judges alarms."""

from collections.abc import Callable
from dataclasses import dataclass, field

from infra.local.cloudwatch.alarms import AlarmChange, Alarms
from infra.local.errors import FailedDelivery
from infra.local.eventbridge.bus import Bus
from infra.local.eventbridge.schedules import Schedules


@dataclass(frozen=True)
class Tick:
    """What one moment brought: alarms that changed, executions begun, deliveries that failed."""

    alarms: list[AlarmChange] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    failures: list[FailedDelivery] = field(default_factory=list)


def tick(
    rule: str | None, *, bus: Bus, schedules: Schedules, alarms: Alarms,
    settle: Callable[[], list[FailedDelivery]],
) -> Tick:  # fmt: skip
    """Fire schedules (all, or the named rule), wait for them, then judge every alarm."""
    begun, failed, changed = len(bus.started), len(bus.failures), len(alarms.changes)
    schedules.fire(rule)
    failures = settle()
    alarms.judge_all()
    failures += settle()
    return Tick(alarms.changes[changed:], bus.started[begun:], [*bus.failures[failed:], *failures])
