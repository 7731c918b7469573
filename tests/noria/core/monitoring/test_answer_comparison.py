"""How two versions' answers differ, and when it is no chance that all of them are the same."""

import numpy as np
import pytest

from noria.core.lifecycle.replay import ReplayedAnswer
from noria.core.monitoring.answer_comparison import (
    compare_answers,
    constant_answers,
    logged_values,
    score_psi,
)

DRAW = np.random.default_rng(1)
FAILED = ReplayedAnswer(500, detail="no")


def scored(scores: list[float], threshold: float = 0.5) -> list[ReplayedAnswer]:
    return [ReplayedAnswer(200, prediction=one >= threshold, score=one) for one in scores]


def plain(values: list[float] | list[str]) -> list[ReplayedAnswer]:
    return [ReplayedAnswer(200, prediction=one) for one in values]


def test_decisions_and_scores_are_compared_row_by_row() -> None:
    scores = DRAW.uniform(size=500).tolist()
    same = compare_answers(scored(scores), scored(scores))
    assert same is not None
    assert (same.rows, same.changed) == (500, 0)
    assert same.psi == pytest.approx(0, abs=0.01)
    moved = compare_answers(scored([min(1.0, one + 0.3) for one in scores]), scored(scores))
    assert moved is not None
    assert moved.changed == pytest.approx(0.3, abs=0.05)
    assert moved.psi > 0.25


def test_numbers_change_where_they_move_by_a_tenth_of_their_spread() -> None:
    values = DRAW.normal(100, 10, 400)
    nearly = compare_answers(plain((values + 0.9).tolist()), plain(values.tolist()))
    apart = compare_answers(plain((values + 1.2).tolist()), plain(values.tolist()))
    assert nearly is not None
    assert apart is not None
    assert (nearly.changed, apart.changed) == (0.0, 1.0)


def test_classes_are_compared_by_name() -> None:
    old = plain(["a", "b", "c"] * 100)
    found = compare_answers(plain(["a", "b", "b"] * 100), old)
    assert found is not None
    assert found.changed == pytest.approx(1 / 3)
    assert found.psi > 0.25


def test_only_rows_that_both_answered_are_compared() -> None:
    found = compare_answers([FAILED, *scored([0.9, 0.1])], scored([0.2, 0.8, 0.1]))
    assert found is not None
    assert (found.rows, found.changed) == (2, 0.0)
    assert compare_answers([FAILED], scored([0.2])) is None
    assert compare_answers([], []) is None


def test_all_answers_alike_are_no_chance() -> None:
    old = DRAW.uniform(size=300).round(6).tolist()
    told = constant_answers([0.5] * 40, old, usual=0.02)
    assert told is not None
    assert "all 40 answers of the canary are 0.5" in told
    assert "gave 300 different ones" in told


@pytest.mark.parametrize(
    ("new", "old", "usual"),
    [
        ([0.5] * 19, [0.1, 0.2, 0.3], 0.02),  # too few
        ([0.5] * 39 + [0.6], [0.1, 0.2, 0.3], 0.02),  # not all
        ([0.5] * 40, [0.3] * 300, 0.02),  # all callers ask the same
        ([0.5] * 40, [0.1, 0.2, 0.3], 0.95),  # a rule that mostly says so
        ([0.5] * 40, [0.1, 0.2, 0.3], 1.0),  # nothing else is known of it
        ([], [0.1, 0.2], 0.02),
    ],
)
def test_alike_answers_may_be_right(new: list[float], old: list[float], usual: float) -> None:
    assert constant_answers(new, old, usual) is None


def test_the_log_tells_versions_apart() -> None:
    records = [
        {"function_version": "3", "score": 0.25, "prediction": False},
        {"function_version": "4", "score": [0.1, 0.2, 0.7], "prediction": "c"},
        {"function_version": "4", "score": 7.5, "prediction": 7.5},
        {"score": 1.0},
    ]
    assert logged_values(records, "3") == [0.25]
    assert logged_values(records, "4") == ["c", 7.5]


def test_the_stability_index_takes_any_answers() -> None:
    assert score_psi([0.5] * 100, DRAW.uniform(size=300).tolist()) > 1
    assert score_psi(["a", "b"] * 50, ["b", "a"] * 50) == pytest.approx(0, abs=0.01)
    assert score_psi([True, "b"] * 50, [1.0, 2.0] * 50) > 1  # of different kinds: as texts
