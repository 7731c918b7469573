"""What a run costs, by its history: Step Functions' transitions and Lambda's gigabyte-seconds.

Prices are AWS's public ones of November 2026 for US East (N. Virginia), arm64, without the free
tier: aws.amazon.com/step-functions/pricing and aws.amazon.com/lambda/pricing. A function counts
from when it was scheduled to its answer, a little more than what is billed. S3, logs, the trials
of a Distributed Map (executions of their own) and the endpoint are not in it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TRANSITION = 0.025 / 1000  # dollars
GIGABYTE_SECOND = 0.0000133334
REQUEST = 0.20 / 1_000_000
MEGABYTES = 1024  # in a gigabyte
SCHEDULED = ("LambdaFunctionScheduled", "TaskScheduled")
ANSWERED = ("LambdaFunctionSucceeded", "LambdaFunctionFailed", "LambdaFunctionTimedOut")
Event = Mapping[str, Any]


@dataclass(frozen=True)
class RunCost:
    """A run's transitions, invocations and gigabyte-seconds."""

    transitions: int = 0
    invocations: int = 0
    gigabyte_seconds: float = 0.0

    @property
    def dollars(self) -> float:
        """What they cost, in US dollars."""
        return (
            self.transitions * TRANSITION
            + self.invocations * REQUEST
            + self.gigabyte_seconds * GIGABYTE_SECOND
        )

    @property
    def told(self) -> str:
        """The cost for people."""
        if not self.transitions:
            return ""
        return f"${self.dollars:.4f}" if self.dollars < 0.1 else f"${self.dollars:.2f}"


def cost_of(events: Iterable[Event], memory_of: Callable[[str], int]) -> RunCost:
    """Add up a history; `memory_of` a function's ARN is in MB.

    Each state that is entered is a transition, and each further try of a task is one more.
    """
    known = {int(event["id"]): event for event in events}
    kinds = [str(event["type"]) for event in known.values()]
    entered = sum(kind.endswith("StateEntered") for kind in kinds)
    scheduled = sum(kind in SCHEDULED for kind in kinds)
    tries = max(0, scheduled - kinds.count("TaskStateEntered"))
    used = [_used(event, known, memory_of) for event in known.values() if event["type"] in ANSWERED]
    return RunCost(entered + tries, scheduled, sum(used))


def _used(event: Event, known: Mapping[int, Event], memory_of: Callable[[str], int]) -> float:
    """The gigabyte-seconds of one invocation, found from its answer back to its scheduling."""
    earlier: Event | None = event
    while earlier is not None and earlier["type"] != SCHEDULED[0]:
        earlier = known.get(int(earlier.get("previousEventId", 0)))
    if earlier is None:
        return 0.0
    function = str(earlier["lambdaFunctionScheduledEventDetails"]["resource"])
    seconds = (event["timestamp"] - earlier["timestamp"]).total_seconds()
    return float(seconds * memory_of(function) / MEGABYTES)
