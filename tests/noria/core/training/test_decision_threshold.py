"""The threshold that is served fits what the contract wants, not 0.5 whatever it wants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.model.decision import Decision
from noria.core.statistics import metrics
from noria.core.statistics.best_threshold import answers_by_halves
from noria.core.training.decision_threshold import choose_threshold
from noria.errors import ContractError
from tests.support.examples import examples
from tests.support.model_data import problem

ROWS = 2_000
COSTS = {"false_negative": 20.0, "false_positive": 1.0}


def rare(rows: int = ROWS, seed: int = 0) -> tuple[Array, Array]:
    """A class of one row in ten, with probabilities that seldom reach one half."""
    generator = np.random.default_rng(seed)
    signal = generator.normal(size=rows)
    probability = 1 / (1 + np.exp(2.6 - 1.2 * signal))
    return (generator.random(rows) < probability).astype(int), probability


def chosen(asked: Problem, target: Array, probability: Array) -> Decision:
    found = choose_threshold(asked, target, probability, 0)
    assert found is not None
    return found


def with_costs(task: str = "binary", **objective: str) -> Problem:
    document = problem(task).to_document()
    return Problem.parse(
        document | {"objective": document["objective"] | {"costs": COSTS} | objective}
    )


def cost(target: Array, labels: Array) -> float:
    missed = np.count_nonzero((target == 1) & (labels == 0))
    alarms = np.count_nonzero((target == 0) & (labels == 1))
    return float(missed * COSTS["false_negative"] + alarms * COSTS["false_positive"])


def test_of_a_rare_class_more_is_found_than_one_half_finds() -> None:
    target, probability = rare()
    found = chosen(problem(), target, probability)
    assert found.chosen_for == "f1"
    assert 0.1 < found.threshold < 0.3
    assert found.low <= found.threshold <= found.high
    unseen, told = rare(seed=1)
    scores = [metrics.scores(unseen, told, "binary", at)["f1"] for at in (0.5, found.threshold)]
    assert scores[1] > scores[0] + 0.2


@given(seed=st.integers(0, 10_000), rows=st.integers(20, 60))
@examples(100)
def test_no_threshold_is_better_on_these_rows(seed: int, rows: int) -> None:
    """Compared with every threshold that tells the rows apart, ties among them included."""
    generator = np.random.default_rng(seed)
    target = np.arange(rows) % 3 == 0
    probability = np.round(np.clip(0.3 + 0.2 * target + generator.normal(0, 0.2, rows), 0, 1), 1)
    tried = [0.0, *(np.unique(probability) + 0.05).tolist()]
    f1 = chosen(problem(), target, probability)
    assert metrics.scores(target, probability, "binary", f1.threshold)["f1"] == pytest.approx(
        max(metrics.scores(target, probability, "binary", at)["f1"] for at in tried)
    )
    least = chosen(problem(objective={"costs": COSTS}), target, probability)
    assert cost(target, metrics.labels(probability, least.threshold)) == min(
        cost(target, metrics.labels(probability, at)) for at in tried
    )


def test_errors_that_cost_little_make_for_more_alarms() -> None:
    target, probability = rare()
    dear, cheap = (
        chosen(problem(objective={"costs": COSTS | {"false_positive": price}}), target, probability)
        for price in (20.0, 1.0)
    )
    assert cheap.threshold < 0.15 < dear.threshold


def test_recall_at_a_precision_keeps_the_precision() -> None:
    target, probability = rare()
    wanted = {"metric": "recall_at_precision", "minimum_precision": 0.5, "threshold": 0.1}
    found = chosen(problem(objective=wanted), target, probability)
    labels = metrics.labels(probability, found.threshold)
    assert target[labels == 1].mean() >= 0.5
    assert labels.mean() == pytest.approx(
        next(one.share for one in found.curve if one.share >= labels.mean() - 1e-9), abs=0.05
    )
    assert [one.recall for one in found.curve] == sorted(one.recall for one in found.curve)
    assert found.curve[-1].recall == 1


def test_precision_at_a_recall_keeps_the_recall() -> None:
    target, probability = rare()
    wanted = {"metric": "precision_at_recall", "minimum_recall": 0.6, "threshold": 0.1}
    found = chosen(problem(objective=wanted), target, probability)
    labels = metrics.labels(probability, found.threshold)
    assert labels[target == 1].mean() >= 0.6
    reached = metrics.score("precision_at_recall@0.6", target, probability)
    assert target[labels == 1].mean() == pytest.approx(reached)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_no_more_rows_are_called_positive_than_can_be_followed_up(share: float) -> None:
    """GIVEN scores that few rows share THEN the alarms are as many as asked for, never more."""
    target, probability = rare(rows=2_000)
    found = chosen(problem(objective={"alarm_share": share}), target, probability)
    called = metrics.labels(probability, found.threshold).mean()
    assert share - 0.005 <= called <= share
    assert found.chosen_for == "alarm_share"
    assert "as many rows as can be followed up" in found.sentence


def test_a_share_that_ties_exceed_calls_fewer() -> None:
    target, probability = np.arange(400) % 4 == 0, np.repeat([0.9, 0.2], 200)
    found = chosen(problem(objective={"alarm_share": 0.1}), target, probability)
    assert metrics.labels(probability, found.threshold).sum() == 0


@pytest.mark.parametrize("metric", ["f1", "f1_macro", "balanced_accuracy"])
@pytest.mark.parametrize("seed", range(3))
def test_a_metric_of_labels_is_answered_by_its_own_best(metric: str, seed: int) -> None:
    target, probability = rare(rows=300, seed=seed)
    found = chosen(problem(objective={"metric": metric}), target, probability)
    reached = metrics.scores(target, probability, "binary", found.threshold)[metric]
    tried = [*(probability + 1e-4).tolist(), 0.0]
    assert reached == pytest.approx(
        max(metrics.scores(target, probability, "binary", at)[metric] for at in tried)
    )


def test_rows_are_judged_by_thresholds_that_did_not_know_them() -> None:
    """GIVEN scores of noise THEN their answers are no better than chance."""
    asked = problem(objective={"metric": "balanced_accuracy"})
    generator = np.random.default_rng(0)
    found = []
    for _ in range(200):
        target = np.arange(60) % 4 == 0
        answers = answers_by_halves(asked, target, generator.random(60))
        found.append(metrics.score("balanced_accuracy", target.astype(int), answers))
    assert np.mean(found) == pytest.approx(0.5, abs=3 * np.std(found) / np.sqrt(len(found)))


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_metrics_that_one_half_suits_keep_it(metric: str) -> None:
    assert choose_threshold(problem(objective={"metric": metric}), *rare(), 0) is None


@pytest.mark.parametrize("metric", ["accuracy", "f1", "balanced_accuracy", "log_loss"])
def test_costs_go_with_a_ranking(metric: str) -> None:
    with pytest.raises(ContractError, match=r"objective\.costs: costs choose a threshold"):
        with_costs(metric=metric)
    with pytest.raises(ContractError, match=r"objective\.costs: chooses a threshold between two"):
        with_costs("multiclass")


def test_a_share_of_alarms_goes_with_a_ranking_and_without_costs() -> None:
    for objective, told in (
        ({"alarm_share": 0.1, "metric": "f1"}, "alarm_share: alarm_share chooses a threshold, and"),
        ({"alarm_share": 0.1, "costs": COSTS}, "alarm_share: costs choose the threshold already"),
        ({"alarm_share": 1.0}, "objective.alarm_share"),
    ):
        with pytest.raises(ContractError) as refused:
            Problem.parse(
                problem().to_document()
                | {"objective": {"metric": "roc_auc", "threshold": 0.7, **objective}}
            )
        assert told in str(refused.value)


def test_a_few_rows_of_a_class_choose_no_threshold() -> None:
    target = np.arange(100) < 4
    assert choose_threshold(problem(), target, np.linspace(0, 1, 100), 0) is None


def test_scores_that_are_all_alike_have_a_threshold() -> None:
    target = np.arange(100) % 2
    found = chosen(problem(), target, np.full(100, 0.3))
    assert 0 < found.threshold < 0.3
    assert len(found.curve) == 1
