"""TrainModel, ExportRule, FitAllRows: the winner or the rule as a version; the fit on all rows."""

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.data.window_coverage import window_lengths
from noria.core.features.plan import Plan
from noria.core.model.background_rows import BACKGROUND, BackgroundRows
from noria.core.model.calibration import reliability
from noria.core.model.example_requests import sample_rows
from noria.core.model.signature import Signature
from noria.core.rule_model.rule_model import RULE, RuleModel, rule_model
from noria.core.statistics.drift import build_reference
from noria.core.training.calibration_search import calibrate, why_uncorrected
from noria.core.training.candidate_search import OutOfFold
from noria.core.training.decision_threshold import choose_threshold
from noria.core.training.fitted_model import Member, members_of
from noria.core.training.interval_search import find_interval
from noria.core.training.train import Trained, fit_all_rows, train
from noria.core.training.trial import Experiment
from noria.core.windows.lookup_spec import LookupSpec
from noria.lifecycle.experiments import (
    JUDGED_FOLDS,
    read_experiment,
    read_predictions,
    write_predictions,
)
from noria.lifecycle.library_versions import library_versions
from noria.lifecycle.model_inputs import LINEAGE, Inputs
from noria.lifecycle.stage import HISTORY, Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13
JUDGED_SCORES = "pipeline_scores.npy"


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store the version's files, the manifest last."""
    stage = Stage.open(event)
    if stage.event.state == "ExportRule":
        return _export_rule(event)
    return _fit_all_rows(stage) if stage.event.state == "FitAllRows" else _train(stage)


def _train(stage: Stage) -> dict[str, Any]:
    """Train the best candidate on all training rows."""
    inputs = Inputs(stage)
    dataset = Dataset.from_bytes(inputs.get("dataset", stage.dataset_key))
    note(rows_in=dataset.training_size)
    trial = str(stage.event.result("judge")["trial"])
    chosen = read_experiment(stage, trial)
    calibration, predicted = calibrate(stage.problem, read_predictions(stage, trial))
    write_predictions(stage, JUDGED_FOLDS, predicted)
    decision = choose_threshold(stage.problem, predicted.target, predicted.scores, SEED)
    interval = find_interval(stage.problem, predicted)
    members = _members(stage, chosen, inputs)
    trained = train(
        dataset, members, stage.problem, SEED, library_versions(),
        decision=decision, calibration=calibration, interval=interval,
    )  # fmt: skip
    if calibration is None:
        trained = _as_they_are(trained, stage.problem, predicted)
    trained = _with_history(trained, stage, inputs)
    read = dataset.only(trained.signature.names)
    version, checksums = _write(stage, inputs, read, trained, trained.importances)
    evidence = {"version": version, "candidate": chosen.candidate, "setting": chosen.setting,
                "rows": dataset.training_size, "sha256": checksums}  # fmt: skip
    setting = f", setting {chosen.setting}" if chosen.setting else ""
    made_of = f"recipe {chosen.recipe}{setting}"
    if chosen.blend:
        made_of = ", ".join(str(one) for one in chosen.blend)
    told = f"{made_of}, on {counted(dataset.training_size, 'training row')}"
    reasons = [told, *(one.sentence for one in (calibration, decision, interval) if one)]
    verdict = Verdict(decision=chosen.candidate, reasons=reasons, evidence=evidence)
    decided = stage.decided(verdict)
    return {**decided, "version": version, "rows": dataset.training_size}


def _fit_all_rows(stage: Stage) -> dict[str, Any]:
    """Fit the accepted model on the holdout too; CheckFinalFit says whether it serves."""
    dataset = Dataset.from_bytes(stage.dataset())
    note(rows_in=len(dataset))
    judged = Signature.model_validate(stage.registry.judged_model(stage.version)[1])
    chosen = read_experiment(stage, str(stage.event.result("judge")["trial"]))
    members = _members(stage, chosen, Inputs(stage))
    trained = fit_all_rows(dataset, members, judged, stage.problem, SEED, library_versions())
    trained = _with_history(trained, stage, Inputs(stage))
    kept = stage.store.get(stage.run.iteration_key(stage.iteration, JUDGED_SCORES))
    made = replace(trained, holdout_scores=_from_npy(kept))
    read = dataset.only(trained.signature.names)
    files = _files(stage, read, made, trained.importances)
    for name, content in files.items():
        stage.store.put(stage.final_fit_key(name), content)
    stage.store.put(stage.final_fit_key(JUDGED_SCORES), _npy(trained.holdout_scores))
    return {"rows": len(dataset), "files": [*files]}


def _members(stage: Stage, chosen: Experiment, inputs: Inputs) -> list[Member]:
    """What is fitted: the chosen candidate, or what its blend is made of."""
    plan_key = stage.run.iteration_key(stage.iteration, "plan.json")
    plan = Plan.model_validate_json(inputs.get("plan", plan_key))
    plans = {plan.recipe: plan} | {
        recipe: Plan.model_validate_json(inputs.get(f"plan {recipe}", stage.plan_key(recipe)))
        for recipe in chosen.recipes
        if recipe != plan.recipe
    }
    return members_of(chosen, plans)


def _as_they_are(trained: Trained, problem: Problem, predicted: OutOfFold) -> Trained:
    """Say in the signature why probabilities are not corrected, and how true they are."""
    of_two = problem.task != "regression" and len(predicted.rows) and predicted.scores.ndim == 1
    bins = reliability(predicted.target, predicted.scores) if of_two else ()
    told = {"calibration_note": why_uncorrected(problem, predicted), "reliability": bins}
    return replace(trained, signature=trained.signature.model_copy(update=told))


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
    made = rule_model(dataset, stage.problem, library_versions())
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
    files = _files(stage, dataset, made, importances)
    checksums = stage.registry.write_version(version, {**files, LINEAGE: inputs.lineage()})
    scores = stage.run.iteration_key(stage.iteration, JUDGED_SCORES)
    stage.store.put(scores, _npy(made.holdout_scores))
    return version, checksums


def _files(
    stage: Stage, dataset: Dataset, made: Trained | RuleModel, importances: dict[str, float]
) -> dict[str, bytes]:
    """What a version serves with, and what live use is compared with.

    The reference has scores of rows that the model was not trained on.
    """
    windows = window_lengths(stage.problem)
    reference = build_reference(dataset, made.holdout_scores, importances, windows)
    sample = json.dumps(sample_rows(dataset.holdout_rows, made.signature))
    return {
        "model.onnx": made.onnx,
        "signature.json": made.signature.model_dump_json().encode(),
        "reference.json": reference.model_dump_json().encode(),
        BACKGROUND: BackgroundRows.of(dataset.training).model_dump_json().encode(),
        "sample.json": sample.encode(),
    }


def _from_npy(content: bytes) -> Any:
    return np.load(io.BytesIO(content), allow_pickle=False)


def _npy(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()
