"""Experiments as a run stores them: in its own folder, and for the `experiments` table."""

import io
from typing import Any

import numpy as np

from noria.core.training.candidate_search import OutOfFold
from noria.core.training.trial import Experiment
from noria.lifecycle.stage import Stage

#: The chosen trial's predictions as its model answers: corrected, where probabilities are.
JUDGED_FOLDS = "judged"


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


def write_predictions(stage: Stage, name: str, predicted: OutOfFold) -> None:
    """Store what a trial answered for the rows of its folds."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **predicted._asdict())
    stage.store.put(_predictions_key(stage, name), buffer.getvalue())


def read_predictions(stage: Stage, name: str) -> OutOfFold:
    """What the trial of this name answered for the rows of its folds, in this iteration."""
    content = stage.store.get(_predictions_key(stage, name))
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        found = {name: archive[name] for name in OutOfFold._fields}
    return OutOfFold(**found | {"widening": float(found["widening"])})


def _predictions_key(stage: Stage, name: str) -> str:
    return stage.run.iteration_key(stage.iteration, f"out_of_fold/{name}.npz")


def _key(stage: Stage, name: str) -> str:
    return stage.run.iteration_key(stage.iteration, f"explore/{name}.json")
