"""Columns of the feature store as pandas has them, without pyarrow."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from noria.core.feature_store.feature_set import StoredColumn

# What stands under a gap, and numpy's type.
_PLAIN: Mapping[str, tuple[Any, Any]] = {
    "number": (0.0, np.float64),
    "integer": (0, np.int64),
    "flag": (False, np.bool_),
    "time": (0, np.int64),
    "text": ("", object),
}


def to_frame(found: Mapping[str, Any], columns: Sequence[StoredColumn]) -> pd.DataFrame:
    """A result's numpy arrays as a frame: missing is NaN, NA or NaT, times are UTC."""
    return pd.DataFrame({column.name: to_series(found[column.name], column) for column in columns})


def from_values(values: Sequence[Any], column: StoredColumn) -> pd.Series:
    """A column from plain values (times in microseconds since 1970), None where missing."""
    gaps = np.array([value is None for value in values], dtype=bool)
    empty, kind = _PLAIN[column.kind]
    raw = np.array([empty if value is None else value for value in values], dtype=kind)
    return to_series(np.ma.masked_array(raw, gaps), column)


def to_series(values: Any, column: StoredColumn) -> pd.Series:
    """One column: float64, Int64, boolean, text or UTC times by its kind."""
    gaps = np.ma.getmaskarray(values)
    raw = np.ma.getdata(values)
    if column.kind == "number":
        return pd.Series(np.ma.filled(values.astype(np.float64), np.nan))
    if column.kind == "integer":
        return pd.Series(pd.arrays.IntegerArray(raw.astype(np.int64), gaps))
    if column.kind == "flag":
        return pd.Series(pd.arrays.BooleanArray(raw.astype(np.bool_), gaps))
    if column.kind == "time":
        stamps = raw.astype("datetime64[us]")
        stamps[gaps] = np.datetime64("NaT")
        return pd.Series(stamps).dt.tz_localize("UTC")
    texts = raw.astype(object)
    texts[gaps] = None
    return pd.Series(texts, dtype="str")
