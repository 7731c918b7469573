"""Whether intervals of a number decide the class: as trees that are tried without any shortcut."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from noria.core.analysis.decisive_columns import FEWEST_PER_LEAF, FOLDS, SEED, decides_classes
from tests.support.examples import examples

LIMIT = 0.97


def decides_by_trees(values: Any, target: Any, classes: int) -> bool:
    tree = DecisionTreeClassifier(
        max_leaf_nodes=max(8, 2 * classes), min_samples_leaf=FEWEST_PER_LEAF, random_state=SEED
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    told = cross_val_predict(tree, values.reshape(-1, 1), target, cv=folds)
    base = 1 - np.bincount(target).max() / len(target)
    return bool(np.mean(told != target) <= (1 - LIMIT) * base)


@examples(2_000, quick=60)
@given(
    st.integers(0, 2**32 - 1), st.integers(3, 6), st.sampled_from([0, 0.01, 0.02, 0.05, 0.3]),
    st.booleans(),
)  # fmt: skip
def test_no_shortcut_changes_the_answer(
    seed: int, classes: int, wrong: float, rounded: bool
) -> None:
    generator = np.random.default_rng(seed)
    values = generator.uniform(0, classes, 240)
    target = np.minimum(values.astype(int), classes - 1)
    errs = generator.random(240) < wrong
    target[errs] = generator.integers(0, classes, int(errs.sum()))
    values = values.round(1) if rounded else values
    if np.bincount(target, minlength=classes).min() >= FOLDS:
        expected = decides_by_trees(values, target, classes)
        assert decides_classes(values, target, classes, LIMIT) == expected


def test_both_answers_are_met() -> None:
    values = np.linspace(0, 3, 240, endpoint=False)
    sure = values.astype(int)
    mixed = np.random.default_rng(0).permutation(sure)
    assert decides_classes(values, sure, 3, LIMIT)
    assert not decides_classes(values, mixed, 3, LIMIT)


def test_numbers_beyond_32_bits_are_told_from_each_other() -> None:
    """GIVEN classes that take turns along numbers of 1e150 THEN the tree sees them all the same."""
    generator = np.random.default_rng(1)
    target = np.repeat([0, 1, 0, 1], 50)
    values = np.repeat([-3e150, -1e150, 1e150, 3e150], 50) + generator.normal(0, 1e148, 200)
    assert decides_classes(values, target, 2, LIMIT)
    assert not decides_classes(values, generator.permutation(target), 2, LIMIT)
