"""TrainModel: the winner on all training rows, exported to ONNX and stored as a version."""

import io
import json
from importlib.metadata import version
from typing import Any

import numpy as np

from noria.context import Stage
from noria.core.dataset import Dataset
from noria.core.drift import build_reference
from noria.core.exploration import Experiment
from noria.core.recipes import Plan
from noria.core.samples import sample_rows
from noria.core.training import choose, train
from noria.core.verdicts import Verdict

SEED = 20_13
LIBRARIES = ("scikit-learn", "skl2onnx", "numpy", "pandas")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Train the best candidate and store the version's files, the manifest last."""
    stage = Stage.open(event)
    dataset = Dataset.from_bytes(stage.dataset())
    plan = Plan.model_validate_json(stage.store.get(stage.run.turn_key(stage.turn, "plan.json")))
    chosen = choose(_experiments(stage), stage.problem)
    libraries = {name: version(name) for name in LIBRARIES}
    trained = train(dataset, plan, chosen.candidate, stage.problem, SEED, libraries)
    reference = build_reference(dataset, trained.holdout_scores, trained.importances)
    checksums = stage.registry.write_version(
        stage.version,
        {
            "model.onnx": trained.onnx,
            "signature.json": trained.signature.model_dump_json().encode(),
            "reference.json": reference.model_dump_json().encode(),
            "sample.json": json.dumps(
                sample_rows(dataset.holdout_rows, trained.signature)
            ).encode(),
        },
    )
    stage.store.put(
        stage.run.turn_key(stage.turn, "pipeline_scores.npy"), _npy(trained.holdout_scores)
    )
    evidence = {"candidate": chosen.candidate, "rows": len(dataset.training), "sha256": checksums}
    return {
        **stage.decided(
            Verdict(decision=chosen.candidate, reasons=chosen.notes[-1:], evidence=evidence)
        ),
        "version": stage.version,
        "rows": len(dataset.training),
    }


def _candidates(stage: Stage) -> list[str]:
    return [str(item["candidate"]) for item in stage.event.input["explore"]]


def _experiments(stage: Stage) -> list[Experiment]:
    keys = [stage.run.turn_key(stage.turn, f"explore/{name}.json") for name in _candidates(stage)]
    return [_experiment(stage.store.get_json(key)) for key in keys]


def _experiment(document: dict[str, Any]) -> Experiment:
    return Experiment.model_validate(
        {k: v for k, v in document.items() if k in Experiment.model_fields}
    )


def _npy(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()
