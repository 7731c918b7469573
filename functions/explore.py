"""ExploreModels: a candidate with a recipe, cross-validated and recorded."""

import hashlib
import resource
from typing import Any

from noria.core.data.dataset import Dataset
from noria.core.features.plan import Plan
from noria.core.training.candidate_search import explore_with_predictions
from noria.core.training.trial import Trial
from noria.lifecycle.experiments import write_experiment, write_predictions
from noria.lifecycle.library_versions import library_versions
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Score a trial in folds of the training rows and document it."""
    stage = Stage.open(event)
    trial = Trial.model_validate(stage.event.item)
    plan = Plan.model_validate_json(stage.store.get(stage.plan_key(trial.recipe)))
    content = stage.dataset()
    dataset = Dataset.from_bytes(content)
    note(rows_in=min(dataset.training_size, trial.rows))
    experiment, predicted = explore_with_predictions(dataset, plan, trial, stage.problem, SEED)
    write_predictions(stage, trial.name, predicted)
    made_with = {
        "memory_megabytes": _peak_memory(),
        "dataset_sha256": hashlib.sha256(content).hexdigest(),
        "versions": library_versions(),
    }
    document = write_experiment(stage, trial.name, experiment.model_copy(update=made_with))
    told = ("trial", "candidate", "recipe", "setting", "score", "std", "seconds", "error")
    return {name: document.get(name) for name in told}


def _peak_memory() -> float:
    """The most that this process has held so far, in MB: also for trials before it, if any."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
