"""An execution told step by step, from its history: states, times, decisions with reasons."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from infra.cli.progress import CHOICES, SILENT, SUFFIX, state_detail
from infra.local.stepfunctions.observed_states import StateEvent
from noria.lifecycle.environment import message_of

Event = Mapping[str, Any]
FAILED_STATES = ("RecordFailure", "Failed")
DETAILS = "EventDetails"
#: States that go round while a canary is out: only the last round is told.
WATCHED = ("ObserveCanary", "CheckCanary", "CanaryHealthy")


@dataclass(frozen=True)
class StateStep:
    """A state that a run went through; `left` is None while it is there.

    `decision` is what a choice read, `target` the state that came next, `error` what failed in it.
    """

    state: str
    entered: datetime | None
    left: datetime | None = None
    decision: str = ""
    reasons: tuple[str, ...] = ()
    detail: str = ""
    target: str = ""
    error: str = ""
    items: int = 0
    items_done: int = 0

    @property
    def seconds(self) -> float | None:
        """How long it took, in seconds."""
        if self.entered is None or self.left is None:
            return None
        return (self.left - self.entered).total_seconds()

    @property
    def is_choice(self) -> bool:
        """Whether it only reads a decision."""
        return self.state in CHOICES or self.decision != ""

    @property
    def tone(self) -> str:
        """How it is coloured: bad where it failed, wait while it goes on, else good."""
        if self.error:
            return "bad"
        return "good" if self.left else "wait"


def steps_of(events: Iterable[Event], states: Iterable[str]) -> list[StateStep]:
    """Tell a history; `states` are the machine's own, beside which maps have inner ones."""
    known, steps = set(states), list[StateStep]()
    for event in events:
        entered, exited = (
            event.get("stateEnteredEventDetails"),
            event.get("stateExitedEventDetails"),
        )
        if entered and entered["name"] in known:
            steps = [*_targeted(steps, entered["name"]), _begun(entered, event["timestamp"])]
        elif exited and exited["name"] in known:
            steps = _ended(steps, exited, event["timestamp"])
        elif steps and (entered or exited):
            steps[-1] = _counted(steps[-1], entered, exited)
        elif steps and (failure := _failure(event)):
            steps[-1] = replace(steps[-1], error=failure)
    return [_plain(one) for one in steps]


def told_steps(steps: Sequence[StateStep]) -> list[StateStep]:
    """The steps that people read: choices that a contract's field makes are left out."""
    last = {step.state: place for place, step in enumerate(steps)}
    return [
        step
        for place, step in enumerate(steps)
        if step.state not in SILENT and (step.state not in WATCHED or last[step.state] == place)
    ]


def map_runs_of(events: Iterable[Event]) -> list[str]:
    """The Distributed Maps that were started, in order: their children have other histories."""
    found = (event.get("mapRunStartedEventDetails") for event in events)
    return [str(details["mapRunArn"]) for details in found if details]


def with_map_counts(
    steps: Sequence[StateStep], states: Mapping[str, Any], counts: Sequence[Mapping[str, int]]
) -> list[StateStep]:
    """Tell how far Distributed Maps are; `counts` are Step Functions' item counts, in order."""
    told, left = [], list(counts)
    for step in steps:
        if left and _is_distributed(states.get(step.state, {})):
            count = left.pop(0)
            done = count["total"] - count["pending"] - count["running"]
            told.append(replace(step, items=count["total"], items_done=done))
        else:
            told.append(step)
    return told


def _is_distributed(state: Mapping[str, Any]) -> bool:
    config = state.get("ItemProcessor", {}).get("ProcessorConfig", {})
    return bool(config.get("Mode") == "DISTRIBUTED")


def steps_of_record(verdicts: Sequence[Mapping[str, Any]], ending: str) -> list[StateStep]:
    """The same from what a run wrote down, where its history is gone (AWS keeps it 90 days)."""
    told = [
        StateStep(v["state"], None, None, str(v["decision"]), tuple(map(str, v.get("reasons", []))))
        for v in verdicts
    ]
    return [*told, StateStep(ending, None)]


def _begun(entered: Event, at: datetime) -> StateStep:
    name, data = str(entered["name"]), _data(entered.get("input"))
    step = StateStep(name, at)
    if name not in CHOICES:
        return step
    result, field = CHOICES[name]
    found = data.get(result)
    verdict = found if isinstance(found, dict) else {}
    reasons = tuple(str(one) for one in verdict.get("reasons") or [])
    return replace(step, decision=str(verdict.get(field, "")), reasons=reasons)


def _targeted(steps: list[StateStep], target: str) -> list[StateStep]:
    return [*steps[:-1], replace(steps[-1], target=target)] if steps else []


def _ended(steps: list[StateStep], exited: Event, at: datetime) -> list[StateStep]:
    """Close the state that is left, with what is worth saying of its result."""
    name, data = str(exited["name"]), _data(exited.get("output"))
    place = next((i for i in reversed(range(len(steps))) if steps[i].state == name), None)
    if place is None:
        return steps
    detail = state_detail(StateEvent("", "exited", name, at, data=data))
    return [*steps[:place], replace(steps[place], left=at, detail=detail), *steps[place + 1 :]]


def _counted(step: StateStep, entered: Event | None, exited: Event | None) -> StateStep:
    """Count the items of a map, each by its first state."""
    if entered and str(entered["name"]).endswith(SUFFIX):
        return replace(step, items=step.items + 1)
    if exited and str(exited["name"]).endswith(SUFFIX):
        return replace(step, items_done=step.items_done + 1)
    return step


def _failure(event: Event) -> str:
    """What an event says failed."""
    for name, details in event.items():
        if name.endswith(DETAILS) and isinstance(details, Mapping) and details.get("error"):
            return f"{details['error']}: {message_of(str(details.get('cause') or ''))}"[:600]
    return ""


def _plain(step: StateStep) -> StateStep:
    """Forget what failed and was tried again."""
    failed = step.target in FAILED_STATES or step.left is None
    return step if failed else replace(step, error="")


def _data(text: str | None) -> dict[str, Any]:
    """A state's input or output; the history of a large one may lack it."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
