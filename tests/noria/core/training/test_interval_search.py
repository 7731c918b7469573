"""Intervals hold what they promise, of rows that nobody had seen."""

import numpy as np
import pytest

from noria.core.training.candidate_search import OutOfFold
from noria.core.training.interval_search import find_interval
from tests.support.model_data import problem

ASKED = problem("regression", "rmse")


def of_folds(target: np.ndarray, scores: np.ndarray) -> OutOfFold:
    rows = np.arange(len(target))
    return OutOfFold(rows, target, scores, rows % 5, np.full(len(rows), len(rows)), 1.5)


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values, and answers whose errors are lopsided and grow with the answer."""
    generator = np.random.default_rng(seed)
    answers = generator.uniform(0, 10, rows)
    return answers + (generator.exponential(1, rows) - 0.5) * (0.2 + answers), answers


@pytest.mark.parametrize(("rows", "coverage"), [(60, 0.9), (400, 0.9), (3_000, 0.9), (3_000, 0.6)])
def test_they_cover_what_was_asked_for(rows: int, coverage: float) -> None:
    """GIVEN many draws THEN the mean coverage of new rows is that of the contract."""
    asked = problem("regression", "rmse", training={"interval_coverage": coverage})
    held = []
    for seed in range(60):
        found = find_interval(asked, of_folds(*drawn(rows, seed)))
        assert found is not None
        target, answers = drawn(2_000, 1_000 + seed)
        low, high = found.around(answers)
        held.append(np.mean((low <= target) & (target <= high)))
    assert np.mean(held) == pytest.approx(coverage, abs=0.015 if rows > 100 else 0.03)


def test_where_errors_are_small_the_intervals_are_narrow() -> None:
    found = find_interval(ASKED, of_folds(*drawn(3_000, 0)))
    assert found is not None
    assert len(found.edges) == 4
    widths = np.array(found.high) - np.array(found.low)
    assert (np.diff(widths) > 0).all()
    assert widths[-1] > 3 * widths[0]


def test_answers_that_are_all_alike_share_one_interval() -> None:
    target = np.random.default_rng(0).normal(size=2_000)
    found = find_interval(ASKED, of_folds(target, np.zeros(2_000)))
    assert found is not None
    assert found.edges == ()
    assert found.high[0] == pytest.approx(1.645, abs=0.15)


def test_few_rows_and_classes_have_none() -> None:
    assert find_interval(ASKED, of_folds(*drawn(15, 0))) is None
    assert find_interval(problem(), of_folds(*drawn(1_000, 0))) is None
