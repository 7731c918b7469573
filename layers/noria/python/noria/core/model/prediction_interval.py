"""Between which numbers a value lies, with a stated chance."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array


class PredictionInterval(BaseModel):
    """How far values were below and above a model's answers, on rows that the folds held out.

    A share `coverage` of the values lies between answer + `low` and answer + `high`. Answers go by
    `edges` into bins with offsets of their own: errors often grow with what is answered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coverage: float
    edges: tuple[float, ...] = ()
    low: tuple[float, ...]
    high: tuple[float, ...]
    rows: int

    @property
    def sentence(self) -> str:
        """What is answered beside the value, and what it is known from."""
        return (
            f"an answer's interval holds {self.coverage:.0%} of the values, as on {self.rows:,} "
            "rows that the folds held out"
        )

    def around(self, answers: Array) -> tuple[Array, Array]:
        """The lower and the upper ends for answers of shape (n,)."""
        found = np.asarray(answers, dtype=np.float64)
        places = np.searchsorted(self.edges, found, side="right")
        return found + np.array(self.low)[places], found + np.array(self.high)[places]
