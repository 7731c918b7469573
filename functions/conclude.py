"""The endings that deploy nothing: each records why, releases the lease and tells people."""

from typing import Any

from noria.lifecycle.conclude import conclude
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged

# The state whose verdict is the reason of an ending.
DECIDED_BY = {
    "Skipped": "admit",
    "HaltBadData": "transform",
    "FeaturesStored": "stored",
    "RuleSuffices": "analyse",
    "HaltProblem": "analyse",
    "HaltNotEffective": "evaluate",
    "KeepChampion": "evaluate",
}
# Where a person's answer decides: the answer, and what it says where it gives no reasons.
ASKED = {
    "HaltProblem": ("answer", "a person chose to halt"),
    "KeepChampion": ("approval", "a person refused the challenger"),
}


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """End the run under the name of the state that was reached."""
    stage = Stage.open(event)
    decided = stage.event.result(_decided_by(stage))
    reasons = [*_answered(stage), *_not_served(stage), *decided.get("reasons", [])]
    return conclude(stage, stage.event.state, reasons or ["no reason was recorded"])


def _decided_by(stage: Stage) -> str:
    """A person who halts was asked by the evaluation, where the holdout's rows did not tell."""
    undecided = stage.event.result("evaluate").get("objective") == "too_few_rows"
    asked = stage.event.state == "HaltProblem" and undecided
    return "evaluate" if asked else DECIDED_BY[stage.event.state]


def _not_served(stage: Stage) -> list[str]:
    """Why a rule that was made a model version is not served."""
    if stage.event.state != "RuleSuffices" or "evaluate" not in stage.event.input:
        return []
    missed = stage.event.result("evaluate").get("reasons", [])
    return ["the rule is not served, for as a model version it falls short:", *missed]


def _answered(stage: Stage) -> list[str]:
    """What a person who was asked said, where that decided the ending."""
    question = ASKED.get(stage.event.state)
    if question is None:
        return []
    answer, said = question
    if "unanswered" in stage.event.input:
        return ["nobody answered in time"]
    if answer not in stage.event.input:
        return []
    reasons = stage.event.result(answer).get("reasons")
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else [said]
