"""Serve a model: strict request fields in, answers out, by ONNX Runtime alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.common.messages import ascii_repr, comma_list, nearest
from noria.core.model.answers import Answer, Answers
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.request_values import request_column
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

    def score(self, data: Mapping[str, Array]) -> NDArray[np.float64]:
        """Score dataset columns: P(positive), class probabilities (n, k), or values."""
        fields = {}
        for field in self.signature.columns:
            values = preprocess_column(field, _checked(field, data.get(field.name)))
            fields[input_name(field.name)] = values.reshape(-1, 1)
        return np.asarray(self._session.run(["score"], fields)[0], dtype=np.float64)

    def answer(self, rows: Sequence[Mapping[str, Any]]) -> Answers:
        """Answer request rows; RequestError where one does not fit the signature."""
        return Answers.of(self.score(to_columns(rows, self.signature)), self.signature)

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


def to_columns(rows: Sequence[Mapping[str, Any]], signature: Signature) -> dict[str, Array]:
    """Convert request rows to dataset columns; a field left out or null is a missing value."""
    if not rows:
        raise RequestError("the request has no rows: send at least one")
    known, unknown = signature.known, dict[str, int]()
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise RequestError(f"row {number} is {ascii_repr(row)}: send an object of fields")
        if not row.keys() <= known:
            unknown |= {name: number for name in row if name not in known | unknown.keys()}
    if unknown:
        raise RequestError(_unknown_fields(unknown, signature))
    return {
        field.name: request_column([row.get(field.name) for row in rows], field)
        for field in signature.columns
    }


def _unknown_fields(rows: Mapping[str, int], signature: Signature) -> str:
    """Name all unknown fields at once; `rows` has the first row of each."""
    if signature.target in rows:
        field = f"row {rows[signature.target]}, field {ascii_repr(signature.target)}"
        return f"{field}: it is what the model predicts: leave it out"
    looked_up_by = signature.history.fields if signature.history else []
    names = list(dict.fromkeys([*looked_up_by, *signature.names]))
    found = {name: nearest(str(name), names) for name in rows}
    place, knows = f"row {min(rows.values())}: the model has no", f"it knows {comma_list(names)}"
    if len(found) == 1:
        [(name, near)] = found.items()
        return f"{place} field {ascii_repr(name)}; {f'did you mean {near!r}?' if near else knows}"
    told = [
        f"{ascii_repr(name)}{f' (did you mean {near!r}?)' if near else ''}"
        for name, near in found.items()
    ]
    return f"{place} fields {comma_list(told)}; {knows}"
