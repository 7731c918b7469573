"""Rows of the holdout as requests, with what the model was judged by on each of them."""

from typing import Any

import numpy as np

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset
from noria.core.model.example_requests import request_value
from noria.core.model.signature import Signature
from noria.core.statistics.metrics import labels

ROWS = 200


def holdout_requests(
    rows: Dataset, scores: Array, signature: Signature, most: int = ROWS
) -> dict[str, list[Any]]:
    """Make requests of up to `most` rows, evenly spaced, and the answers that are due.

    `scores` has a score, or one for each class, for every row. An answer is the probability, the
    value, or of several classes the label. Windows are given with the rows, not looked up.
    """
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)).tolist()
    due = _answers(scores, signature)
    return {
        "rows": [
            {field.name: request_value(field, rows, row) for field in signature.columns}
            for row in chosen
        ],
        "answers": [due[row] for row in chosen],
    }


def _answers(scores: Array, signature: Signature) -> list[Any]:
    if signature.task != "multiclass":
        values: list[Any] = scores.tolist()
        return values
    return [signature.label(code) for code in labels(scores, signature.threshold).tolist()]
