"""A stack's runs as its pages show them: when, why, how they ended, how long, at what cost."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from infra.cli.demo_timeline import alarm_name
from infra.cli.run_list import STORED, logged_runs, trained_versions
from infra.cli.run_records import RunRecord, read_run
from infra.console.cost_estimate import RunCost, cost_of
from infra.console.execution_story import (
    StateStep,
    map_runs_of,
    steps_of,
    steps_of_record,
    with_map_counts,
)
from infra.console.stacks import ShownStack

RUNNING = "RUNNING"
MOST_RUNS = 50  # of a list; older ones are in the log
PARALLEL_READS = 8
PAGE = 1000  # events of a history that are read at once
GOOD = ("Promote", "KeepChampion", "RuleSuffices", STORED)
BAD = ("Failed", "RollBack", "FAILED", "TIMED_OUT", "ABORTED")
GONE = "ExecutionDoesNotExist"
DETAILS = "stateEnteredEventDetails"


@dataclass(frozen=True)
class RunView:
    """One run; times are None, and the cost nothing, where its execution is not kept any more."""

    run_id: str
    status: str
    ending: str
    reasons: tuple[str, ...] = ()
    cause: str = ""
    started: datetime | None = None
    stopped: datetime | None = None
    models: str = ""
    cost: RunCost = field(default_factory=RunCost)
    question: Mapping[str, Any] | None = None
    steps: tuple[StateStep, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether it goes on, a wait for a person included."""
        return self.status == RUNNING

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes so far."""
        if self.started is None:
            return None
        return ((self.stopped or datetime.now(UTC)) - self.started).total_seconds()

    @property
    def tone(self) -> str:
        """Its colour: good, bad, or wait while it goes on."""
        if self.is_running:
            return "wait"
        return "bad" if self.ending in BAD else "good" if self.ending in GOOD else "plain"


def list_runs(stack: ShownStack, *, features: bool = False) -> list[RunView]:
    """The runs, the latest first; those that only stored features where they are asked for."""
    pages = stack.machine.get_paginator("list_executions").paginate(
        stateMachineArn=stack.access.machine_arn, PaginationConfig={"MaxItems": MOST_RUNS}
    )
    executions = [one for page in pages for one in page["executions"]]
    executions.sort(key=lambda one: one["startDate"], reverse=True)
    logged = {entry["run_id"]: entry for entry in logged_runs(stack.bucket)}
    versions = trained_versions(stack.bucket)
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        found = list(pool.map(lambda one: _summary(stack, one, versions), executions))
    listed = {view.run_id for view in found}
    older = [_logged(entry, versions) for run, entry in logged.items() if run not in listed]
    shown = [view for view in found if features or view.ending != STORED]
    return [*shown, *reversed(older)]


def latest_run(stack: ShownStack) -> str | None:
    """The run that goes on, or else the last one that was no mere feature run."""
    answer = stack.machine.list_executions(
        stateMachineArn=stack.access.machine_arn, maxResults=MOST_RUNS
    )
    executions = sorted(answer["executions"], key=lambda one: one["startDate"], reverse=True)
    running = [one["name"] for one in executions if one["status"] == RUNNING]
    logged = [entry["run_id"] for entry in logged_runs(stack.bucket)]
    return next(iter([*running, *logged[::-1], *(one["name"] for one in executions)]), None)


def view_run(stack: ShownStack, run: str, states: Mapping[str, Any]) -> RunView | None:
    """A run with its steps; None where nothing is known of it."""
    execution = _described(stack, run)
    if execution is None:
        return _recorded(stack, run)
    events = _history(stack, run)
    view = _told(stack, execution, events, trained_versions(stack.bucket))
    counts = [
        stack.machine.describe_map_run(mapRunArn=arn)["itemCounts"] for arn in map_runs_of(events)
    ]
    steps = with_map_counts(steps_of(events, states), states, counts)
    return replace(view, steps=tuple(steps))


def record_of(stack: ShownStack, view: RunView) -> RunRecord:
    """What a run wrote down: candidates, champion."""
    waiting = view.ending if view.question else None
    return read_run(stack.bucket, view.run_id, waiting_at=waiting)


def _described(stack: ShownStack, run: str) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        found = stack.machine.describe_execution(executionArn=stack.execution_arn(run))
    except ClientError as error:
        if error.response["Error"]["Code"] == GONE:
            return None
        raise
    return dict(found)


def _history(stack: ShownStack, run: str) -> list[Mapping[str, Any]]:
    pages = stack.machine.get_paginator("get_execution_history").paginate(
        executionArn=stack.execution_arn(run), PaginationConfig={"PageSize": PAGE}
    )
    return [event for page in pages for event in page["events"]]


def _summary(
    stack: ShownStack, execution: Mapping[str, Any], versions: Mapping[str, str]
) -> RunView:
    """One of a list: what has ended stays as it is, and is read once."""
    run = str(execution["name"])
    if run not in stack.ended:
        view = _told(stack, execution, _history(stack, run), versions)
        if view.is_running or view.ending == view.status:  # its failure is still written down
            return view
        stack.ended[run] = view
    return stack.ended[run]


def _told(
    stack: ShownStack,
    execution: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    versions: Mapping[str, str],
) -> RunView:
    run, status = str(execution["name"]), str(execution["status"])
    ending = stack.bucket.json(f"runs/{run}/ending.json") or {}
    question = _question(stack, run, events) if status == RUNNING else None
    now = str(question["state"]) if question else "running" if status == RUNNING else status
    reasons = (question or ending).get("reasons") or [execution.get("cause")]
    cause = ending.get("cause") or _given(events).get("cause")
    return RunView(
        run, status, str(ending.get("ending") or now), tuple(str(one) for one in reasons if one),
        cause_text(cause), execution["startDate"], execution.get("stopDate"),
        versions.get(run, ""), cost_of(events, stack.memory_of), question,
    )  # fmt: skip


def _question(
    stack: ShownStack, run: str, events: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """What a run asks a person; a question that is answered is none."""
    found: Mapping[str, Any] | None = stack.bucket.json(f"runs/{run}/waiting.json")
    entered = [one["stateEnteredEventDetails"] for one in events if DETAILS in one]
    return found if found and entered and entered[-1]["name"] == found["state"] else None


def _given(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The input that a run was started with."""
    details = events[0].get("executionStartedEventDetails", {}) if events else {}
    found = json.loads(details.get("input") or "{}")
    return found if isinstance(found, dict) else {}


def _recorded(stack: ShownStack, run: str) -> RunView | None:
    """A run whose execution is not kept any more, by what it wrote down."""
    ending = stack.bucket.json(f"runs/{run}/ending.json")
    if ending is None:
        return None
    steps = steps_of_record(ending.get("verdicts", []), str(ending["ending"]))
    return RunView(
        run, "ENDED", str(ending["ending"]), tuple(map(str, ending.get("reasons", []))),
        cause_text(ending.get("cause")), models=trained_versions(stack.bucket).get(run, ""),
        steps=tuple(steps),
    )  # fmt: skip


def _logged(entry: Mapping[str, Any], versions: Mapping[str, str]) -> RunView:
    run, ending = str(entry["run_id"]), entry.get("ending")
    cause = "an alarm" if entry.get("automatic") else "a person"
    as_of = entry.get("as_of")
    started = datetime.fromisoformat(as_of).astimezone(UTC) if as_of else None
    return RunView(
        run, "ENDED", str(ending or "no ending"), (), cause,
        started, started, versions.get(run, ""),
    )  # fmt: skip


def cause_text(cause: Mapping[str, Any] | None) -> str:
    """Why a run was started, for people."""
    found = cause or {}
    kind = str(found.get("kind") or "person")
    if kind != "alarm":
        return "a person" if kind == "person" else f"a {kind}"
    return f"alarm {alarm_name(str(found.get('alarm', '')))}: {found.get('reason', '')}"
