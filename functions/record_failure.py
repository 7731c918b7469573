"""RecordFailure: a stage failed; say which and why, and leave the champion serving."""

import json
from datetime import UTC, datetime
from typing import Any

from noria.context import Stage
from noria.core.verdicts import Verdict
from noria.endings import conclude

ENDING = "Failed"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record a failure that the machine caught, or one of the machine itself by its event."""
    stage = Stage.open(_from_machine(event) if "detail" in event else event)
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
        "started_at": datetime.now(UTC).isoformat(),
        "input": {"failure": {"the machine": failure}},
    }


def _failure(stage: Stage) -> tuple[str, str, str]:
    failures = stage.event.result("failure") or {"the machine": {}}
    state, caught = next(iter(failures.items()))
    return state, str(caught.get("Error", "Unknown")), _message(str(caught.get("Cause", "")))


def _message(cause: str) -> str:
    """The sentence inside Lambda's JSON cause."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed.get("errorMessage", cause)) if isinstance(parsed, dict) else cause


def _end_canary(stage: Stage) -> None:
    """Give all traffic back to the version that had it before a canary went out."""
    publish = stage.event.result("publish")
    champion = stage.registry.champion()
    promoted = champion is not None and champion.run_id == stage.event.execution
    if publish.get("previous") and stage.event.result("shift") and not promoted:
        stage.endpoint.point_to(publish["previous"])
