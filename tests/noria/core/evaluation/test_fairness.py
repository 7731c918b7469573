"""Groups of a protected column are compared by their rates, each with an interval."""

from typing import Any

import numpy as np
import pytest

from noria.contracts import Problem
from noria.core.data.dataset import MISSING_TIMESTAMP
from noria.core.evaluation.fairness import RateGap, fairness
from noria.core.evaluation.slices import groups_of
from tests.support.model_data import problem

ROWS = 1_000


def asked(task: str = "binary", metric: str = "roc_auc", **slices: Any) -> Problem:
    piece = {"column": "sex", "floor": 0.1, "protected": True} | slices
    return problem(task, metric, objective={"slices": [piece]})


def measured(share: float, seed: int = 0, contract: Problem | None = None) -> dict[str, RateGap]:
    """Rates where women are called positive with the `share` that men are not."""
    generator = np.random.default_rng(seed)
    women = np.arange(ROWS) % 2 == 0
    target = (generator.random(ROWS) < 0.5).astype(int)
    called = generator.random(ROWS) < np.where(women, share, 0.5)
    columns = {"sex": np.where(women, "woman", "man")}
    found = fairness(contract or asked(), target, columns, np.where(called, 0.9, 0.1))
    return {one.measure: one for one in found}


def test_groups_that_are_treated_otherwise_are_told() -> None:
    found = measured(0.2)
    assert set(found) == {"rows called positive", "positives found", "negatives called positive"}
    called = found["rows called positive"]
    assert (called.highest, called.lowest) == ("man", "woman")
    assert called.gap == pytest.approx(0.3, abs=0.06)
    assert 0 < called.low < called.gap < called.high
    rates = {one.value: one for one in called.groups}
    assert rates["woman"].low < 0.2 < rates["woman"].high
    assert "rows called positive by sex" in called.sentence


def test_the_interval_holds_what_is_true() -> None:
    """GIVEN many draws THEN about 95 of 100 intervals hold the true difference."""
    held = [measured(0.35, seed)["rows called positive"] for seed in range(300)]
    inside = np.mean([one.low <= 0.15 <= one.high for one in held])
    assert inside == pytest.approx(0.95, abs=0.035)


def test_a_threshold_decides_who_is_called() -> None:
    women = np.arange(ROWS) % 2 == 0
    scores, columns = np.where(women, 0.3, 0.6), {"sex": np.where(women, "woman", "man")}
    target = np.arange(ROWS) // 2 % 2
    [strict, *_] = fairness(asked(), target, columns, scores, 0.5)
    [mild, *_] = fairness(asked(), target, columns, scores, 0.2)
    assert (strict.gap, mild.gap) == (1.0, 0.0)


def test_what_is_not_protected_or_too_small_is_not_compared() -> None:
    assert measured(0.2, contract=asked(protected=False)) == {}
    few = np.where(np.arange(ROWS) < 20, "other", "man")
    target = np.arange(ROWS) % 2
    assert fairness(asked(), target, {"sex": few}, np.full(ROWS, 0.5)) == []
    assert fairness(asked("regression", "rmse"), target, {"sex": few}, np.zeros(ROWS)) == []


def test_of_many_classes_right_answers_are_compared() -> None:
    women, target = np.arange(ROWS) % 2 == 0, np.arange(ROWS) % 3
    answered = np.where(women, target, (target + 1) % 3)
    prediction = np.eye(3)[answered]
    columns = {"sex": np.where(women, "woman", "man")}
    [found] = fairness(asked("multiclass", "accuracy"), target, columns, prediction)
    assert (found.measure, found.gap) == ("rows called rightly", 1.0)


def test_times_that_are_not_known_are_a_group_of_their_own() -> None:
    """GIVEN an excluded time column THEN what is missing is in no quarter and has no number."""
    days = np.arange(40) % 20 * 86_400
    days[:10] = MISSING_TIMESTAMP
    found = {name: int(rows.sum()) for name, rows in groups_of(days, 50)}
    assert found.pop("missing") == 10
    assert sum(found.values()) == 30
    assert not any("e+18" in name for name in found)
