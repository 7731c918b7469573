"""Outliers: numbers far from the rest, flagged for people and never dropped."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.contracts import Quality
from noria.core.column_types.type_inference import ColumnKind

NORMAL_MAD, NORMAL_MEAN = 0.6745, 1.253314  # of a normal distribution, in standard deviations
COLUMNS = ("row", "column", "value")


def fences(values: NDArray[np.float64], limit: float) -> tuple[float, float] | None:
    """Return the values at which the modified z score reaches a limit, or None without spread.

    The score is 0.6745 · (x - median) / MAD after Iglewicz and Hoaglin (1993, "How to Detect and
    Handle Outliers"), who recommend 3.5; where more than half of the values are equal the mean
    absolute deviation stands for MAD, as they say.
    """
    middle = float(np.median(values))
    away = np.abs(values - middle)
    spread = float(np.median(away)) / NORMAL_MAD or float(np.mean(away)) * NORMAL_MEAN
    if not spread > 0:
        return None
    return middle - limit * spread, middle + limit * spread


def outliers(
    accepted: pd.DataFrame, kinds: Mapping[str, ColumnKind], quality: Quality
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Flag the numbers beyond their column's fences.

    Returns one line per flagged value (`row` is its place in `accepted`, from 0) and, per column
    with any, how many there are and where the fences stand, most first.
    """
    flagged, found = [], []
    for name, kind in kinds.items():
        if quality.outliers is None or kind != "number" or name not in accepted.columns:
            continue
        numbers = accepted[name].to_numpy(dtype=np.float64, na_value=np.nan)
        beyond = _beyond(numbers, quality.outliers, quality.outlier_values)
        if beyond is None:
            continue
        rows, (low, high) = beyond
        flagged.append(pd.DataFrame({"row": rows, "column": name, "value": numbers[rows]}))
        share = len(rows) / len(accepted)
        found.append(
            {"column": name, "flagged": len(rows), "share": share, "low": low, "high": high}
        )
    table = pd.concat(flagged, ignore_index=True) if flagged else _none()
    return table, sorted(found, key=lambda item: -item["flagged"])


def _beyond(
    numbers: NDArray[np.float64], limit: float, fewest: int
) -> tuple[NDArray[np.int64], tuple[float, float]] | None:
    present = numbers[~np.isnan(numbers)]
    if len(np.unique(present)) < fewest:
        return None
    limits = fences(present, limit)
    if limits is None:
        return None
    rows = np.flatnonzero((numbers < limits[0]) | (numbers > limits[1]))
    return (rows, limits) if len(rows) else None


def _none() -> pd.DataFrame:
    return pd.DataFrame(
        {"row": np.zeros(0, np.int64), "column": pd.Series([], dtype="str"), "value": np.zeros(0)}
    )
