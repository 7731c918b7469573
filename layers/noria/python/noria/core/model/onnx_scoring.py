"""Serve a model: strict request fields in, answers out, by ONNX Runtime alone."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.common.messages import ascii_repr
from noria.common.timestamps import RefusedError, as_seconds
from noria.core.data.dataset import empty_value, typed
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.signature import Field, Signature, input_name
from noria.core.statistics.metrics import labels
from noria.errors import RequestError

LARGEST = {bits: float(np.finfo(kind).max) for bits, kind in ((32, np.float32), (64, np.float64))}


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

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answer request rows; RequestError where one does not fit the signature."""
        scores = self.score(to_columns(rows, self.signature))
        if self.signature.task == "regression":
            return [{"prediction": value} for value in scores.tolist()]
        names = [self.signature.label(code) for code in range(len(self.signature.classes))]
        chosen = [names[code] for code in labels(scores).tolist()]
        if self.signature.task == "binary":
            pairs = zip(chosen, scores.tolist(), strict=True)
            return [{"prediction": name, "probability": value} for name, value in pairs]
        return [
            {
                "prediction": name,
                "probabilities": dict(zip(self.signature.classes, row, strict=True)),
            }
            for name, row in zip(chosen, scores.tolist(), strict=True)
        ]


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
    known = signature.known
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise RequestError(f"row {number} is {ascii_repr(row)}: send an object of fields")
        if not row.keys() <= known:
            raise RequestError(_unknown_field(number, row, signature))
    return {field.name: _column(rows, field) for field in signature.columns}


def _column(rows: Sequence[Mapping[str, Any]], field: Field) -> Array:
    convert = {
        "number": _number, "category": _category, "text": _category, "timestamp": _timestamp
    }[field.kind]  # fmt: skip
    missing = empty_value(field.kind)
    values = []
    for number, row in enumerate(rows):
        value = row.get(field.name)
        try:
            values.append(missing if value is None else convert(value, field))
        except RefusedError as refusal:
            raise RequestError(
                f"row {number}, field {field.name!r}: {ascii_repr(value)} {refusal}"
            ) from None
    return typed(field.kind, values, field.double)


def _number(value: object, field: Field) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError("is not a number: send a number or null")
    # Compared before any conversion: Python integers can be larger than every float.
    bits = 64 if field.double else 32
    if not -LARGEST[bits] <= value <= LARGEST[bits]:
        raise RefusedError(f"is not a finite {bits}-bit number: send one, or null if unknown")
    return float(value)


def _category(value: object, field: Field) -> str:
    if isinstance(value, bool):
        spellings = [text for text in field.values if text.lower() == str(value).lower()]
        if spellings:
            return spellings[0]
    if not isinstance(value, str):
        raise RefusedError("is not a text: send a string or null")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RefusedError("is not valid Unicode: send a string without lone surrogates") from None
    return value


def _timestamp(value: object, field: Field) -> int:
    return as_seconds(value, field.zone)


def _unknown_field(number: int, row: Mapping[str, Any], signature: Signature) -> str:
    name = next(name for name in row if name not in signature.known)
    looked_up_by = signature.history.fields if signature.history else []
    names = list(dict.fromkeys([*looked_up_by, *signature.names]))
    near = difflib.get_close_matches(str(name), names, 1, 0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(names)}"
    return f"row {number}: the model has no field {ascii_repr(name)}; {hint}"
