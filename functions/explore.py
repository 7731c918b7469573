"""ExploreModels: one candidate, cross-validated and recorded."""

from typing import Any

from noria.core.data.dataset import Dataset
from noria.core.features.plan import Plan
from noria.core.training.candidate_search import explore
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Score a candidate in folds of the training rows and document it."""
    stage = Stage.open(event)
    candidate = str(stage.event.item)
    plan = Plan.model_validate_json(
        stage.store.get(stage.run.iteration_key(stage.iteration, "plan.json"))
    )
    dataset = Dataset.from_bytes(stage.dataset())
    note(rows_in=dataset.training_size)
    experiment = explore(dataset, plan, candidate, stage.problem, SEED)
    document = {
        **experiment.model_dump(mode="json"),
        "score": experiment.mean,
        "seconds": round(experiment.fit_seconds + experiment.score_seconds, 3),
        "run_id": stage.event.execution,
        "iteration": stage.iteration,
        "code_version": stage.environment.code_version,
    }
    stage.store.put_json(
        stage.run.iteration_key(stage.iteration, f"explore/{candidate}.json"), document
    )
    stage.store.put_json(
        f"experiments/run={stage.event.execution}/iteration={stage.iteration}/{candidate}.json",
        document,
    )
    told = ("candidate", "setting", "score", "std", "seconds", "error")
    return {name: document.get(name) for name in told}
