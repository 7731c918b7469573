"""Every execution of the cloud: fed by the interpreter, read by whoever waits."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.stepfunctions.followed_execution import Child, FollowedExecution
from infra.local.stepfunctions.observed_states import Observer, StateEvent


class Executions:
    """Every execution of the cloud; fed by the interpreter, read by whoever waits."""

    def __init__(self, on_end: Callable[[Any], None], on_start: Callable[[str], None]) -> None:
        self._followed: dict[str, FollowedExecution] = {}
        self._lock = threading.Lock()
        self._on_end, self._on_start = on_end, on_start

    def run(self, arn: str) -> FollowedExecution:
        """Find an execution, or begin to follow it."""
        with self._lock:
            return self._followed.setdefault(arn, FollowedExecution(arn))

    def running(self) -> list[str]:
        """List the executions that have not ended."""
        with self._lock:
            return [arn for arn, run in self._followed.items() if not run.ended]

    def on_history(self, arn: str, event: Mapping[str, Any]) -> None:
        """Take in a history event from the interpreter."""
        self.run(arn).add(dict(event))
        if event["type"].value == "ExecutionStarted":
            self._on_start(arn)

    def on_child_history(self, arn: str, child: Child, event: Mapping[str, Any]) -> None:
        """Take in a history event of a child of an execution's Distributed Map."""
        self.run(arn).add(dict(event), child)

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

    def follow(self, arn: str, timeout: float, observer: Observer | None) -> FollowedExecution:
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
