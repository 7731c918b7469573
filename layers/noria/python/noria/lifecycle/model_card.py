"""The model card of a version, written from what its run and the registry recorded."""

from collections.abc import Sequence

from noria.core.evaluation.results import EvaluationResult
from noria.core.model.signature import Signature
from noria.core.reporting.model_card import render_model_card
from noria.core.reporting.run_evidence import RunEvidence
from noria.lifecycle.model_inputs import LINEAGE
from noria.lifecycle.stage import Stage


def write_model_card(
    stage: Stage, signature: Signature, evaluation: EvaluationResult, reasons: Sequence[str]
) -> None:
    """Render the card of the version that this iteration trained, and store it beside it."""
    experiments = [item for item in stage.run.experiments() if item["iteration"] == stage.iteration]
    card = render_model_card(
        signature,
        evaluation,
        experiments,
        stage.version,
        reasons,
        stage.event.execution,
        run_evidence(stage),
    )
    key = f"models/{stage.version}/model_card.html"
    stage.store.put(key, card.encode(), "text/html; charset=utf-8")


def run_evidence(stage: Stage) -> RunEvidence:
    """What is recorded of this run so far; a rule has no plan."""
    store, run = stage.store, stage.run
    promotions = stage.registry.promotions()
    return RunEvidence(
        problem=stage.problem,
        analysis=store.get_json(run.key("analysis.json"), {}),
        verdicts=run.verdicts(),
        collected=store.get_json(run.key("collected.json"), {}),
        origin=store.get_json(f"models/{stage.version}/{LINEAGE}", {}),
        plan=store.get_json(run.iteration_key(stage.iteration, "plan.json"), {}),
        promotions=[one.model_dump(mode="json") for one in promotions],
        champion=stage.event.result("score").get("champion"),
        cause=stage.event.result("run").get("cause") or stage.event.input.get("cause") or {},
        judged_models=stage.iteration,
    )
