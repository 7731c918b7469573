"""Time-window aggregations of a run's own rows, for the analysis: late rows are not known yet.

EngineerFeatures computes them again out of the feature store, which knows; by the same function.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from noria.common.arrays import Array
from noria.common.messages import comma_list
from noria.contracts import Problem
from noria.contracts import Window as Asked
from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.windows.tiles import (
    NO_END,
    OF_TIMES,
    EntityRows,
    WindowAggregation,
    evaluate,
    to_tiles,
)
from noria.errors import DataError


def with_windows(dataset: Dataset, accepted: pd.DataFrame, problem: Problem) -> Dataset:
    """The dataset with a number column per window; `accepted` are its rows, in its order.

    Raises `DataError` for a window of a column that is not there, or is no number where its
    function needs one, and for a name that a column has already.
    """
    asked = problem.features.windows
    if not asked or dataset.event_time is None:
        return dataset
    values = {one.column: _values(one, dataset, accepted, problem) for one in asked}
    windows = [_window(one) for one in asked]
    codes = accepted.groupby(problem.entity_key, sort=False).ngroup()
    entity = np.asarray(codes.fillna(-1), dtype=np.int64)
    delay = int(problem.feature_delay.total_seconds())
    tiles = {
        one.group: to_tiles(_rows(dataset.event_time, entity, values[one.column], delay),
                            one.tile, delay)
        for one in windows
    }  # fmt: skip
    found = evaluate(tiles, windows, entity, dataset.event_time, delay)
    return with_columns(dataset, found)


def with_columns(dataset: Dataset, found: Mapping[str, Array]) -> Dataset:
    """The dataset with these number columns, in place of those of their names or after all."""
    kept = tuple(column for column in dataset.columns if column.name not in found)
    added = tuple(Column(name, "number") for name in found)
    return replace(dataset, columns=(*kept, *added), data={**dataset.data, **found})


def _window(asked: Asked) -> WindowAggregation:
    return WindowAggregation(
        name=asked.as_,
        column=asked.column,
        function=asked.function,
        over=int(asked.over.total_seconds()),
    )


def _rows(times: Array, entity: Array, values: Array, delay: int) -> EntityRows:
    there = ~np.isnan(values) & (entity >= 0) & (times != MISSING_TIMESTAMP)
    when = times[there]
    return EntityRows(
        entity=entity[there],
        time=when,
        known=when + delay,
        until=np.full(len(when), NO_END),
        value=values[there],
    )


def _values(asked: Asked, dataset: Dataset, accepted: pd.DataFrame, problem: Problem) -> Array:
    """A column as doubles: its numbers, or 1 where only its presence counts."""
    if asked.as_ in (*accepted.columns, problem.target.name):
        raise DataError(f"features.windows: {asked.as_!r} is a column already; choose another as")
    if asked.column == problem.target.name:
        return _of_target(asked, dataset)
    if asked.column not in accepted.columns:
        raise DataError(
            f"features.windows: {asked.as_!r} reads {asked.column!r}, which the accepted rows do "
            f"not have; they have {comma_list(map(str, accepted.columns))}: bring the column "
            "back, or take the window out"
        )
    values = accepted[asked.column]
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        numbers = values.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    _refuse_texts(asked)
    return np.where(values.notna().to_numpy(), 1.0, np.nan)


def _of_target(asked: Asked, dataset: Dataset) -> Array:
    if len(dataset.classes) > 2:
        _refuse_texts(asked)
        return np.ones(len(dataset))
    return dataset.target.astype(np.float64)


def _refuse_texts(asked: Asked) -> None:
    if asked.function not in OF_TIMES:
        raise DataError(
            f"features.windows: {asked.as_!r} is the {asked.function} of {asked.column!r}, which "
            f"holds no numbers; use {' or '.join(OF_TIMES)}, or declare it in quality.columns"
        )
