"""TrainModel and ExportRule: the winner, or the rule that suffices, stored as a model version."""

import io
import json
from dataclasses import replace
from importlib.metadata import version as installed
from typing import Any

import numpy as np

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.core.data.dataset import Dataset
from noria.core.data.window_coverage import window_lengths
from noria.core.features.plan import Plan
from noria.core.model.example_requests import sample_rows
from noria.core.rule_model.rule_model import RULE, RuleModel, rule_model
from noria.core.statistics.drift import build_reference
from noria.core.training.train import Trained, train
from noria.core.windows.lookup_spec import LookupSpec
from noria.lifecycle.experiments import read_experiment
from noria.lifecycle.model_inputs import LINEAGE, Inputs
from noria.lifecycle.stage import HISTORY, Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13
LIBRARIES = ("scikit-learn", "skl2onnx", "numpy", "pandas")


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store the version's files, the manifest last."""
    stage = Stage.open(event)
    return _export_rule(event) if stage.event.state == "ExportRule" else _train(stage)


def _train(stage: Stage) -> dict[str, Any]:
    """Train the best candidate on all training rows."""
    inputs = Inputs(stage)
    dataset = Dataset.from_bytes(inputs.get("dataset", stage.dataset_key))
    plan_key = stage.run.iteration_key(stage.iteration, "plan.json")
    plan = Plan.model_validate_json(inputs.get("plan", plan_key))
    note(rows_in=dataset.training_size)
    chosen = read_experiment(stage, str(stage.event.result("judge")["trial"]))
    trained = train(
        dataset, plan, chosen.candidate, stage.problem, SEED, _libraries(), setting=chosen.setting
    )
    trained = _with_history(trained, stage, inputs)
    read = dataset.only(trained.signature.names)
    version, checksums = _write(stage, inputs, read, trained, trained.importances)
    evidence = {"version": version, "candidate": chosen.candidate, "setting": chosen.setting,
                "rows": dataset.training_size, "sha256": checksums}  # fmt: skip
    setting = f", setting {chosen.setting}" if chosen.setting else ""
    told = f"recipe {plan.recipe}{setting}, on {counted(dataset.training_size, 'training row')}"
    verdict = Verdict(decision=chosen.candidate, reasons=[told], evidence=evidence)
    decided = stage.decided(verdict)
    return {**decided, "version": version, "rows": dataset.training_size}


def _with_history(trained: Trained, stage: Stage, inputs: Inputs) -> Trained:
    """Say in the signature how the time-window aggregations that the model reads are looked up."""
    if not stage.problem.features.windows:
        return trained
    stored = LookupSpec.model_validate_json(inputs.get("history", stage.run.key(HISTORY)))
    signature = trained.signature
    history = stored.read_by(signature.names)
    if history is None:
        return trained
    kept = {k: v for k, v in signature.example.items() if k not in history.names}
    example = {**next(reversed(history.examples), {}), **kept}
    told = {"history": history, "example": example}
    return replace(trained, signature=signature.model_copy(update=told))


def _export_rule(event: dict[str, Any]) -> dict[str, Any]:
    """Make the rule the challenger; it is the first turn's, whose recipe is the rule itself."""
    given: dict[str, Any] = event["input"] | {"features": {"iteration": 1, "recipes": [RULE]}}
    stage = Stage.open({**event, "input": given})
    inputs = Inputs(stage)
    dataset = Dataset.from_bytes(inputs.get("dataset", stage.dataset_key))
    made = rule_model(dataset, stage.problem, _libraries())
    version, checksums = _write(stage, inputs, made.dataset, made, {})
    note(iteration=1, decision=RULE, rows_in=len(dataset))
    evidence = {"version": version, "rule": stage.problem.baseline.rule,
                "columns": made.signature.names, "rows": len(dataset),
                "differing": made.differing, "sha256": checksums}  # fmt: skip
    verdict = Verdict(decision=RULE, reasons=_told(made, len(dataset)), evidence=evidence)
    stage.run.record_verdict("ExportRule", 0, verdict.model_dump(mode="json"))
    trained = {"decision": RULE, "reasons": verdict.reasons, "version": version}
    return given | {"train": trained | {"rows": dataset.training_size}}


def _told(made: RuleModel, rows: int) -> list[str]:
    told = [f"the rule is a model version that takes {', '.join(made.signature.names)}"]
    if made.differing:
        told.append(
            f"{made.differing:,} of {rows:,} rows get another answer than in the analysis: a "
            "request's numbers have 32 bits, and quality.columns fills what is missing in it"
        )
    return told


def _write(
    stage: Stage,
    inputs: Inputs,
    dataset: Dataset,
    made: Trained | RuleModel,
    importances: dict[str, float],
) -> tuple[str, dict[str, str]]:
    """Store a version that reads the dataset's columns; its name and its files' checksums."""
    version = stage.registry.name_version(stage.event.execution, stage.iteration)
    windows = window_lengths(stage.problem)
    reference = build_reference(dataset, made.holdout_scores, importances, windows)
    sample = json.dumps(sample_rows(dataset.holdout_rows, made.signature))
    checksums = stage.registry.write_version(
        version,
        {
            "model.onnx": made.onnx,
            "signature.json": made.signature.model_dump_json().encode(),
            "reference.json": reference.model_dump_json().encode(),
            "sample.json": sample.encode(),
            LINEAGE: inputs.lineage(),
        },
    )
    scores = stage.run.iteration_key(stage.iteration, "pipeline_scores.npy")
    stage.store.put(scores, _npy(made.holdout_scores))
    return version, checksums


def _libraries() -> dict[str, str]:
    return {name: installed(name) for name in LIBRARIES}


def _npy(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()
