"""Experiments as a run stores them: in its own folder, and for the `experiments` table."""

from typing import Any

from noria.core.training.trial import Experiment
from noria.lifecycle.stage import Stage


def write_experiment(stage: Stage, name: str, experiment: Experiment) -> dict[str, Any]:
    """Store what came of the trial of this name, in this iteration; returns the document."""
    document = {
        **experiment.model_dump(mode="json"),
        "trial": name,
        "score": experiment.mean,
        "seconds": round(experiment.fit_seconds + experiment.score_seconds, 3),
        "run_id": stage.event.execution,
        "iteration": stage.iteration,
        "code_version": stage.environment.code_version,
    }
    stage.store.put_json(_key(stage, name), document)
    stage.store.put_json(
        f"experiments/run={stage.event.execution}/iteration={stage.iteration}/{name}.json",
        document,
    )
    return document


def read_experiment(stage: Stage, name: str) -> Experiment:
    """What came of the trial of this name, in this iteration."""
    document = stage.store.get_json(_key(stage, name))
    return Experiment.model_validate(
        {k: v for k, v in document.items() if k in Experiment.model_fields}
    )


def _key(stage: Stage, name: str) -> str:
    return stage.run.iteration_key(stage.iteration, f"explore/{name}.json")
