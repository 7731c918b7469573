"""Live traffic: callers who ask the endpoint over HTTP, all the while, and note what they get."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.stack import Stack

CALLERS = 2
BETWEEN_REQUESTS = 0.05  # seconds of each caller
Rows = list[Mapping[str, Any]]


@dataclass
class Traffic:
    """Every answer's status and model, and every share that the alias gave to another version."""

    answers: list[tuple[int, str]] = field(default_factory=list)
    shares: set[float] = field(default_factory=set)

    @property
    def statuses(self) -> set[int]:
        """The statuses that callers got."""
        return {status for status, _ in self.answers}

    def of(self, model: str) -> int:
        """How many answers a model gave."""
        return sum(by == model for _, by in self.answers)

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(status >= 500 for status, _ in self.answers)


@contextmanager
def live_traffic(stack: Stack, run: str, usual: Rows, new: Rows) -> Iterator[Traffic]:
    """Ask for one row after the other, in a few threads, while the block runs.

    `new` rows come once the run has replayed requests: it would find what they do.
    """
    seen, stop, replayed = Traffic(), threading.Event(), threading.Event()
    lambdas = stack.cloud.client("lambda")

    def call(first: int) -> None:
        number = first
        while not stop.wait(BETWEEN_REQUESTS):
            rows = new if replayed.is_set() else usual
            answer = stack.ask("POST", "/predict", rows[number % len(rows)])
            model = answer.json().get("model", "") if answer.status == 200 else ""
            seen.answers.append((answer.status, model))
            number += CALLERS

    def watch() -> None:
        while not stop.wait(0.2):
            seen.shares.update(alias_weights(lambdas, stack).values())
            if stack.keys(f"runs/{run}/verdicts/01-ReplayRequests"):
                replayed.set()

    stack.ask("GET", "/health")  # the listener starts with the first request
    threads = [threading.Thread(target=call, args=(first,)) for first in range(CALLERS)]
    threads.append(threading.Thread(target=watch))
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def alias_weights(lambdas: Any, stack: Stack) -> dict[str, float]:
    """The shares that the alias gives to versions beside its own."""
    name = stack.outputs["EndpointFunctionName"]
    alias = lambdas.get_alias(FunctionName=name, Name="live")
    return dict(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))


def live_version(stack: Stack) -> str:
    """The version that the alias sends most traffic to."""
    name = stack.outputs["EndpointFunctionName"]
    alias = stack.cloud.client("lambda").get_alias(FunctionName=name, Name="live")
    return str(alias["FunctionVersion"])


def rows_of(frame: Any, **more: float) -> Rows:
    """A hundred rows of data as requests, each with some values of its own making."""
    rows = json.loads(frame.head(100).to_json(orient="records"))
    return [{**row, **more} for row in rows]
