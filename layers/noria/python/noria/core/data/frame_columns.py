"""Columns of a DataFrame by names that people chose."""

from typing import Any

import pandas as pd


def with_column(frame: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """The frame with one column more, or another one in its place; `assign` refuses "self"."""
    found = frame.copy(deep=False)
    found[name] = values
    return found
