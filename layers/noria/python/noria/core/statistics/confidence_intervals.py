"""How sure a score or a gain is: resampled, and exact where resampling says too much or nothing.

A resample holds only rows that there are. Where a model is right on all of them every resample
scores the same, and the bootstrap's interval has no width, whether there are 5 rows or 5,000.
"""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import betaincinv

from noria.common.arrays import Array
from noria.core.statistics import metrics
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.metrics import labels

ACCURACY = "accuracy"  # a share of right answers: the one metric that is a plain proportion
ALIKE = 1e-12  # resamples that differ by less differ by rounding


class Interval(BaseModel):
    """A confidence interval; without ends where the rows do not determine them.

    `method`: bootstrap, exact where Clopper and Pearson's bounds reach farther, or none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float | None
    high: float | None
    confidence: float
    method: Literal["bootstrap", "exact", "none"] = "bootstrap"


def clopper_pearson(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """The exact interval of a proportion: (0, 1) of no trials, never without width.

    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26 (1934), by quantiles of the beta distribution.
    """
    tail, failures = (1 - confidence) / 2, trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return low, high


def interval_of(replicates: Replicates, prediction: Array, confidence: float) -> Interval:
    """The interval of a prediction's score on the rows that are resampled.

    See `score_interval`.
    """
    drawn = replicates.of(prediction)
    return score_interval(
        replicates.metric, replicates.y, prediction, drawn, replicates.block, confidence
    )


def score_interval(
    metric: str, y: Array, prediction: Array, drawn: Array, block: int, confidence: float
) -> Interval:
    """The interval of a prediction's score from its resampled scores `drawn` (any number of them).

    The percentile bootstrap's (Efron 1979); that of an accuracy reaches at least as far as the
    exact one, as resamples of few rows with hardly an error are too sure. `block` is how many
    neighbours in time were drawn together, 1 where rows were drawn alone.
    """
    found = _percentiles(drawn, confidence)
    if metric == ACCURACY:
        return _of_accuracy(labels(prediction) == y, block, confidence, found)
    if found is None:
        return Interval(low=None, high=None, confidence=confidence, method="none")
    return Interval(low=found[0], high=found[1], confidence=confidence)


def _percentiles(drawn: Array, confidence: float) -> tuple[float, float] | None:
    """Both ends, or None where all resamples score the same, or none could be scored."""
    if not len(drawn) or np.ptp(drawn) <= ALIKE:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail)).tolist()
    return low, high


def _of_accuracy(
    correct: Array, block: int, confidence: float, found: tuple[float, float] | None
) -> Interval:
    rows, right = len(correct), int(correct.sum())
    if right in (0, rows):
        # Neighbours that are drawn together may be right for one reason: a block is one witness.
        blocks = max(rows // block, 1)
        low, high = clopper_pearson(blocks if right else 0, blocks, confidence)
    else:
        low, high = clopper_pearson(right, rows, confidence)
    if found is not None and found[0] <= low and found[1] >= high:
        return Interval(low=found[0], high=found[1], confidence=confidence)
    ends = [(low, high)] if found is None else [(low, high), found]
    return Interval(
        low=min(one[0] for one in ends),
        high=max(one[1] for one in ends),
        confidence=confidence,
        method="exact",
    )


def score_bound(replicates: Replicates, prediction: Array, confidence: float) -> float | None:
    """The one-sided bound of a score on its worse side; None where the rows do not determine it.

    A quantile of the resampled scores; of accuracies the exact bound where that reaches farther.
    Where all resamples score the same, as they do for a perfect ranking, it is what the rows of
    each class that are all right tell of those to come, and of numbers the score itself.
    """
    metric, y = replicates.metric, replicates.y
    higher = metrics.is_better_higher(metric)
    drawn = replicates.of(prediction)
    if metric == ACCURACY:
        found = score_interval(metric, y, prediction, drawn, replicates.block, 2 * confidence - 1)
        return found.low
    if not len(drawn):
        return None
    if np.ptp(drawn) > ALIKE:
        return float(np.quantile(drawn, 1 - confidence if higher else confidence))
    value = metrics.score(metric, y, prediction)
    if metrics.named(metric).needs_regression:
        return value
    return _bound_of_perfection(y, replicates.block, confidence) if higher and value == 1 else None


def _bound_of_perfection(y: Array, block: int, confidence: float) -> float:
    """The mean of the exact bounds of the classes, of two the rarer one's."""
    counts = np.unique(y, return_counts=True)[1]
    trials = [max(int(count) // block, 1) for count in counts.tolist()]
    bounds = [clopper_pearson(n, n, 2 * confidence - 1)[0] for n in trials]
    return min(bounds) if len(bounds) == 2 else float(np.mean(bounds))


def least_gain(replicates: Replicates, new: Array, old: Array, confidence: float) -> float:
    """The one-sided lower bound of a paired gain; never above zero where it is undetermined.

    A quantile of the resampled gains; of accuracies the smaller of that and the exact bound.
    """
    drawn = replicates.gains(new, old)
    bound = float(np.quantile(drawn, 1 - confidence)) if len(drawn) else 0.0
    if replicates.metric != ACCURACY:
        return bound
    return min(bound, _exact_gain(replicates.y, new, old, confidence))


def _exact_gain(y: Array, new: Array, old: Array, confidence: float) -> float:
    """The bound by the rows on which only one of two models is right.

    Whose they are is a proportion: the exact form of McNemar's test ("Note on the sampling error
    of the difference between correlated proportions", Psychometrika 12, 1947), turned round.
    """
    one, other = labels(new) == y, labels(old) == y
    won, differing = int((one & ~other).sum()), int((one != other).sum())
    low, _ = clopper_pearson(won, differing, 2 * confidence - 1)
    return differing / len(y) * (2 * low - 1)
