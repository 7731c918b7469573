"""How much a model's metric falls where requests are worse than the rows that it learnt from."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from noria.common.arrays import Array
from noria.core.data.dataset import TEXTUAL, Column, Dataset, empty_value
from noria.core.features.feature_encoder import frame_of
from noria.core.model.robustness import FieldRobustness
from noria.core.statistics import metrics
from noria.core.training.fitted_model import FittedModel
from noria.errors import DataError

ROWS = 1_000
MOST_FIELDS = 15  # the most important ones; a model hardly heeds the others
NOISE = 0.05  # of a column's standard deviation: as much as many instruments are off
UNIT = 1_000.0  # a number in grams where kilograms were meant
UNSEEN = "a value never seen before"


def measure_robustness(
    model: FittedModel,
    rows: Dataset,
    importances: Mapping[str, float],
    metric: str,
    seed: int,
    threshold: float = metrics.LABEL_THRESHOLD,
) -> list[FieldRobustness]:
    """Spoil each important field of up to 1,000 rows in turn, and tell what the metric loses.

    A value is missing in every row, a number has noise or another unit, a category is a new one.
    Nothing where the metric of the rows is undefined.
    """
    generator = np.random.default_rng(seed)
    sample = rows.take(np.sort(generator.permutation(len(rows))[:ROWS]))
    names = [name for name in importances if importances[name] > 0][:MOST_FIELDS]
    columns = {one.name: one for one in sample.columns}
    spoilt = [
        (name, how, _with(sample, name, values))
        for name in names
        for how, values in _spoilt(columns[name], sample.data[name], generator)
    ]
    frames = [frame_of(sample), *(frame_of(one) for _, _, one in spoilt)]
    scores = model.scores(pd.concat(frames, ignore_index=True))
    parts = np.split(metrics.decided(metric, scores, threshold), len(frames))
    try:
        found = [metrics.score(metric, sample.target, part) for part in parts]
    except DataError:
        return []
    losses: dict[str, dict[str, float]] = {name: {} for name in names}
    for (name, how, _), value in zip(spoilt, found[1:], strict=True):
        losses[name][how] = metrics.gain(metric, found[0], value)
    return [FieldRobustness(field=name, **losses[name]) for name in names]


def _spoilt(
    column: Column, values: Array, generator: np.random.Generator
) -> Iterable[tuple[str, Array]]:
    """What may happen to a field, with the values that it then has."""
    fill: Any = empty_value(column.kind) if column.fill is None else column.fill
    missing = np.full(len(values), fill)
    if column.kind in TEXTUAL:
        yield "missing", missing.astype(np.str_)
        yield "unseen", np.full(len(values), UNSEEN)
        return
    yield "missing", missing.astype(values.dtype)
    if column.kind == "number":
        spread = float(np.nanstd(values.astype(np.float64))) if np.isfinite(values).any() else 0.0
        noise = generator.normal(0, NOISE * spread, len(values))
        yield "noise", (values + noise).astype(values.dtype)
        yield "unit", np.clip(values * UNIT, -3e38, 3e38).astype(values.dtype)


def _with(rows: Dataset, name: str, values: Array) -> Dataset:
    return replace(rows, data=rows.data | {name: values})
