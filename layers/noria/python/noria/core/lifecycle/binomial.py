"""How probable it is that so many of independent events happen."""

import math


def at_least(count: int, of: int, probability: float) -> float:
    """P(X >= count) of a binomial X; `of` events, each with a probability from 0 to 1.

    Summed from logarithms, so that thousands of events neither overflow nor vanish.
    """
    if count <= 0:
        return 1.0
    if probability <= 0 or count > of:
        return 0.0
    if probability >= 1:
        return 1.0
    one, other = math.log(probability), math.log1p(-probability)
    terms = (
        math.exp(_choose(of, hits) + hits * one + (of - hits) * other)
        for hits in range(count, of + 1)
    )
    return min(1.0, math.fsum(terms))


def _choose(of: int, hits: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(hits + 1) - math.lgamma(of - hits + 1)
