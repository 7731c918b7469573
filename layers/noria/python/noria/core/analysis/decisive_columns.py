"""Whether one row of numbers decides the target: what a threshold or a few intervals tell of it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from noria.common.arrays import Array

FOLDS, FEWEST_PER_LEAF = 3, 5
SEED = 20130101
ROC_SLACK = 0.1  # share of 1 - limit: an AUC of 0.999 where a strong column reaches 0.99
COPY = 0.9999  # rank correlation: a number in another unit, rounded
LARGEST_SINGLE = 1e38  # near the end of 32-bit numbers


def decides_classes(values: Array, target: Array, classes: int, limit: float) -> bool:
    """Tell whether a few intervals of the numbers (missing ones apart) tell the class of a row.

    They do where a small tree, cross-validated, leaves at most 1 - `limit` of the errors that the
    most frequent class makes; of two classes also where a threshold parts them nearly perfectly.
    """
    counts = np.bincount(target, minlength=classes)
    counts = counts[counts > 0]
    if len(counts) < 2 or counts.min() < FOLDS:
        return False
    known = np.isfinite(values)
    if classes == 2 and separation(values[known], target[known]) >= 1 - (1 - limit) * ROC_SLACK:
        return True
    numbers = np.where(known, values, _below(values[known]))
    allowed = (1 - limit) * (counts.sum() - counts.max())
    leaves = max(8, 2 * classes)
    folds = _folds(np.asarray(target, dtype=np.int64).tobytes())
    if sum(_fewest_errors(numbers[test], target[test], leaves) for _, test in folds) > allowed:
        return False
    tree = DecisionTreeClassifier(
        max_leaf_nodes=leaves, min_samples_leaf=FEWEST_PER_LEAF, random_state=SEED
    )
    X, wrong = _single(numbers).reshape(-1, 1), 0
    for training, test in folds:
        told = tree.fit(X[training], target[training]).predict(X[test])
        wrong += int(np.count_nonzero(told != target[test]))
    return bool(wrong <= allowed)


def _single(numbers: Array) -> Array:
    """The numbers in a scale that 32 bits hold, which is what a tree takes."""
    largest = float(np.abs(numbers).max(initial=0.0))
    return numbers if largest < LARGEST_SINGLE else numbers / largest


@lru_cache(maxsize=4)
def _folds(target: bytes) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The folds of a target, which many columns and pairs of them are tried on."""
    classes = np.frombuffer(target, dtype=np.int64)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    return list(splitter.split(classes.reshape(-1, 1), classes))


def _fewest_errors(numbers: Array, target: Array, leaves: int) -> int:
    """The errors that any tree with so many leaves makes at least, which spares most the tree.

    Its leaves are intervals. Where the class changes more often along the numbers than there are
    borders, a row out of place makes up for two changes at most.
    """
    changes = int(np.count_nonzero(np.diff(target[np.lexsort((target, numbers))])))
    return max(0, changes - (leaves - 1) + 1) // 2


def groups_decide(groups: NDArray[np.int64], target: Array, limit: float) -> bool:
    """Tell whether the most frequent class of each group is the class of its rows.

    A group of few rows tells nothing: its rows count as the most frequent class of all.
    """
    table = np.zeros((groups.max() + 1, target.max() + 1), dtype=np.int64)
    np.add.at(table, (groups, target), 1)
    usual = int(table.sum(axis=0).argmax())
    told = np.where(table.sum(axis=1) >= FEWEST_PER_LEAF, table.max(axis=1), table[:, usual])
    errors, most = len(groups) - int(told.sum()), len(groups) - int(table[:, usual].sum())
    return most > 0 and errors <= (1 - limit) * most


def separation(values: Array, target: Array) -> float:
    """How far a threshold parts two classes: 2 AUC - 1 without its sign, 0 where one is absent."""
    positive = int(np.count_nonzero(target))
    others = len(target) - positive
    if not positive or not others:
        return 0.0
    above = stats.rankdata(values)[target == 1].sum() - positive * (positive + 1) / 2
    return float(abs(2 * above / (positive * others) - 1))


def separation_by_chance(values: Array, target: Array) -> float:
    """The p value of such a separation (Mann and Whitney 1947), exact where a class is rare."""
    positive, others = values[target == 1], values[target == 0]
    return float(stats.mannwhitneyu(positive, others).pvalue)


def copies_number(values: Array, target: Array, fewest: int) -> bool:
    """Tell whether numbers are the target in other words: the same order, but for rounding."""
    known = np.isfinite(values)
    values, target = values[known], target[known]
    if len(values) < fewest or np.ptp(values) == 0 or np.ptp(target) == 0:
        return False
    return float(abs(np.corrcoef(stats.rankdata(values), stats.rankdata(target))[0, 1])) >= COPY


def bands_of(groups: NDArray[np.int64], target: Array, limit: float) -> bool:
    """Tell whether groups are bands of the target, as low, middle and high are.

    They are where the rows, sorted by the target, change their group about as often as there are
    groups, with a share of 1 - `limit` of the rows that are out of place.
    """
    sizes = np.bincount(groups)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2 or sizes.min() < FEWEST_PER_LEAF or len(np.unique(target)) <= len(sizes):
        return False
    changes = int(np.count_nonzero(np.diff(groups[np.lexsort((groups, target))])))
    return bool(changes < len(sizes) + (1 - limit) * (len(groups) - sizes.max()))


def _below(known: Array) -> float:
    """A number below all others, which missing ones become: a tree then tells them apart."""
    return float(known.min()) - max(float(np.ptp(known)), 1.0) if len(known) else 0.0
