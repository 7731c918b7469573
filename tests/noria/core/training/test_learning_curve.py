"""Whether more rows would help is told of the same folds with half of their rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from noria.contracts import Problem
from noria.core.data.dataset import Column, Dataset
from noria.core.features.plan import make_plan
from noria.core.model.learning_curve import LearningCurve
from noria.core.training.candidate_search import OutOfFold, explore_with_predictions
from noria.core.training.fitted_model import Member
from noria.core.training.learning_curve import learning_curve
from tests.support.model_data import problem
from tests.support.trial_data import trial_of

SEED, CANDIDATE = 5, "decision_tree"


def curved(rows: int, seed: int = 0) -> Dataset:
    """An outcome of six numbers together, of which trees learn more the more rows they see."""
    generator = np.random.default_rng(seed)
    data = {name: generator.normal(size=rows) for name in "abcdef"}
    odds = data["a"] * data["b"] + np.sin(2 * data["c"]) + data["d"] * data["e"]
    target = (generator.random(rows) < 1 / (1 + np.exp(-2 * odds))).astype(int)
    columns = tuple(Column(name, "number") for name in data)
    return Dataset(columns, data, target, ("no", "yes"), np.arange(rows) >= rows * 0.9)


def flat(rows: int, seed: int = 0) -> Dataset:
    """An outcome that one threshold tells but for noise, which few rows are enough for."""
    known = curved(rows, seed)
    noise = np.random.default_rng(seed + 1).random(rows) < 0.2
    return replace(known, target=((known.data["a"] > 0) ^ noise).astype(int))


def measured(
    dataset: Dataset, candidate: str = CANDIDATE, asked: Problem | None = None, **more: Any
) -> tuple[LearningCurve | None, str]:
    """Explore and measure as the machine does."""
    asked = asked or problem(exploration={"candidates": [candidate], "trials": 1})
    plan, trial = make_plan(dataset, asked, 0), trial_of(asked, candidate)
    tried, whole = explore_with_predictions(dataset, plan, trial, asked, SEED)
    winner = Member(plan, candidate, tried.setting)
    return learning_curve(dataset, [winner], whole, asked, SEED, **more)


def test_more_rows_help_where_there_is_more_to_learn() -> None:
    """GIVEN a sure gain THEN twice as many rows gain about what the power law says."""
    few, sentence = measured(curved(1_200), "hist_gradient_boosting")
    many, _ = measured(curved(2_400), "hist_gradient_boosting")
    assert few is not None
    assert many is not None
    assert few.sure
    assert few.gain > 2 * few.error > 0
    assert few.scores[0] < few.scores[1] < few.scores[2]
    assert few.rows == (216, 432, 864)
    assert "twice the rows, 432 to 864, gained 0.0" in sentence
    assert "ROC AUC in 5 folds: more rows would help, with 95% confidence" in sentence
    gained = many.scores[-1] - few.scores[-1]
    assert few.next_gain == pytest.approx(gained, abs=0.03)
    assert 0 < gained < few.most


def test_where_all_is_learnt_more_rows_are_unlikely_to_help() -> None:
    found = [measured(flat(1_000, seed), "logistic_regression") for seed in range(8)]
    assert [sentence for _, sentence in found if "would help" in sentence] == []
    unlikely = [one for _, one in found if "no sure gain: more rows are unlikely to help" in one]
    assert len(unlikely) >= 4
    bounds = [curve.most for curve, _ in found if curve is not None]
    assert len(bounds) == 8
    assert max(bounds) < 0.05


def test_a_gain_that_is_not_sure_is_told_with_what_it_may_be() -> None:
    curve, _ = measured(flat(1_000), "logistic_regression")
    assert curve is not None
    doubtful = curve.model_copy(update={"gain": 0.02, "error": 0.015, "most": 0.05})
    assert "which is not sure: more rows may help, by 0.05 at most" in doubtful.sentence


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_other_tasks_have_a_curve_too(kind: str) -> None:
    known = curved(900)
    value = known.data["a"] * known.data["b"] + known.data["c"]
    classes: tuple[str, ...] = ("low", "middle", "high")
    target = np.digitize(value, [-0.5, 0.5])
    metric = "accuracy"
    if kind == "regression":
        classes, target, metric = (), value, "rmse"
    asked = problem(kind, metric, exploration={"candidates": ["extra_trees"]})
    rows = replace(known, target=target, classes=classes)
    curve, sentence = measured(rows, "extra_trees", asked)
    assert curve is not None
    assert curve.gain > 0
    assert "more rows would help" in sentence


def test_forward_folds_are_those_of_comparable_size() -> None:
    """GIVEN folds that go forward in time THEN the first ones, of few rows, tell nothing."""
    dataset = curved(1_200)
    timed = replace(dataset, event_time=np.arange(len(dataset)) * 3_600)
    curve, _ = measured(timed)
    assert curve is not None
    assert curve.folds == 3
    assert curve.rows[-1] > 0.5 * timed.training_size


def test_entities_stay_together_in_a_part() -> None:
    """GIVEN four like rows of each entity THEN half of the entities are half of what is known."""
    known = curved(500)
    dataset = replace(known.take(np.repeat(np.arange(500), 4)), groups=np.repeat(np.arange(500), 4))
    curve, _ = measured(dataset, "extra_trees")
    assert curve is not None
    assert curve.scores[-1] - curve.scores[0] > 0.05, "a quarter of the rows holds most entities"


@pytest.mark.parametrize("candidate", ["hist_gradient_boosting", "logistic_regression"])
def test_few_entities_leave_parts_without_rows_or_with_one_class(candidate: str) -> None:
    """GIVEN three entities, one of them of one class THEN a part that cannot be learnt is none."""
    groups = np.sort(np.arange(240) % 3)
    known = curved(240)
    target = np.where(groups == 0, 0, known.target)
    found, sentence = measured(replace(known, groups=groups, target=target), candidate)
    assert "more rows" in sentence
    assert found is None or len(found.rows) == 2


def test_it_ends_with_its_seconds_and_says_so() -> None:
    ticks = iter(range(0, 10_000, 5))  # each look at the clock is five seconds later
    curve, sentence = measured(curved(600), clock=lambda: float(next(ticks)))
    assert curve is not None, "12 s hold two folds"
    assert curve.folds == 2
    assert len(curve.rows) == 2
    slow = iter(range(0, 10_000, 60))
    curve, sentence = measured(curved(600), clock=lambda: float(next(slow)))
    assert curve is None
    assert sentence.startswith("whether more rows would help is not known: fewer than 2 folds")
    assert "12.0 s" in sentence


def test_without_answers_of_the_folds_it_is_not_known() -> None:
    dataset, asked = curved(300), problem()
    plan = make_plan(dataset, asked, 0)
    curve, sentence = learning_curve(
        dataset, [Member(plan, CANDIDATE)], OutOfFold.empty(), asked, SEED
    )
    assert curve is None
    assert "0 folds with answers could tell, 2 must" in sentence


def test_a_model_that_learns_from_far_more_rows_is_told() -> None:
    asked = problem(exploration={"candidates": [CANDIDATE], "rows": 400})
    curve, sentence = measured(curved(1_200), asked=asked)
    assert curve is not None
    assert curve.rows[-1] == 320
    assert sentence.endswith("(the model itself learns from 1,080)")
