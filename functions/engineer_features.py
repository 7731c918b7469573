"""EngineerFeatures: the recipes that are tried next, and the rows into the feature store."""

from typing import Any

from noria.common.verdict import Verdict
from noria.core.data.dataset import Dataset
from noria.core.evaluation.error_findings import Findings
from noria.core.features.plan import Plan, joint_plans, make_plan
from noria.lifecycle.stage import HISTORY, Stage
from noria.lifecycle.stage_logging import logged, note
from noria.materialization.run_features import open_accepted


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Make this iteration's feature plans; on the first, store the rows that they are fed with.

    The first iteration's recipes are tried together, where the contract wants the best; a later one
    adds a recipe to the plan that missed. Row-level steps live in the model's own graph, so the
    stored values do not change with the recipe: later iterations write none again. Time-window
    aggregations are read from the store once, for all iterations.
    """
    stage = Stage.open(event)
    if stage.event.state == "StoreFeatures":
        return _store_only(stage)
    iteration, turn = stage.iteration + 1, stage.event.turn + 1
    dataset = Dataset.from_bytes(stage.dataset())
    note(iteration=iteration, rows_in=len(dataset))
    if turn == 1:
        dataset = _stored(stage, dataset)
        plans = joint_plans(dataset, stage.problem)
    else:
        plans = [_next_plan(stage, dataset, turn)]
    for plan in plans:
        key = stage.plan_key(plan.recipe, iteration)
        stage.store.put(key, plan.model_dump_json().encode())
    recipes = [plan.recipe for plan in plans]
    note(decision=", ".join(recipes))
    verdict = Verdict(
        decision=", ".join(recipes),
        reasons=_reasons(plans),
        evidence={"features": {plan.recipe: plan.features for plan in plans}},
    )
    stage.run.record_verdict(stage.event.state, iteration, verdict.model_dump(mode="json"))
    return {
        "iteration": iteration,
        "before": iteration - turn,
        "recipes": recipes,
        "tried": _tried(stage) + recipes if turn > 1 else recipes,
        "rows": dataset.training_size,
        "reasons": verdict.reasons,
        **({"dataset": stage.expanded_key} if stage.problem.features.windows else {}),
    }


def _next_plan(stage: Stage, dataset: Dataset, turn: int) -> Plan:
    weakness = "; ".join(stage.event.result("evaluate").get("reasons", [])[:1])
    before, findings = _last_iteration(stage)
    return make_plan(dataset, stage.problem, turn - 1, weakness, before, findings, _tried(stage))


def _tried(stage: Stage) -> list[str]:
    return list(stage.event.result("features").get("tried", []))


def _reasons(plans: list[Plan]) -> list[str]:
    """Why this recipe; of several that they are tried together."""
    if len(plans) == 1:
        return [plans[0].why]
    return [f"{len(plans)} recipes are tried together, for the analysis saw columns for each"]


def _store_only(stage: Stage) -> dict[str, Any]:
    """Store the run's rows and load the online table."""
    with open_accepted(stage) as accepted:
        feature_set, written, without = accepted.store(Dataset.from_bytes(stage.dataset()))
        loaded = accepted.load_online(feature_set) if feature_set.windows else 0
    told = ["nothing was stored, as that would take the place of all rows"]
    if written is not None:
        note(rows_in=written.given, rows_out=written.rows)
        told = [f"{written.rows:,} of {written.given:,} rows were new or changed"]
    told += [f"{loaded:,} entities were materialized for the endpoint", *stage.feature_notes]
    told += [
        f"column '{name}' is gone or of another type: what is stored of it stays as it is, and "
        "the next training run makes a new version of the feature set"
        for name in without
    ]
    return {"rows": written.rows if written else 0, "reasons": told}


def _stored(stage: Stage, dataset: Dataset) -> Dataset:
    """Store the run's rows, and return them with their history, where the contract wants one."""
    with open_accepted(stage) as accepted:
        feature_set, written, _ = accepted.store(dataset)
        note(rows_out=written.rows if written else 0)
        if not feature_set.windows:
            return dataset
        expanded = accepted.expand(feature_set, dataset)
        stage.store.put(stage.expanded_key, expanded.to_bytes())
        history = accepted.history(feature_set, dataset)
        stage.store.put(stage.run.key(HISTORY), history.model_dump_json().encode())
        accepted.load_online(feature_set)
    return expanded


def _last_iteration(stage: Stage) -> tuple[Plan, Findings]:
    """The plan that missed the objective, and what evaluation found weak in it."""
    plan = stage.store.get(stage.run.iteration_key(stage.iteration, "plan.json"))
    evaluation = stage.store.get_json(stage.run.iteration_key(stage.iteration, "evaluation.json"))
    return Plan.model_validate_json(plan), Findings.model_validate(evaluation["findings"])
