"""Series whose neighbours in time are alike."""

from typing import Any

import numpy as np


def walk(generator: np.random.Generator, rows: int) -> Any:
    """A random walk."""
    return np.cumsum(generator.normal(size=rows))


def remembering(generator: np.random.Generator, share: float, rows: int) -> Any:
    """An autoregression of first order, which keeps a share of its last value."""
    steps, values = generator.normal(size=rows + 100), np.zeros(rows + 100)
    for place in range(1, rows + 100):
        values[place] = share * values[place - 1] + steps[place]
    return values[100:]
