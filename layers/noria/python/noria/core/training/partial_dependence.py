"""What a model answers on average as one field changes and all others stay as they are."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from noria.common.arrays import Array
from noria.core.data.dataset import Column, Dataset, is_missing
from noria.core.features.feature_encoder import frame_of
from noria.core.model.partial_dependence import PartialDependence
from noria.core.training.fitted_model import FittedModel

ROWS, FIELDS = 300, 6
POINTS, CATEGORIES = 15, 8


def partial_dependences(
    model: FittedModel, rows: Dataset, importances: Mapping[str, float], seed: int
) -> list[PartialDependence]:
    """Mean answers over up to 300 rows for the most important fields (Friedman 2001, section 8.2).

    Numbers take their quantiles from 2 % to 98 %, categories their most frequent values. Nothing of
    many classes, whose answers are no single number, nor of times and texts.
    """
    if model.classes > 2:
        return []
    generator = np.random.default_rng(seed)
    sample = rows.take(np.sort(generator.permutation(len(rows))[:ROWS]))
    columns = {one.name: one for one in rows.columns}
    chosen = [name for name, loss in importances.items() if loss > 0 and name in columns]
    grids = {name: _grid(columns[name], rows.data[name]) for name in chosen[:FIELDS]}
    grids = {name: grid for name, grid in grids.items() if len(grid) > 1}
    if not grids:
        return []
    frames = [
        frame_of(_with(sample, name, np.full(len(sample), value)))
        for name, grid in grids.items()
        for value in grid
    ]
    scores = model.scores(pd.concat(frames, ignore_index=True))
    means = iter(scores.reshape(len(frames), len(sample)).mean(axis=1).tolist())
    return [
        PartialDependence(
            field=name,
            values=tuple(grid.tolist()),
            answers=tuple(next(means) for _ in range(len(grid))),
        )
        for name, grid in grids.items()
    ]


def _grid(column: Column, values: Array) -> Array:
    known = values[~is_missing(column.kind, values)]
    if column.kind == "category":
        texts, counts = np.unique(known, return_counts=True)
        return np.asarray(texts[np.argsort(-counts, kind="stable")[:CATEGORIES]])
    if column.kind != "number" or not len(known):
        return known[:0]
    return np.unique(np.quantile(known.astype(np.float64), np.linspace(0.02, 0.98, POINTS)))


def _with(rows: Dataset, name: str, values: Array) -> Dataset:
    return replace(rows, data=rows.data | {name: values})
