"""What drove an answer: how much each field moves it from the mean answer of training rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.model.background_rows import BackgroundRows
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.shapley import EVALUATIONS, Score, shapley_values
from noria.core.model.signature import input_name
from noria.core.statistics.metrics import labels
from noria.errors import RequestError

CHARACTERS = 40_000_000  # of prose, in all answers for one row: a second of CPU
EXPLAINED_ROWS = 5  # at a time: each takes thousands of answers


def explain(
    model: OnnxModel, inputs: Mapping[str, Array], background: BackgroundRows
) -> list[dict[str, Any]]:
    """Explain the answers to a few rows, `inputs` as the graph takes them.

    Of two classes the positive one's probability is explained, of several that of the class that
    is answered, else the value. Contributions come largest first; with `base` they add up to
    `score`. Raises RequestError for more rows, and where answers nearby are not finite.
    """
    flat = _flat(inputs)
    rows = len(next(iter(flat.values())))
    if rows > EXPLAINED_ROWS:
        raise RequestError(
            f"rows: {rows} given to explain; send at most {EXPLAINED_ROWS} with explain=true"
        )
    compared = _flat(model.inputs(background.arrays(model.signature)))
    return [_explained(model, _row(flat, number), compared, number) for number in range(rows)]


def _explained(
    model: OnnxModel, row: Mapping[str, Array], background: Mapping[str, Array], number: int
) -> dict[str, Any]:
    score, told = _score_of(model, row)
    with np.errstate(all="ignore"):  # what is not finite is refused below
        found = shapley_values(score, row, background, evaluations=_affordable(model, row))
        answer = float(score(row)[0])
    if not np.isfinite([found.base, answer, *found.values.values()]).all():
        raise RequestError(
            f"row {number} cannot be explained: answers to rows like it are not finite; send "
            "values nearer to those that GET /model lists"
        )
    fields = {input_name(field.name): field.name for field in model.signature.columns}
    largest = sorted(found.values, key=lambda name: (-abs(found.values[name]), name))
    errors = found.errors
    return {
        **told,
        "method": "exact" if errors is None else "sampled",
        "background_rows": found.rows,
        "base": found.base,
        "score": answer,
        "contributions": {fields[name]: found.values[name] for name in largest},
        **({"standard_errors": {fields[name]: errors[name] for name in largest}} if errors else {}),
    }


def _affordable(model: OnnxModel, row: Mapping[str, Array]) -> int:
    """How many answers may be asked for: fewer where each has to read long prose."""
    prose = [input_name(one.name) for one in model.signature.columns if one.kind == "text"]
    length = sum(len(str(row[name][0])) for name in prose)
    return min(EVALUATIONS, CHARACTERS // max(1, length))


def _score_of(model: OnnxModel, row: Mapping[str, Array]) -> tuple[Score, dict[str, Any]]:
    """The number that is explained, per row, and the class whose probability it is."""
    signature = model.signature

    def scores(columns: Mapping[str, Array]) -> NDArray[np.float64]:
        return model.run({name: values.reshape(-1, 1) for name, values in columns.items()})

    if signature.task == "regression":
        return scores, {}
    code = 1
    if signature.task == "multiclass":
        code = int(labels(scores(row), signature.threshold)[0])
    return lambda columns: _of_class(scores(columns), code), {"class": signature.label(code)}


def _of_class(scores: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    """The probability of one class; of two, the scores are those of the second."""
    if scores.ndim == 2:
        return np.asarray(scores[:, code])
    return scores if code == 1 else np.asarray(1 - scores)


def _flat(inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Inputs of shape (n,); texts as objects, of which thousands of copies take no room."""
    return {
        name: values.reshape(-1).astype(np.object_ if values.dtype.kind == "U" else values.dtype)
        for name, values in inputs.items()
    }


def _row(inputs: Mapping[str, Array], number: int) -> dict[str, Array]:
    return {name: values[number : number + 1] for name, values in inputs.items()}
