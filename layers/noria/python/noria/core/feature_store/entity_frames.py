"""Frames that callers hand to the feature store, checked and brought to its types."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    PREDICTION_TIME,
    FeatureSet,
    StoredColumn,
)
from noria.core.feature_store.point_in_time_sql import POSITION, key_aliases
from noria.errors import FeatureError

SHOWN = 3


def entity_rows(
    entities: pd.DataFrame, feature_set: FeatureSet, time_column: str, subject: str = "entities"
) -> pd.DataFrame:
    """The rows of `entities` as a retrieval query takes them.

    Raises `FeatureError` for a key column that is missing or has missing values, and for prediction
    times that are naive, missing or no times.
    """
    if not feature_set.entity_key:
        raise FeatureError(
            f"feature set '{feature_set.name}' has no entity key, so nothing can be looked up in "
            "it; name entity_key in the contract and run it again"
        )
    columns = {
        alias: key_values(entities, column, subject)
        for alias, column in zip(key_aliases(feature_set), feature_set.entity_key, strict=True)
    }
    columns[PREDICTION_TIME] = instants(entities, time_column, subject)
    return pd.DataFrame({**columns, POSITION: np.arange(len(entities))})


def feature_rows(rows: pd.DataFrame, feature_set: FeatureSet) -> pd.DataFrame:
    """The rows of a frame as they are written: keys, times in naive UTC, features.

    Raises `FeatureError` for columns that are missing or unknown, and for times or keys that are
    missing or naive. Without a column `created_time` the writer fills it in.
    """
    subject = f"rows for feature set '{feature_set.name}'"
    _refuse_other_columns(rows, feature_set, subject)
    rows = rows.reset_index(drop=True)
    columns = {c.name: key_values(rows, c, subject) for c in feature_set.entity_key}
    columns[EVENT_TIME] = instants(rows, EVENT_TIME, subject)
    if CREATED_TIME in rows:
        columns[CREATED_TIME] = instants(rows, CREATED_TIME, subject)
    for feature in feature_set.features:
        is_time = feature.kind == "time"
        values = instants(rows, feature.name, subject, required=False) if is_time else None
        columns[feature.name] = rows[feature.name] if values is None else values
    return pd.DataFrame(columns)


def key_values(frame: pd.DataFrame, column: StoredColumn, subject: str) -> pd.Series:
    """A key column without gaps; floats are refused, as 7 and 7.0 would be two entities."""
    if column.name not in frame:
        raise FeatureError(
            f"{subject} have no column '{column.name}', which is part of the entity key; add it"
        )
    values = frame[column.name]
    gaps = np.flatnonzero(values.isna().to_numpy())
    if len(gaps):
        raise FeatureError(
            f"{subject}: '{column.name}' is missing in row {_listed(gaps)}; an entity is named by "
            "its whole key: leave such rows out"
        )
    if pd.api.types.is_float_dtype(values.dtype):
        raise FeatureError(
            f"{subject}: '{column.name}' has fractions ({values.dtype}); 7 and 7.0 would be two "
            "entities: convert it to whole numbers or text"
        )
    whole = pd.api.types.is_integer_dtype(values.dtype)
    if not whole and (column.kind == "integer" or not _is_text(values)):
        wanted = "whole numbers" if column.kind == "integer" else "text"
        raise FeatureError(
            f"{subject}: '{column.name}' is {values.dtype}, the entity key has {wanted}; convert it"
        )
    return values.reset_index(drop=True)


def _is_text(values: pd.Series) -> bool:
    """Whether a column may name entities as text; flags and times are written in many ways."""
    kind = values.dtype
    return isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_string_dtype(values)


def instants(frame: pd.DataFrame, name: str, subject: str, required: bool = True) -> pd.Series:
    """A column of aware times as naive UTC in microseconds; other columns are refused."""
    if name not in frame:
        raise FeatureError(f"{subject} have no column '{name}'; add it, with times in a zone")
    values = frame[name]
    if pd.api.types.is_datetime64_dtype(values.dtype):
        raise FeatureError(
            f"{subject}: '{name}' has times without a zone, which may be any instant of a day; "
            "localize it, for example .dt.tz_localize('UTC')"
        )
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        raise FeatureError(
            f"{subject}: '{name}' is {values.dtype}, not a time; convert it with "
            "pandas.to_datetime(..., utc=True)"
        )
    gaps = np.flatnonzero(values.isna().to_numpy())
    if required and len(gaps):
        raise FeatureError(f"{subject}: '{name}' is missing in row {_listed(gaps)}; fill it in")
    naive: pd.Series = values.dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit("us")
    return naive.reset_index(drop=True)


def aware(moment: datetime, name: str) -> datetime:
    """An instant in UTC; one without a zone is refused with `FeatureError`."""
    if moment.tzinfo is None:
        raise FeatureError(f"{name} {moment.isoformat()} has no zone; give it one, such as UTC")
    return moment.astimezone(UTC)


def _refuse_other_columns(rows: pd.DataFrame, feature_set: FeatureSet, subject: str) -> None:
    wanted = {column.name for column in feature_set.columns} | {EVENT_TIME}
    missing = [feature.name for feature in feature_set.features if feature.name not in rows]
    if missing:
        raise FeatureError(f"{subject} have no column '{missing[0]}'; add it, or define a new set")
    unknown = [str(name) for name in rows.columns if name not in wanted | {CREATED_TIME}]
    if unknown:
        raise FeatureError(
            f"{subject} have a column '{unknown[0]}' that the set has not; register the set with it"
        )


def _listed(positions: Sequence[int] | np.ndarray) -> str:
    shown = ", ".join(str(position) for position in positions[:SHOWN])
    more = len(positions) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
