"""A challenger is judged by numbers: objective, slices, baselines, parity, champion."""

import numpy as np
import pytest

from noria.core import metrics
from noria.core.bootstrap import Replicates, interval
from noria.core.dataset import Column, Dataset
from noria.core.evaluation import (
    Evaluation,
    baselines_of,
    beats_champion,
    check_parity,
    evaluate,
    meets_objective,
)
from noria.core.model_card import render_model_card
from noria.core.signature import Field, Signature
from noria.errors import DataError, ParityError
from tests.unit.model_data import problem

ROWS = 2_000
GENERATOR = np.random.default_rng(0)
Y = GENERATOR.integers(0, 2, ROWS)
ORIGIN = np.where(np.arange(ROWS) % 4 == 0, "JFK", "LGA")


def scores_of(signal: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=ROWS)
    return 1 / (1 + np.exp(-(signal * (Y - 0.5) + noise)))


def judged(
    challenger: np.ndarray, champion: np.ndarray | None = None, **more: object
) -> Evaluation:
    asked = problem(objective={"threshold": 0.7, "minimum_gain": 0.1} | dict(more))
    return evaluate(
        asked, Y, {"origin": ORIGIN}, challenger, challenger, champion, {"constant": 0.5}
    )


def test_a_good_model_meets_its_objective_with_the_numbers() -> None:
    found = judged(scores_of(2))
    assert found.interval.low < found.value < found.interval.high
    assert found.value == metrics.score("roc_auc", Y, scores_of(2))
    assert {"accuracy", "f1", "log_loss"} <= set(found.metrics)
    verdict = meets_objective(found)
    assert verdict.decision == "met"
    assert verdict.evidence["value"] == found.value
    assert Evaluation.model_validate_json(found.model_dump_json()) == found


def test_misses_are_named() -> None:
    assert "threshold" in meets_objective(judged(scores_of(0.3))).reasons[0]
    low = judged(scores_of(1.5), minimum_gain=0.45)
    assert any("constant baseline" in reason for reason in meets_objective(low).reasons)
    reversed_in_jfk = np.where(ORIGIN == "JFK", 1 - scores_of(3), scores_of(3))
    missed = judged(reversed_in_jfk, threshold=0.5, slices=[{"column": "origin", "floor": 0.6}])
    verdict = meets_objective(missed)
    assert verdict.decision == "missed"
    assert verdict.reasons[0].startswith("origin = JFK")
    assert "weak where origin = JFK" in missed.weaknesses[0]


def test_small_and_undefined_slices_are_shown_not_judged() -> None:
    asked = problem(objective={"slices": [{"column": "place", "floor": 0.99}]})
    place = np.where(np.arange(ROWS) < 10, "tiny", np.where(Y == 1, "pure", "mixed"))
    place[200:1000] = "wide"
    scores = scores_of(2)
    found = evaluate(asked, Y, {"place": place}, scores, scores, None, {})
    met = {one.value: one.met for one in found.slices}
    assert met == {"tiny": None, "pure": None, "mixed": None, "wide": False}


def test_a_slice_of_numbers_goes_by_quarters_and_an_absent_one_is_an_error() -> None:
    asked, scores = problem(), scores_of(2)
    distance = np.where(np.arange(ROWS) % 10 == 0, np.nan, np.arange(ROWS, dtype=np.float32))
    found = evaluate(asked, Y, {"distance": distance}, scores, scores, None, {})
    assert len(found.slices) == 5
    assert sum(one.rows for one in found.slices) == ROWS
    strict = problem(objective={"slices": [{"column": "gone", "floor": 0.5}]})
    with pytest.raises(DataError, match="'gone'"):
        evaluate(strict, Y, {}, scores, scores, None, {})


def test_champion_is_beaten_only_by_a_better_model() -> None:
    assert beats_champion(judged(scores_of(2))).decision == "wins"
    assert beats_champion(judged(scores_of(2), scores_of(1.5))).decision == "wins"
    assert beats_champion(judged(scores_of(1.5), scores_of(2))).decision == "loses"
    same = beats_champion(judged(scores_of(2), scores_of(2)))
    assert same.decision == "loses"
    assert same.evidence["gain"] == 0


def test_a_champion_that_cannot_be_scored_loses_with_its_reason() -> None:
    scores = scores_of(2)
    found = evaluate(
        problem(), Y, {}, scores, scores, None, {}, champion_problem="column 'wind' is missing"
    )
    verdict = beats_champion(found)
    assert verdict.decision == "wins"
    assert "column 'wind' is missing" in verdict.reasons[0]


def test_parity_refuses_what_differs() -> None:
    scores = scores_of(2)
    assert check_parity(Y, scores + 4e-5, scores, "regression", 1e-4).holds
    moved = scores.copy()
    moved[7] += 2e-4
    with pytest.raises(ParityError, match="1 of 2000 scores differ"):
        check_parity(Y, moved, scores, "binary", 1e-4)
    with pytest.raises(ParityError, match="1 labels flip"):
        check_parity(Y[:2], np.array([0.50004, 0.1]), np.array([0.49996, 0.1]), "binary", 1e-4)
    with pytest.raises(ParityError, match="finite"):
        check_parity(Y, np.full(ROWS, np.nan), scores, "binary", 1e-4)
    with pytest.raises(ParityError, match="shapes"):
        check_parity(Y, scores[1:], scores, "binary", 1e-4)


def test_a_tie_is_no_flip() -> None:
    tie = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(0))])
    assert check_parity(np.array([0, 1]), tie, tie[::-1], "binary", 1e-4).holds


def test_regression_parity_is_in_units_of_the_target() -> None:
    y = np.linspace(0, 1e6, 100)
    assert check_parity(y, y + 1, y, "regression", 1e-4).holds
    with pytest.raises(ParityError):
        check_parity(y, y + 100, y, "regression", 1e-4)


def test_bootstrap_covers_and_is_seeded() -> None:
    scores, right = scores_of(1), 0
    for seed in range(20):
        rows = np.random.default_rng(seed).integers(0, ROWS, 400)
        found = Replicates("roc_auc", Y[rows], seed).of(scores[rows])
        low, high = interval(found, 0.95, 0.0)
        right += low <= metrics.score("roc_auc", Y, scores) <= high
    assert right >= 16
    assert judged(scores) == judged(scores)


def test_baselines_need_no_model() -> None:
    dataset = Dataset(
        (Column("n", "number"),),
        {"n": np.zeros(ROWS)},
        Y,
        ("0", "1"),
        np.arange(ROWS) >= 1000,
        rule=Y.astype(float),
    )
    assert baselines_of(dataset, "roc_auc") == {"constant": 0.5, "rule": 1.0}
    assert baselines_of(dataset, "log_loss")["constant"] == pytest.approx(0.693, abs=0.01)


def test_model_card_is_whole_and_escaped() -> None:
    signature = Signature(
        problem="trial",
        statement="<script>alert(1)</script>",
        task="binary",
        target="late",
        classes=("no", "yes"),
        columns=(Field(name="<b>", kind="category", values=("a&b",)),),
        metric="roc_auc",
        recipe="basic",
        candidate="extra_trees",
        importances={"<b>": 0.1},
        versions={"numpy": "2"},
    )
    experiments = [{"candidate": "ridge", "mean": 0.5, "error": "x < y"}]
    card = render_model_card(signature, judged(scores_of(2)), experiments, "run-0", ["it <wins>"])
    assert card.startswith("<!doctype html>")
    assert "<script>" not in card
    assert "<b>" not in card
    for words in ("a&amp;b", "x &lt; y", "it &lt;wins&gt;", "roc_auc", "origin", "src="):
        assert (words in card) == (words != "src=")
