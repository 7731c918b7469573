"""RecordFailure: a stage failed; say which and why, and leave the champion serving."""

import json
from datetime import UTC, datetime
from typing import Any

from noria.common.verdict import Verdict
from noria.lifecycle.conclude import conclude
from noria.lifecycle.environment import message_of, parse_time
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged

ENDING = "Failed"


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record a failure that the machine caught, or one of the machine itself by its event.

    The event also follows failures that were caught: what is recorded stays as it is.
    """
    by_machine = "detail" in event
    stage = Stage.open(_from_machine(event) if by_machine else _of_caught(event))
    if by_machine and (recorded := stage.run.ending()):
        stage.leases.release(stage.event.execution)
        return recorded
    state, error, cause = _failure(stage)
    _end_canary(stage)
    reason = f"{state} failed with {error}: {cause}"
    verdict = Verdict(decision=error, reasons=[reason], evidence={"state": state})
    stage.decided(verdict, "RecordFailure")
    return {**conclude(stage, ENDING, [reason]), "state": state, "error": error}


def _from_machine(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a failed, stopped or timed-out execution, in the shape of a stage's."""
    detail = event["detail"]
    failure = {"Error": detail["status"], "Cause": detail.get("cause") or "see the execution"}
    return {
        "state": ENDING,
        "execution": detail["name"],
        "started_at": datetime.fromtimestamp(detail["startDate"] / 1000, UTC).isoformat(),
        "input": _usable(_parsed(detail.get("input"))) | {"failure": {"the machine": failure}},
    }


def _of_caught(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "input": _usable(event["input"])}


def _usable(given: dict[str, Any]) -> dict[str, Any]:
    """The input without what Admit refuses: a failure is recorded whatever was given."""
    kept = dict(given)
    if "as_of" in kept and not _is_time(kept["as_of"]):
        del kept["as_of"]
    if not isinstance(kept.get("cause"), dict):
        kept.pop("cause", None)
    return kept


def _is_time(value: Any) -> bool:
    try:
        parse_time(value)
    except (TypeError, ValueError):
        return False
    return True


def _parsed(text: str | None) -> dict[str, Any]:
    """The execution's input, which large events leave out."""
    parsed = json.loads(text) if text else {}
    return parsed if isinstance(parsed, dict) else {}


def _failure(stage: Stage) -> tuple[str, str, str]:
    """The state that failed, its error and its cause; an input may hold a `failure` of its own."""
    for state, caught in stage.event.result("failure").items():
        if isinstance(caught, dict) and "Error" in caught:
            return state, str(caught["Error"]), message_of(str(caught.get("Cause", "")))
    return "the machine", "Unknown", "see the execution"


def _end_canary(stage: Stage) -> None:
    """Give all traffic to the champion: the one from before, or the new one once it is promoted."""
    publish = stage.event.result("publish")
    champion = stage.registry.champion()
    if not publish.get("function_version"):
        return
    if champion is not None and champion.run_id == stage.event.execution:
        stage.endpoint.point_to(champion.function_version)
    elif stage.event.result("canary"):
        stage.endpoint.withdraw(publish["function_version"], publish["previous"])
