"""State machine executions as they happen: every state entered and left, every ending."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ENDINGS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
# Events that say that work has gone to, or come back from, somewhere outside the interpreter.
_BEGUN = ("LambdaFunctionStarted", "TaskStarted", "WaitStateEntered")
_DONE = (
    "LambdaFunctionSucceeded", "LambdaFunctionFailed", "LambdaFunctionTimedOut", "TaskSucceeded",
    "TaskFailed", "TaskTimedOut", "WaitStateExited",
)  # fmt: skip
_FAILED = ("LambdaFunctionFailed", "LambdaFunctionTimedOut", "TaskFailed", "TaskTimedOut")


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


class Run:
    """What is known of one execution while it runs."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.events: list[StateEvent] = []
        self.changed = threading.Condition()
        self.ended = False
        self.working = 0
        self.tokens: dict[int, str] = {}  # submitted event → state that waits for its token
        self._states: dict[int, str] = {}  # event → state that it belongs to
        self._entered: dict[tuple[str, int | None], datetime] = {}
        self._items: dict[int, int] = {}

    def add(self, event: dict[str, Any]) -> None:
        """Take in one history event."""
        kind, previous = str(event["type"].value), event["previousEventId"]
        at = datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00"))
        if kind == "MapIterationStarted":
            self._items[event["id"]] = event["mapIterationStartedEventDetails"]["index"]
        elif previous in self._items and not kind.startswith("MapState"):
            self._items[event["id"]] = self._items[previous]
        entered = event.get("stateEnteredEventDetails")
        if entered:
            self._states[event["id"]] = entered["name"]
            self._entered[entered["name"], self._items.get(event["id"])] = at
        elif previous in self._states:
            self._states[event["id"]] = self._states[previous]
        with self.changed:
            self._count(kind, event, previous)
            seen = self._seen(kind, event, at)
            if seen:
                self.events.append(seen)
            self.changed.notify_all()

    def _count(self, kind: str, event: dict[str, Any], previous: int) -> None:
        if kind in _BEGUN:
            self.working += 1
        if kind == "TaskSubmitted":
            resource = event["taskSubmittedEventDetails"]["resource"]
            if resource.endswith(".waitForTaskToken"):
                self.working -= 1
                self.tokens[event["id"]] = self._name(event)
        elif kind in _DONE:
            if previous in self.tokens:
                del self.tokens[previous]
            else:
                self.working -= 1

    def _name(self, event: dict[str, Any]) -> str:
        return self._states.get(event["id"], "")

    def _seen(self, kind: str, event: dict[str, Any], at: datetime) -> StateEvent | None:
        item = self._items.get(event["id"])
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            return StateEvent(
                self.arn, "entered", details["name"], at, data=_json(details.get("input")),
                item=item,
            )  # fmt: skip
        if kind.endswith("StateExited"):
            details = event["stateExitedEventDetails"]
            begun = self._entered.get((details["name"], item))
            seconds = (at - begun).total_seconds() if begun else None
            return StateEvent(
                self.arn, "exited", details["name"], at, seconds, _json(details.get("output")),
                item=item,
            )  # fmt: skip
        if kind == "TaskSubmitted" and event["id"] in self.tokens:
            return StateEvent(self.arn, "waiting", self._name(event), at, item=item)
        if kind in _FAILED:
            details = next(iter(v for k, v in event.items() if k.endswith("EventDetails")))
            return StateEvent(
                self.arn, "failed", self._name(event), at, error=details.get("error"),
                cause=details.get("cause"), item=item,
            )  # fmt: skip
        return None

    def end(self, event: StateEvent) -> None:
        """Note that nothing more will come."""
        with self.changed:
            self.ended = True
            self.events.append(event)
            self.changed.notify_all()

    @property
    def waiting_at(self) -> str | None:
        """The state that waits for a task token while nothing else goes on."""
        return next(iter(self.tokens.values())) if self.tokens and self.working <= 0 else None


def _json(text: str | None) -> Any:
    return json.loads(text) if text else None


class Machines:
    """Every execution of the cloud; fed by the interpreter, read by whoever waits."""

    def __init__(self, on_end: Callable[[Any], None], on_start: Callable[[str], None]) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._on_end, self._on_start = on_end, on_start

    def run(self, arn: str) -> Run:
        """Find an execution, or begin to follow it."""
        with self._lock:
            return self._runs.setdefault(arn, Run(arn))

    def running(self) -> list[str]:
        """List the executions that have not ended."""
        with self._lock:
            return [arn for arn, run in self._runs.items() if not run.ended]

    def on_history(self, arn: str, event: Mapping[str, Any]) -> None:
        """Take in a history event from the interpreter."""
        self.run(arn).add(dict(event))
        if event["type"].value == "ExecutionStarted":
            self._on_start(arn)

    def on_end(self, execution: Any) -> None:
        """Take in the end of an execution; its events go out before waiters hear of it."""
        self._on_end(execution)
        self.run(execution.exec_arn).end(
            StateEvent(
                execution.exec_arn,
                "ended",
                "",
                execution.stop_date,
                None,
                execution.output,
                execution.error,
                execution.cause,
            )
        )

    def follow(self, arn: str, timeout: float, observer: Observer | None) -> Run:
        """Hand events to the observer, in this thread, until the execution ends or waits.

        Raises TimeoutError when neither has happened after `timeout` seconds.
        """
        run, position, deadline = self.run(arn), 0, time.monotonic() + timeout
        while True:
            with run.changed:
                run.changed.wait_for(
                    lambda: len(run.events) > position or run.ended or run.waiting_at is not None,  # noqa: B023
                    max(0.0, deadline - time.monotonic()),
                )
                fresh, done = run.events[position:], run.ended or run.waiting_at is not None
            position += len(fresh)
            for event in fresh if observer else ():
                observer(event)  # type: ignore[misc]
            if done and position == len(run.events):
                return run
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{arn} was still running after {timeout} seconds")
