"""ScoreHoldout: the very artifacts that serve, scored on the rows that training never saw."""

import io
from typing import Any

import numpy as np

from noria.core.data.dataset import Dataset
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from noria.errors import RegistryError, RequestError
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Score challenger and champion on identical rows."""
    stage = Stage.open(event)
    rows = Dataset.from_bytes(stage.dataset()).holdout_rows
    note(rows_in=len(rows))
    scores = {"challenger": _score(stage, stage.version, rows)}
    result: dict[str, Any] = {"rows": len(rows), "champion": None}
    champion = stage.registry.champion()
    if champion and champion.version != stage.version:
        result["champion"] = champion.version
        try:
            scores["champion"] = _score(stage, champion.version, rows)
        except (RequestError, RegistryError) as error:
            result["champion_unscorable"] = str(error)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **scores)
    stage.store.put(stage.run.turn_key(stage.turn, "scores.npz"), buffer.getvalue())
    return result


def _score(stage: Stage, version: str, rows: Dataset) -> Any:
    onnx, signature = stage.registry.model(version)
    model = OnnxModel(onnx, Signature.model_validate(signature))
    missing = sorted(set(model.signature.names) - set(rows.data))
    if missing:
        raise RequestError(
            f"model version '{version}' needs column '{missing[0]}', which the data no longer has"
        )
    return model.score(rows.data)
