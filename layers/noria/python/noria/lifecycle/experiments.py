"""Trials and experiments as a run stores them: in its folder, and for the table `experiments`."""

import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from noria.core.training.candidate_search import OutOfFold
from noria.core.training.trial import Experiment, Trial
from noria.lifecycle.stage import Stage

#: The chosen trial's predictions as its model answers: corrected, where probabilities are.
JUDGED_FOLDS = "judged"
PARALLEL_WRITES = 10  # connections that boto3 keeps


def write_trials(stage: Stage, trials: Sequence[Trial]) -> str:
    """Store a rung's trials as a JSON array, the items of a Distributed Map; returns its key."""
    key = stage.run.iteration_key(stage.iteration, f"trials/{trials[0].rung}.json")
    stage.store.put_json(key, [one.model_dump(mode="json") for one in trials])
    return key


def read_trials(stage: Stage) -> list[Trial]:
    """The trials that ProposeTrials stored last."""
    documents = stage.store.get_json(str(stage.event.result("search")["key"]))
    return [Trial.model_validate(one) for one in documents]


def write_experiments(stage: Stage, experiments: Mapping[str, Experiment]) -> None:
    """Store what came of trials, by their names, side by side."""
    with ThreadPoolExecutor(max_workers=PARALLEL_WRITES) as pool:
        list(pool.map(lambda one: write_experiment(stage, *one), experiments.items()))


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
    return _experiment(stage.store.get_json(_key(stage, name)))


def read_experiments(stage: Stage, names: Sequence[str]) -> dict[str, Experiment]:
    """What came of the trials of these names, without those that left nothing."""
    documents = stage.store.get_all_json([_key(stage, name) for name in names], None)
    found = zip(names, documents, strict=True)
    return {name: _experiment(document) for name, document in found if document is not None}


def _experiment(document: Mapping[str, Any]) -> Experiment:
    known = {name: value for name, value in document.items() if name in Experiment.model_fields}
    return Experiment.model_validate(known)


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
