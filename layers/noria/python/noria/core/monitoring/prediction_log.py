"""Logged predictions as arrays: what the monitor compares with the model's reference."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from noria.common.arrays import Array
from noria.common.log_lines import log_lines
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.request_values import logged_column
from noria.core.model.signature import Field
from noria.core.statistics.drift import DriftReference

Record = dict[str, Any]
Score = float | list[float]
ID_LENGTH = 36


def parse_lines(content: bytes) -> tuple[list[Record], int]:
    """Read JSON lines; returns the records, and how many lines were none."""
    records, refused = [], 0
    for line in log_lines(content):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict) and _is_id(record.get("prediction_id")):
            records.append(record)
        else:
            refused += 1
    return records, refused


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and 0 < len(value) <= ID_LENGTH


def by_model(
    records: Sequence[Record], widths: dict[str, int]
) -> tuple[dict[str, list[Record]], int]:
    """Group predictions by model; returns how many had no usable score, too.

    `widths` says how many probabilities a model's score has (0: one number); a model that is not
    in it is added with the width of its first score.
    """
    groups: dict[str, list[Record]] = {}
    refused = 0
    for record in records:
        model, width = record.get("model_version"), _width(record.get("score"))
        if (
            isinstance(model, str)
            and width is not None
            and widths.setdefault(model, width) == width
        ):
            groups.setdefault(model, []).append(record)
        else:
            refused += 1
    return groups, refused


def _width(score: object) -> int | None:
    values = score if isinstance(score, list) else [score]
    usable = values and all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values
    )
    if not usable:
        return None
    return len(values) if isinstance(score, list) else 0


def scores_of(records: Sequence[Record]) -> Array:
    """Return the scores of one model's predictions: shape (n,), or (n, k) for many classes."""
    return np.array([record["score"] for record in records], dtype=np.float64)


def columns_of(
    records: Sequence[Record], reference: DriftReference, fields: Sequence[Field]
) -> dict[str, Array]:
    """Return the inputs as columns of the reference, spelled and filled as the model saw them.

    What is absent or of another type is missing. Columns that the reference does not know
    (timestamps) are left out.
    """
    inputs = [r["inputs"] if isinstance(r.get("inputs"), dict) else {} for r in records]
    return {
        field.name: preprocess_column(field, _as_the_model_saw(inputs, field))
        for field in fields
        if field.name in reference.columns
    }


def _as_the_model_saw(inputs: Sequence[Record], field: Field) -> Array:
    return logged_column([row.get(field.name) for row in inputs], field)


def thinned(
    parts: Sequence[tuple[dict[str, Array], Array]], limit: int
) -> tuple[dict[str, Array], Array]:
    """Put parts together and keep at most `limit` rows, evenly spaced in time."""
    scores = np.concatenate([part for _, part in parts])
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]}
    if len(scores) <= limit:
        return columns, scores
    kept = np.linspace(0, len(scores) - 1, limit).astype(np.int64)
    return {name: values[kept] for name, values in columns.items()}, scores[kept]
