"""Histories of executions, event by event as Step Functions writes them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

BEGAN = datetime(2026, 11, 28, 12, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-west-1:1:function:"
Event = dict[str, Any]


class History:
    """Events with their ids and times; `event` adds one that follows the last."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._at = BEGAN

    def event(self, kind: str, seconds: float = 0.0, **details: Any) -> "History":
        """Add an event so many seconds after the last."""
        self._at += timedelta(seconds=seconds)
        number = len(self.events) + 1
        self.events.append(
            {"id": number, "previousEventId": number - 1, "type": kind, "timestamp": self._at,
             **details}
        )  # fmt: skip
        return self

    def entered(self, kind: str, name: str, data: Any = None) -> "History":
        """A state is entered with its input."""
        details = {"name": name, "input": json.dumps(data or {})}
        return self.event(f"{kind}StateEntered", stateEnteredEventDetails=details)

    def exited(self, kind: str, name: str, data: Any = None) -> "History":
        """A state is left with its output."""
        details = {"name": name, "output": json.dumps(data or {})}
        return self.event(f"{kind}StateExited", stateExitedEventDetails=details)

    def invoked(self, function: str, seconds: float, error: str = "") -> "History":
        """A function is called and answers, or fails."""
        self.event("LambdaFunctionScheduled",
                   lambdaFunctionScheduledEventDetails={"resource": ARN + function})  # fmt: skip
        self.event("LambdaFunctionStarted")
        if not error:
            return self.event("LambdaFunctionSucceeded", seconds)
        cause = json.dumps({"errorMessage": "it broke"})
        failed = {"error": error, "cause": cause}
        return self.event("LambdaFunctionFailed", seconds, lambdaFunctionFailedEventDetails=failed)

    def task(self, name: str, function: str, seconds: float, data: Any = None) -> "History":
        """A task from its beginning to its end."""
        return self.entered("Task", name).invoked(function, seconds).exited("Task", name, data)
