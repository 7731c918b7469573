"""Bootstrap replicates of a metric, the same resampled rows for every model."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.statistics import metrics
from noria.core.statistics.autocorrelation import SerialDependence
from noria.core.statistics.overlapping_folds import widened
from noria.core.statistics.resampled_scores import drawn_counts
from noria.errors import DataError

MOST, FEWEST, ROW_DRAWS = 500, 100, 4_000_000


class Replicates:
    """Row counts of resampled holdouts; fewer where there are many rows (about 4 million draws).

    With `serial` neighbours in time are drawn together, as `drawn_counts` does. `widen` is what
    scores of overlapping folds are less sure by (`training_overlap`).
    """

    def __init__(
        self,
        metric: str,
        y: Array,
        seed: int,
        serial: SerialDependence | None = None,
        widen: float = 1.0,
    ) -> None:
        self.metric, self.y, self.serial, self.widen = metric, np.asarray(y), serial, widen
        self.count = int(np.clip(ROW_DRAWS // max(1, len(self.y)), FEWEST, MOST))
        self.seed = seed

    @property
    def block(self) -> int:
        """How many neighbours in time are drawn together."""
        return self.serial.length if self.serial else 1

    def of(self, prediction: Array) -> NDArray[np.float64]:
        """Return the metric per replicate, leaving out those where it is undefined."""
        ordered = _Ordered(self.metric, self.y, prediction)
        found = self._each(ordered.score)
        if self.widen == 1:
            return found
        score = metrics.score(self.metric, self.y, prediction)
        return widened(self.metric, found, score, self.widen)

    def gains(self, new: Array, old: Array) -> NDArray[np.float64]:
        """Return the gain of one prediction over another per replicate."""
        one = _Ordered(self.metric, self.y, new)
        other = _Ordered(self.metric, self.y, old)

        def gained(counts: Array) -> float:
            return metrics.gain(self.metric, one.score(counts), other.score(counts))

        return self._each(gained)

    def _each(self, measure: Callable[[Array], float]) -> NDArray[np.float64]:
        generator, rows, found = np.random.default_rng(self.seed), len(self.y), []
        for _ in range(self.count):
            counts = drawn_counts(rows, 1, generator, self.serial)[0]
            try:
                found.append(measure(counts))
            except DataError:
                continue
        return np.array(found)


class _Ordered:
    """A prediction whose rows are sorted once, so that ranking metrics need not sort again."""

    def __init__(self, metric: str, y: Array, prediction: Array) -> None:
        guess = np.asarray(prediction, dtype=np.float64)
        self.metric = metric
        self.rows = np.argsort(-guess, kind="stable") if guess.ndim == 1 else np.arange(len(y))
        self.y, self.prediction = y[self.rows], guess[self.rows]

    def score(self, counts: Array) -> float:
        return metrics.score(self.metric, self.y, self.prediction, counts[self.rows])
