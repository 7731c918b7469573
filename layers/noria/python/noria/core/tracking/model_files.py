"""A model version as a folder that MLflow reads: its files, and `MLmodel`, which describes them.

https://mlflow.org/docs/latest/ml/model/#storage-format. The flavour is `onnx`: the graph is what
serves. `python_function` is not claimed, as a request's spellings, fills and units are Noria's own
and `mlflow models serve` would skip them.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from noria.core.model.signature import Signature
from noria.core.model.written_types import DataType

FOLDER = "model"
DESCRIPTION = "MLmodel"
GRAPH = "model.onnx"
#: A version's files that go along, where it has them.
FILES = (GRAPH, "signature.json", "model_card.html", "evaluation.json", "lineage.json")
TYPES: Mapping[DataType, str] = {
    "boolean": "boolean", "integer": "long", "number": "double", "string": "string"
}  # fmt: skip


def mlmodel(signature: Signature, run_id: str, made: datetime, size: int) -> bytes:
    """`MLmodel` of a version, logged to MLflow's run of this id; `size` is that of its graph.

    It is YAML, of which JSON is a part.
    """
    document: dict[str, Any] = {
        "artifact_path": FOLDER,
        "flavors": {"onnx": {"data": GRAPH, "code": None}},
        "model_size_bytes": size,
        "run_id": run_id,
        "utc_time_created": made.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "signature": {
            "inputs": json.dumps(_inputs(signature)),
            "outputs": json.dumps(_outputs(signature)),
            "params": None,
        },
        "metadata": {"problem": signature.problem, "statement": signature.statement},
    }
    return json.dumps(document, indent=2).encode()


def _inputs(signature: Signature) -> list[dict[str, Any]]:
    """The fields of a request: all may be missing, as a model answers without any."""
    return [
        {"name": field.name, "type": TYPES[field.type], "required": False}
        for field in signature.asked
    ]


def _outputs(signature: Signature) -> list[dict[str, Any]]:
    """What is answered: a number, or a label with the probability of each class."""
    if signature.task == "regression":
        return [{"name": signature.target, "type": "double", "required": True}]
    labels = {"bool": "boolean", "int": "long", "float": "double", "str": "string"}
    label = {"name": signature.target, "type": labels[signature.label_type], "required": True}
    return [
        label,
        *({"name": f"probability of {name}", "type": "double", "required": True}
          for name in signature.classes),
    ]  # fmt: skip
