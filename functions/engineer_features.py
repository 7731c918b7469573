"""EngineerFeatures: the next recipe of the ladder, and the rows into the feature store."""

from typing import Any

from noria.context import Stage
from noria.core.candidates import names_for
from noria.core.dataset import Dataset
from noria.core.recipes import Plan, make_plan
from noria.core.verdicts import Verdict
from noria.core.weakness import Findings
from noria.feature_loading import store_accepted


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Make this turn's feature plan; on the first turn, store the rows that it is fed with.

    Row-level steps live in the model's own graph, so the stored values do not change with the
    recipe: later turns write none again.
    """
    stage = Stage.open(event)
    turn = stage.turn + 1
    dataset = Dataset.from_bytes(stage.dataset())
    weakness = "; ".join(stage.event.result("evaluate").get("reasons", [])[:1])
    before, findings = _last_turn(stage) if stage.turn else (None, None)
    plan = make_plan(dataset, stage.problem, turn - 1, weakness, before, findings)
    stage.store.put(stage.run.turn_key(turn, "plan.json"), plan.model_dump_json().encode())
    if turn == 1:
        store_accepted(stage)
    verdict = Verdict(
        decision=plan.recipe, reasons=[plan.why], evidence={"features": plan.features}
    )
    stage.run.record_verdict(stage.event.state, turn, verdict.model_dump(mode="json"))
    return {
        "iteration": turn,
        "recipe": plan.recipe,
        "reasons": [plan.why],
        "candidates": names_for(stage.problem),
    }


def _last_turn(stage: Stage) -> tuple[Plan, Findings]:
    """The plan that missed the objective, and what evaluation found weak in it."""
    plan = stage.store.get(stage.run.turn_key(stage.turn, "plan.json"))
    evaluation = stage.store.get_json(stage.run.turn_key(stage.turn, "evaluation.json"))
    return Plan.model_validate_json(plan), Findings.model_validate(evaluation["findings"])
