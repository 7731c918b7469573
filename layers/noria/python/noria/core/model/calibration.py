"""How a model's probabilities are corrected, so that of those that say 30 % it is true of 30 %."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array

Method = Literal["platt", "isotonic", "temperature"]
METHODS: dict[Method, str] = {
    "platt": "a sigmoid of their log odds (Platt 1999)",
    "isotonic": "a rising curve of straight pieces (Zadrozny and Elkan 2002)",
    "temperature": "a power of each, the same for all classes (Guo et al. 2017)",
}
#: Probabilities nearer to 0 and 1 are taken as this: their log odds would be infinite.
SMALLEST = 1e-6


class ReliabilityBin(BaseModel):
    """Rows with about the same probability: their share, what was said, and what was true."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    said: float
    true: float


class Calibration(BaseModel):
    """A correction of probabilities, found on rows that the folds held out.

    `platt` has a slope and an intercept of the log odds, `temperature` its `slope` (one over the
    temperature), `isotonic` its knots. The log losses are those before and after, each fold
    corrected by what the other folds found; `before` and `after` are such rows by probability.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Method
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[float, ...] = ()
    heights: tuple[float, ...] = ()
    rows: int = 0
    log_loss_before: float = 0.0
    log_loss: float = 0.0
    before: tuple[ReliabilityBin, ...] = ()
    after: tuple[ReliabilityBin, ...] = ()

    @property
    def sentence(self) -> str:
        """What is done to the probabilities, and what it gains."""
        return (
            f"probabilities are corrected by {METHODS[self.method]}: log loss "
            f"{self.log_loss_before:.4f} before, {self.log_loss:.4f} after, on {self.rows:,} rows "
            "that the folds held out"
        )

    def apply(self, scores: Array) -> Array:
        """Correct P(positive) (n,), or probabilities of classes (n, k)."""
        found = np.asarray(scores, dtype=np.float64)
        if self.method == "isotonic":
            return np.interp(found, self.knots, self.heights)
        clipped = np.clip(found, SMALLEST, 1 - SMALLEST)
        if self.method == "platt":
            odds = np.log(clipped) - np.log(1 - clipped)
            return np.asarray(1 / (1 + np.exp(-(self.slope * odds + self.intercept))))
        powers = np.exp(self.slope * np.log(clipped))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def reliability(target: Array, scores: Array, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Compare what is said of the positive class with what is true, in tenths of the rows."""
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    return tuple(
        ReliabilityBin(
            rows=len(part),
            said=round(float(np.mean(scores[part])), 5),
            true=round(float(np.mean(target[part] == 1)), 5),
        )
        for part in parts
    )
