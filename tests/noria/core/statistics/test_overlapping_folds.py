"""Scores of pooled folds are less sure than those of as many rows of one holdout: simulated."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from noria.common.arrays import Array
from noria.core.statistics import metrics
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.confidence_intervals import score_bound
from noria.core.statistics.overlapping_folds import training_overlap, widened
from tests.support.examples import repeats

ROWS, COLUMNS, FOLDS = 200, 8, 5


def drawn(rows: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Rows whose class a linear model tells with a ROC AUC of about 0.75."""
    X = generator.normal(size=(rows, COLUMNS))
    chance = 1 / (1 + np.exp(-X[:, 0] - 0.5 * X[:, 1]))
    return X, (generator.random(rows) < chance).astype(int)


def splits() -> list[tuple[Array, Array]]:
    tests = np.array_split(np.arange(ROWS), FOLDS)
    return [(np.setdiff1d(np.arange(ROWS), test), test) for test in tests]


def test_the_bound_of_pooled_folds_holds_for_the_model_of_all_rows() -> None:
    """GIVEN 200 rows THEN the 80 % bound of all folds is below the model's own score in 80 %."""
    generator, folds = np.random.default_rng(0), splits()
    unseen, truth = drawn(40_000, generator)
    held, count = 0, repeats(300, 60)
    for seed in range(count):
        X, y = drawn(ROWS, generator)
        pooled = np.empty(ROWS)
        for train, test in folds:
            pooled[test] = LogisticRegression().fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        model = LogisticRegression().fit(X, y)
        real = metrics.score("roc_auc", truth, model.predict_proba(unseen)[:, 1])
        replicates = Replicates("roc_auc", y, seed, widen=training_overlap(folds))
        bound = score_bound(replicates, pooled, 0.8)
        assert bound is not None
        held += bound <= real
    assert held / count >= 0.8


def test_five_equal_folds_widen_by_one_half() -> None:
    assert training_overlap(splits()) == pytest.approx(1.5)


def test_widening_goes_from_the_score_and_stays_in_the_metrics_range() -> None:
    found = widened("roc_auc", np.array([0.7, 0.8, 0.95]), 0.8, 2)
    assert found == pytest.approx([0.6, 0.8, 1.0])
    assert widened("r2", np.array([-0.5]), 0.5, 2) == pytest.approx([-1.5])
    assert widened("recall_at_precision@0.9", np.array([0.1]), 0.5, 2) == pytest.approx([0.0])
