"""The model that Noria's stages find for a table, asked as the endpoint asks it.

python -m tests.bench.noria_model FOLDER prints its score of test.csv. The stages run one after
another in this process, the trials of a rung too.
"""

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from noria.common.arrays import Array
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from noria.core.statistics import metrics
from tests.support.stages import Outcome, run_stages

ROWS_OF_A_REQUEST = 1_000


def main(folder: Path) -> None:
    """Train on train.csv with a contract that says no more than it must."""
    told = json.loads((folder / "table.json").read_text())
    start = time.perf_counter()
    content = (folder / "train.csv").read_bytes()
    frequent = float(pd.read_csv(io.BytesIO(content))[told["target"]].value_counts(True).max())
    outcome = run_stages(_contract(told, frequent), {"rows": ("rows.csv", content)})
    seconds = time.perf_counter() - start
    found: dict[str, Any] = {"seconds": seconds, "decision": outcome.decision}
    if outcome.files:
        model = _model(outcome)
        found |= {"score": _score(model, folder, told), "model": model.signature.candidate}
    print(json.dumps(found))


def _contract(told: dict[str, str], frequent: float) -> dict[str, Any]:
    """Ask for a little more than nothing, of classes than the share of the most frequent one."""
    kind, metric = told["kind"], told["metric"]
    task = kind if kind in ("multiclass", "regression") else "binary"
    easy = {"roc_auc": 0.55, "r2": 0.01}.get(metric, frequent + 0.01)
    return {
        "name": "bench", "statement": f"What is to be expected of {told['name']}?", "task": task,
        "target": told["target"], "sources": [{"name": "rows", "kind": "s3", "primary": True}],
        "objective": {"metric": metric, "threshold": easy},
        **({"positive_class": kind} if task == "binary" else {}),
    }  # fmt: skip


def _model(outcome: Outcome) -> OnnxModel:
    """The last version that was trained."""
    versions = sorted({key.split("/")[1] for key in outcome.files}, key=lambda one: int(one[1:]))
    files = {name: outcome.files[f"models/{versions[-1]}/{name}"]
             for name in ("model.onnx", "signature.json")}  # fmt: skip
    signature = Signature.model_validate_json(files["signature.json"])
    return OnnxModel(files["model.onnx"], signature)


def _score(model: OnnxModel, folder: Path, told: dict[str, str]) -> float:
    """Ask for every test row as a request, and score the answers."""
    rows = pd.read_csv(folder / "test.csv")
    truth = rows.pop(told["target"])
    requests = json.loads(rows.to_json(orient="records"))
    answers = [
        answer
        for first in range(0, len(requests), ROWS_OF_A_REQUEST)
        for answer in model.predict(requests[first : first + ROWS_OF_A_REQUEST])
    ]
    y, prediction = _compared(model.signature, truth, answers)
    return metrics.score(told["metric"], y, prediction)


def _compared(
    signature: Signature, truth: pd.Series, answers: list[dict[str, Any]]
) -> tuple[Array, Array]:
    if signature.task == "regression":
        return truth.to_numpy(), np.array([one["prediction"] for one in answers])
    classes = {name: code for code, name in enumerate(signature.classes)}
    y = np.array([classes[str(one)] for one in truth])
    if signature.task == "binary":
        return y, np.array([one["probability"] for one in answers])
    return y, np.array([[*one["probabilities"].values()] for one in answers])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
