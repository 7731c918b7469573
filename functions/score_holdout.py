"""ScoreHoldout and CheckFinalFit: the very artifacts that serve, scored on the holdout's rows."""

import io
from typing import Any

import numpy as np

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.core.data.dataset import Dataset
from noria.core.evaluation.final_fit import JudgedScore, judge_final_fit
from noria.core.model.holdout_requests import holdout_requests
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from noria.errors import RegistryError, RequestError
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Score challenger and champion on identical rows, or the fit on all rows on those it saw."""
    stage = Stage.open(event)
    rows = Dataset.from_bytes(stage.dataset()).holdout_rows
    note(rows_in=len(rows))
    return (
        _check_final_fit(stage, rows)
        if stage.event.state == "CheckFinalFit"
        else _score_both(stage, rows)
    )


def _score_both(stage: Stage, rows: Dataset) -> dict[str, Any]:
    """Score what was judged of the champion: its fit on all rows may have seen these."""
    challenger = _judged(stage, stage.version)
    scores = {"challenger": _score(challenger, stage.version, rows)}
    _keep_requests(stage, rows, scores["challenger"], challenger.signature)
    result: dict[str, Any] = {"rows": len(rows), "champion": None}
    champion = stage.registry.champion()
    if champion and champion.version != stage.version:
        result["champion"] = champion.version
        try:
            scores["champion"] = _score(_judged(stage, champion.version), champion.version, rows)
        except (RequestError, RegistryError) as error:
            result["champion_unscorable"] = str(error)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **scores)
    stage.store.put(stage.run.iteration_key(stage.iteration, "scores.npz"), buffer.getvalue())
    return result


def _check_final_fit(stage: Stage, rows: Dataset) -> dict[str, Any]:
    """Let the fit on all rows serve, unless it answers other than its pipeline, or worse."""
    names = [str(name) for name in stage.event.result("refit")["files"]]
    files = {name: stage.store.get(stage.final_fit_key(name)) for name in names}
    model = OnnxModel(files["model.onnx"], Signature.model_validate_json(files["signature.json"]))
    content = stage.store.get(stage.final_fit_key("pipeline_scores.npy"))
    pipeline = np.load(io.BytesIO(content), allow_pickle=False)
    evaluation = stage.store.get_json(stage.run.iteration_key(stage.iteration, "evaluation.json"))
    interval = evaluation["interval"]
    judged = JudgedScore(evaluation["value"], interval["low"], interval["high"])
    scores = model.score(rows.data)
    verdict = judge_final_fit(
        stage.problem, rows.target, scores, pipeline, judged, model.signature.threshold
    )
    adopted = verdict.decision == "adopted"
    trained = stage.event.result("refit" if adopted else "train")["rows"]
    if adopted:
        _keep_requests(stage, rows, scores, model.signature)
        checksums = stage.registry.adopt_final_fit(stage.version, files)
        told = f"version {stage.version} serves as fitted on all {counted(trained, 'row')}"
        evidence = verdict.evidence | {"rows": trained, "sha256": checksums}
        verdict = Verdict(decision="adopted", reasons=[told, *verdict.reasons], evidence=evidence)
    return {**stage.decided(verdict), "rows": trained}


def _keep_requests(stage: Stage, rows: Dataset, scores: Any, signature: Signature) -> None:
    """Keep rows with their scores: ReplayRequests asks whether the endpoint answers the same."""
    stage.store.put_json(stage.holdout_requests_key, holdout_requests(rows, scores, signature))


def _judged(stage: Stage, version: str) -> OnnxModel:
    onnx, signature = stage.registry.judged_model(version)
    return OnnxModel(onnx, Signature.model_validate(signature))


def _score(model: OnnxModel, version: str, rows: Dataset) -> Any:
    missing = sorted(set(model.signature.names) - set(rows.data))
    if missing:
        raise RequestError(
            f"model version '{version}' needs column '{missing[0]}', which the data no longer has"
        )
    return model.score(rows.data)
