"""The endings that deploy nothing: each records why, releases the lease and tells people."""

from typing import Any

from noria.context import Stage
from noria.endings import conclude

# The state whose verdict is the reason of an ending.
DECIDED_BY = {
    "Skipped": "admit",
    "HaltBadData": "transform",
    "RuleSuffices": "analyse",
    "HaltProblem": "answer",
    "HaltNotEffective": "evaluate",
    "KeepChampion": "evaluate",
}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """End the run under the name of the state that was reached."""
    stage = Stage.open(event)
    decided = stage.event.result(DECIDED_BY[stage.event.state])
    reasons = decided.get("reasons") or [_unstated(stage.event.state)]
    return conclude(stage, stage.event.state, reasons)


def _unstated(state: str) -> str:
    if state == "HaltProblem":
        return "nobody revised the problem statement, or somebody chose to halt"
    return "no reason was recorded"
