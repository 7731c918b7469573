"""Serve a model: strict request fields in, answers out, by ONNX Runtime alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.model.answers import Answer, Answers
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.row_reader import RowReader
from noria.core.model.signature import Field, Signature, input_name
from noria.errors import RequestError


class OnnxModel:
    """A loaded model version."""

    def __init__(self, onnx: bytes, signature: Signature, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(onnx, options, providers=providers)
        self.signature = signature
        self._reader = RowReader(signature)

    def score(self, data: Mapping[str, Array]) -> NDArray[np.float64]:
        """Score dataset columns: P(positive), class probabilities (n, k), or values."""
        return self.run(self.inputs(data))

    def inputs(self, data: Mapping[str, Array]) -> dict[str, Array]:
        """What the graph takes of dataset columns: arrays of shape (n, 1) by input name."""
        return {
            input_name(field.name): preprocess_column(
                field, _checked(field, data.get(field.name))
            ).reshape(-1, 1)
            for field in self.signature.columns
        }

    def run(self, inputs: Mapping[str, Array]) -> NDArray[np.float64]:
        """Score what the graph takes, see `inputs`."""
        return np.asarray(self._session.run(["score"], dict(inputs))[0], dtype=np.float64)

    def answer(self, rows: Sequence[Mapping[str, Any]]) -> Answers:
        """Answer request rows; RequestError where one does not fit the signature."""
        inputs = self._reader.inputs(rows)
        return replace(Answers.of(self.run(inputs), self.signature), inputs=inputs)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Answer request rows, each as a dictionary."""
        return self.answer(rows).as_dicts()


def _checked(field: Field, values: Array | None) -> Array:
    """Refuse a column that is gone or has become another kind since training."""
    if values is None:
        raise RequestError(f"column {field.name!r} is missing: the model was trained with it")
    accepted = {"number": "fiu", "category": "UO", "text": "UO", "timestamp": "iu"}[field.kind]
    if values.dtype.kind not in accepted:
        raise RequestError(
            f"column {field.name!r} holds {values.dtype} values, the model was trained with a "
            f"{field.kind}: retrain it on the data as they are now"
        )
    return values
