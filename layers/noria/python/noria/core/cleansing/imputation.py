"""Imputation of missing values: by a constant, or by a statistic of the training rows."""

import numpy as np

from noria.common.arrays import Array
from noria.contracts import Fill, Problem
from noria.core.data.dataset import TEXTUAL, Kind, is_missing
from noria.core.data.text_normalization import plain_words
from noria.errors import DataError


def fill_value(name: str, kind: Kind, training: Array, problem: Problem) -> float | str | None:
    """Return what a column's missing values are imputed by, or None where they stay missing.

    `training` has the column's training values: a statistic must not see the holdout. Raises
    DataError where the contract's rule does not suit the column.
    """
    rule = problem.quality.columns.get(name)
    wanted = rule.missing if rule is not None else "keep"
    if isinstance(wanted, Fill):
        return _constant(name, kind, wanted.value)
    if wanted in ("keep", "quarantine"):
        return None
    if kind == "timestamp" or (kind in TEXTUAL and wanted != "most_frequent"):
        raise DataError(
            f"quality.columns.{name}.missing is {wanted}, but the column is a {kind}: "
            "use keep or quarantine, most_frequent for a category, or {value: ...}"
        )
    known = training[~is_missing(kind, training)]
    if not len(known):
        return None
    if wanted == "most_frequent":
        values, counts = np.unique(known, return_counts=True)
        most: float | str = values[np.argmax(counts)].item()
        return most
    return float(np.median(known) if wanted == "median" else np.mean(known, dtype=np.float64))


def impute(values: Array, kind: Kind, fill: float | str | None) -> Array:
    """Replace missing values by `fill`."""
    if fill is None:
        return values
    missing = is_missing(kind, values)
    return np.where(missing, fill, values) if missing.any() else values


def _constant(name: str, kind: Kind, value: str | float | bool) -> float | str:
    if kind == "text":
        return plain_words(str(value))
    if kind == "category":
        return "true" if value is True else "false" if value is False else str(value)
    if kind == "timestamp" or isinstance(value, str):
        raise DataError(
            f"quality.columns.{name}.missing fills a {kind} with {value!r}: give a number, or use "
            "keep or quarantine"
        )
    return float(value)
