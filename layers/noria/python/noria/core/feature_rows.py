"""Rows for the offline feature store: entity key, event time, created time, typed features."""

from datetime import datetime

import pandas as pd

from noria.contracts import Problem

EVENT_TIME, CREATED_TIME = "event_time", "created_time"


def to_feature_rows(accepted: pd.DataFrame, problem: Problem, created: datetime) -> pd.DataFrame:
    """Shape accepted rows for the store: every number double, every other value text or time.

    One type per kind keeps the table's schema the same from run to run. Times are naive UTC, as
    Athena reads them. Without an event time, the rows count as of `created`.
    """
    rows = pd.DataFrame({name: _stored(accepted[name]) for name in accepted.columns})
    for key in problem.entity_key:
        rows[key] = accepted[key].astype("string")
    time_column = problem.event_time_column
    stamp = pd.Timestamp(created).tz_convert(None)
    if time_column is None:
        rows[EVENT_TIME] = stamp
    elif time_column != EVENT_TIME:
        rows[EVENT_TIME] = rows[time_column]
    rows[CREATED_TIME] = stamp
    return rows.rename(columns=str.lower)


def _stored(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        naive: pd.Series = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return naive
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("Float64").astype("float64")
    return values.astype("string")
