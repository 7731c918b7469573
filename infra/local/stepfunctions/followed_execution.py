"""One execution while it runs, put together from its history events."""

import json
import threading
from datetime import datetime
from typing import Any, NamedTuple

from infra.local.stepfunctions.observed_states import StateEvent

# Events that say that work has gone to, or come back from, somewhere outside the interpreter.
_BEGUN = ("LambdaFunctionStarted", "TaskStarted", "WaitStateEntered")
_DONE = (
    "LambdaFunctionSucceeded", "LambdaFunctionFailed", "LambdaFunctionTimedOut", "TaskSucceeded",
    "TaskFailed", "TaskTimedOut", "WaitStateExited",
)  # fmt: skip
_FAILED = ("LambdaFunctionFailed", "LambdaFunctionTimedOut", "TaskFailed", "TaskTimedOut")


class Child(NamedTuple):
    """A child of an execution's Distributed Map: the ARN of its map's run, and its item's index."""

    map_run: str
    item: int


Number = tuple[Child | None, int]  # of an event in its own history


class FollowedExecution:
    """What is known of one execution while it runs, the children of its maps included."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.events: list[StateEvent] = []
        self.changed = threading.Condition()
        self.ended = False
        self.working = 0
        self.tokens: dict[Number, str] = {}  # submitted event → state that waits for its token
        self._states: dict[Number, str] = {}  # event → state that it belongs to
        self._entered: dict[tuple[str, int | None], datetime] = {}
        self._items: dict[Number, int] = {}

    def add(self, event: dict[str, Any], child: Child | None = None) -> None:
        """Take in one event of the execution's history, or of a child's own."""
        event["id"], previous = (child, event["id"]), (child, event["previousEventId"])
        kind = str(event["type"].value)
        at = datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00"))
        with self.changed:
            self._place(kind, event, previous, at)
            self._count(kind, event, previous)
            seen = self._seen(kind, event, at)
            if seen:
                self.events.append(seen)
            self.changed.notify_all()

    def _place(self, kind: str, event: dict[str, Any], previous: Number, at: datetime) -> None:
        """Note the state and the map's item that an event belongs to."""
        number = event["id"]
        if number[0] is not None:
            self._items[number] = number[0].item
        elif kind == "MapIterationStarted":
            self._items[number] = event["mapIterationStartedEventDetails"]["index"]
        elif previous in self._items and not kind.startswith("MapState"):
            self._items[number] = self._items[previous]
        entered = event.get("stateEnteredEventDetails")
        if entered:
            self._states[number] = entered["name"]
            self._entered[entered["name"], self._items.get(number)] = at
        elif previous in self._states:
            self._states[number] = self._states[previous]

    def _count(self, kind: str, event: dict[str, Any], previous: Number) -> None:
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
