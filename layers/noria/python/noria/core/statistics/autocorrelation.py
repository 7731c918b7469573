"""Autocorrelation of rows in time: time blocks, and the block length of the bootstrap."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array

FEWEST_BLOCKS = 8  # the signs of 8 have 256 patterns: a p value below 0.01 can be reached
BLOCK_ROWS = 4  # less a mean, a block of four rows keeps three quarters of its information
FEWEST_LAGS = 5  # in a row that are not significant, after Politis and White (2004)


class SerialDependence(NamedTuple):
    """Rows in the order of time (positions), and the block length of their autocorrelation."""

    order: NDArray[np.int64]
    length: int


def time_blocks(times: Array, most: int) -> NDArray[np.int64]:
    """Number each row's time block, from 0: at most `most`, of about equally many rows.

    Rows of one time are in one block. There are fewer where there are fewer than four rows for
    each, but eight as long as there are two rows for each.
    """
    rows = len(times)
    wanted = min(max(rows // BLOCK_ROWS, FEWEST_BLOCKS), max(rows // 2, 1), most)
    _, codes, counts = np.unique(times, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    numbered = np.minimum((middle * wanted / max(rows, 1)).astype(np.int64), wanted - 1)
    found = np.unique(numbered[codes.reshape(-1)], return_inverse=True)[1]
    return np.asarray(found.reshape(-1), dtype=np.int64)


def serial_dependence(columns: Array, times: Array | None) -> SerialDependence | None:
    """Order rows by their times, and find the block length by their columns' (n, k) correlation.

    The longest of the columns' lengths counts. None without times.
    """
    if times is None:
        return None
    order = np.argsort(times, kind="stable")
    lengths = [block_length(columns[order, place]) for place in range(columns.shape[1])]
    return SerialDependence(order, max(lengths, default=1))


def block_length(series: Array) -> int:
    """The block length of the circular block bootstrap, from the autocorrelations of a series.

    Politis and White (2004, "Automatic block-length selection for the dependent bootstrap"),
    corrected by Patton, Politis and White (2009): (2 G² n / D)^(1/3) with a flat-top window over
    twice the lags up to the last significant one; at most the smaller of 3 √n and n / 3.
    """
    rows = len(series)
    most = int(min(3 * np.sqrt(rows), rows / 3))
    if most < 2 or np.ptp(series) == 0:
        return 1
    # In units of the largest value: squares of 1e-200 are no float64 numbers.
    covariances = _autocovariances(series / np.abs(series).max())
    window = 2 * _last_lag(covariances / covariances[0], rows)
    if window == 0:
        return 1
    lags = np.arange(1, min(window, rows - 1) + 1)
    weights = np.clip(2 * (1 - lags / window), 0, 1) * covariances[lags]
    spread = covariances[0] + 2 * weights.sum()
    if spread <= 0:
        return 1
    slope = 2 * (weights * lags).sum()
    length = (2 * slope**2 / (4 / 3 * spread**2) * rows) ** (1 / 3)
    return int(np.clip(np.ceil(length), 1, most))


def _autocovariances(series: Array) -> NDArray[np.float64]:
    """All of them at once (Wiener and Khinchin), from lag 0."""
    centred = series - series.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(series))) ** 2
    return np.asarray(np.fft.irfft(power)[: len(series)] / len(series), dtype=np.float64)


def _last_lag(correlations: Array, rows: int) -> int:
    """The last lag before a run of lags that are not significant, 0 where none is."""
    run = max(FEWEST_LAGS, int(np.ceil(np.sqrt(np.log10(rows)))))
    most = min(int(np.ceil(np.sqrt(rows))) + run, rows - 1)
    significant = np.abs(correlations[1 : most + 1]) >= 2 * np.sqrt(np.log10(rows) / rows)
    quiet = 0
    for place, one in enumerate(significant.tolist()):
        quiet = 0 if one else quiet + 1
        if quiet == run:
            return place + 1 - run
    last = np.flatnonzero(significant)
    return int(last[-1]) + 1 if len(last) else 0
