"""Choosing the holdout: the latest rows, or the same rows in every run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
HASH_KEY = "noria-holdout-01"  # 16 characters; another key would hold out other rows


def latest_rows(times: NDArray[np.int64], share: float) -> Mask | None:
    """Mark the latest share of rows; equal times stay on one side.

    None when every row has the same time, so that time cannot divide them.
    """
    if len(times) < 2 or times.min() == times.max():
        return None
    cut = np.sort(times)[min(max(round(len(times) * (1 - share)), 1), len(times) - 1)]
    options = [mask for mask in (times >= cut, times > cut) if mask.any() and not mask.all()]
    nearest: Mask = min(options, key=lambda mask: abs(float(mask.mean()) - share))
    return nearest


def hashed_rows(
    data: Mapping[str, NDArray[Any]], labels: NDArray[Any] | None, share: float
) -> Mask:
    """Mark about the given share by a hash of each row's content.

    A row lands on the same side in every run, whatever other rows there are, and so do its
    duplicates. Only a class that would be missing on one side lends it the rows of one hash.
    """
    hashes = row_hashes(data)
    mask = hashes < np.uint64(share * float(2**64 - 2**12))
    for code in np.unique(labels) if labels is not None else []:
        _represent(mask, hashes, np.asarray(labels) == code)
    _represent(mask, hashes, np.ones(len(mask), dtype=bool))
    return mask


def row_hashes(data: Mapping[str, NDArray[Any]]) -> NDArray[np.uint64]:
    """Hash rows by their values, independent of the columns' order."""
    frame = pd.DataFrame({name: _hashable(data[name]) for name in sorted(data)})
    return np.asarray(
        pd.util.hash_pandas_object(frame.assign(**{"": HASH_KEY}), index=False), dtype=np.uint64
    )


def _hashable(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind == "U":
        return values.astype(object)
    if values.dtype.kind == "f":  # one bit pattern for -0.0 and 0.0, and for every NaN
        plain = np.where(np.isnan(values), np.float64(np.nan), values.astype(np.float64))
        return plain + 0.0
    return values


def _represent(mask: Mask, hashes: NDArray[np.uint64], rows: Mask) -> None:
    """Give both sides at least one of these rows, where they have two different hashes."""
    chosen = np.unique(hashes[rows])
    if len(chosen) < 2:
        return
    if not mask[rows].any():
        mask[rows & (hashes == chosen[0])] = True
    if mask[rows].all():
        mask[rows & (hashes == chosen[-1])] = False
