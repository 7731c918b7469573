"""What observers see of an execution: its steps as they happen, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ENDINGS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class StateEvent:
    """One step of an execution, as an observer sees it.

    `data` is the state's input when it is entered and its output when it is left; `seconds` is how
    long the state took; `item` is the index of a Map's iteration, if the state ran inside one.
    """

    execution: str
    kind: Literal["entered", "exited", "failed", "waiting", "ended"]
    state: str
    at: datetime
    seconds: float | None = None
    data: Any = None
    error: str | None = None
    cause: str | None = None
    item: int | None = None


@dataclass(frozen=True)
class ExecutionResult:
    """How an execution ended, or at which state it waits for a person."""

    name: str
    arn: str
    status: str
    output: Any = None
    error: str | None = None
    cause: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    waiting_at: str | None = None


Observer = Callable[[StateEvent], None]
