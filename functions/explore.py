"""ExploreModels: a candidate with a recipe, cross-validated and recorded."""

from typing import Any

from noria.core.data.dataset import Dataset
from noria.core.features.plan import Plan
from noria.core.training.candidate_search import explore_with_predictions
from noria.core.training.trial import Trial
from noria.lifecycle.experiments import write_experiment, write_predictions
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Score a trial in folds of the training rows and document it."""
    stage = Stage.open(event)
    trial = Trial.model_validate(stage.event.item)
    plan = Plan.model_validate_json(stage.store.get(stage.plan_key(trial.recipe)))
    dataset = Dataset.from_bytes(stage.dataset())
    note(rows_in=min(dataset.training_size, trial.rows))
    experiment, predicted = explore_with_predictions(dataset, plan, trial, stage.problem, SEED)
    write_predictions(stage, trial.name, predicted)
    document = write_experiment(stage, trial.name, experiment)
    told = ("trial", "candidate", "recipe", "setting", "score", "std", "seconds", "error")
    return {name: document.get(name) for name in told}
