"""Agreement of two columns, corrected for chance (Cohen's kappa)."""

import numpy as np

from noria.common.arrays import Array


def cohens_kappa(one: Array, other: Array) -> float:
    """Agreement of two columns of n values each, corrected for chance: 0 by chance, 1 is the same.

    Cohen (1960), "A coefficient of agreement for nominal scales"; 0 where both are constant.
    """
    agreed, expected = float(np.mean(one == other)), _by_chance(one, other)
    return (agreed - expected) / (1 - expected) if expected < 1 else 0.0


def _by_chance(one: Array, other: Array) -> float:
    names, counts = np.unique(one, return_counts=True)
    others, other_counts = np.unique(other, return_counts=True)
    _, places, other_places = np.intersect1d(names, others, return_indices=True)
    return float(np.sum(counts[places] / len(one) * (other_counts[other_places] / len(other))))
