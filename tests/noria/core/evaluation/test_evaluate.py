"""A challenger is judged by numbers: objective, slices, baselines, parity, champion."""

import re

import numpy as np
import pytest
from scipy import stats

from noria.core.data.dataset import Column, Dataset
from noria.core.evaluation.evaluate import baselines_of, evaluate
from noria.core.evaluation.parity import check_parity
from noria.core.evaluation.results import EvaluationResult
from noria.core.evaluation.verdicts import beats_champion, meets_objective
from noria.core.model.signature import Field, Signature
from noria.core.reporting.model_card import render_model_card
from noria.core.statistics import metrics
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.confidence_intervals import interval_of
from noria.errors import DataError, ParityError
from tests.support.examples import repeats
from tests.support.model_data import problem

ROWS = 2_000
GENERATOR = np.random.default_rng(0)
Y = GENERATOR.integers(0, 2, ROWS)
ORIGIN = np.where(np.arange(ROWS) % 4 == 0, "JFK", "LGA")
SIGNATURE = Signature(
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


def scores_of(signal: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=ROWS)
    return 1 / (1 + np.exp(-(signal * (Y - 0.5) + noise)))


def judged(
    challenger: np.ndarray, champion: np.ndarray | None = None, **more: object
) -> EvaluationResult:
    asked = problem(objective={"threshold": 0.7, "minimum_gain": 0.1} | dict(more))
    return evaluate(
        asked, Y, {"origin": ORIGIN}, challenger, challenger, champion, {"constant": 0.5}
    )


def test_a_good_model_meets_its_objective_with_the_numbers() -> None:
    found = judged(scores_of(2))
    assert 0 < width(found) < 0.1
    assert found.interval.low is not None
    assert found.interval.low < found.value < found.interval.low + width(found)
    assert found.value == metrics.score("roc_auc", Y, scores_of(2))
    assert {"accuracy", "f1", "log_loss"} <= set(found.metrics)
    verdict = meets_objective(found)
    assert verdict.decision == "met"
    assert verdict.evidence["value"] == found.value
    assert EvaluationResult.model_validate_json(found.model_dump_json()) == found


def test_misses_are_named() -> None:
    assert "threshold" in meets_objective(judged(scores_of(0.3))).reasons[0]
    low = judged(scores_of(1.5), minimum_gain=0.45)
    assert any("constant baseline" in reason for reason in meets_objective(low).reasons)
    reversed_in_jfk = np.where(ORIGIN == "JFK", 1 - scores_of(3), scores_of(3))
    missed = judged(reversed_in_jfk, threshold=0.5, slices=[{"column": "origin", "floor": 0.6}])
    verdict = meets_objective(missed)
    assert verdict.decision == "missed"
    assert verdict.reasons[0].startswith("origin = JFK")
    assert "underperforms where origin = JFK" in missed.weaknesses[0]


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
    with pytest.raises(ParityError, match="1 of 2,000 scores differ"):
        check_parity(Y, moved, scores, "binary", 1e-4)
    with pytest.raises(ParityError, match="1 label flips"):
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
        found = interval_of(Replicates("roc_auc", Y[rows], seed), scores[rows], 0.95)
        assert found.low is not None
        assert found.high is not None
        right += found.low <= metrics.score("roc_auc", Y, scores) <= found.high
    assert right >= 16
    assert judged(scores) == judged(scores)


def wines(errors: int, rows: int = 38) -> tuple[np.ndarray, np.ndarray]:
    """A holdout of three classes, and probabilities of which so many name a wrong one."""
    y = np.arange(rows) % 3
    named = np.where(np.arange(rows) < errors, (y + 1) % 3, y)
    return y, np.eye(3)[named] * 0.8 + 0.2 / 3


def of_wines(errors: int, rows: int = 38, rival: int | None = None) -> EvaluationResult:
    asked = problem(task="multiclass", objective={"metric": "accuracy", "threshold": 0.9})
    y, scores = wines(errors, rows)
    champion = None if rival is None else wines(rival, rows)[1]
    return evaluate(asked, y, {}, scores, scores, champion, {})


def width(found: EvaluationResult) -> float:
    assert found.interval.low is not None
    assert found.interval.high is not None
    return found.interval.high - found.interval.low


def test_a_perfect_holdout_is_known_as_well_as_its_rows_tell() -> None:
    """GIVEN no error at all THEN the interval is that of 38 rows, not of none."""
    found = of_wines(0)
    exact = stats.binomtest(38, 38).proportion_ci(0.95, "exact")
    assert (found.interval.low, found.interval.high) == pytest.approx((exact.low, exact.high))
    assert found.interval.method == "exact"
    assert "accuracy 1.0000 [0.9075, 1.0000] on 38 rows" in meets_objective(found).reasons[0]
    assert width(of_wines(0, 10)) > 2 * width(found) > 5 * width(of_wines(0, 380))


def test_an_accuracy_with_more_errors_has_a_lower_bound_that_is_lower() -> None:
    lows = [of_wines(errors).interval.low for errors in range(6)]
    assert all(one is not None for one in lows)
    assert lows == sorted(lows, reverse=True)  # type: ignore[type-var]
    nothing = of_wines(38).interval
    assert nothing.low == 0
    assert nothing.high == pytest.approx(1 - 0.025 ** (1 / 38))


@pytest.mark.parametrize("right", [0.5, 0.9, 0.97])
def test_the_interval_of_an_accuracy_covers_the_truth(right: float) -> None:
    """Of 400 holdouts of 38 rows at least 95 % have the true accuracy in their interval."""
    drawn = np.random.default_rng(3).binomial(38, 1 - right, 400)
    covered = 0
    different, counts = np.unique(drawn, return_counts=True)
    assert len(different) > 1
    for errors, times in zip(different, counts, strict=True):
        found = of_wines(int(errors)).interval
        assert found.low is not None
        assert found.high is not None
        covered += times if found.low <= right <= found.high else 0
    assert covered >= 0.95 * 400


def test_many_rows_have_the_interval_of_the_bootstrap() -> None:
    y, scores = wines(400, 4_000)
    drawn = np.quantile(Replicates("accuracy", y, 0).of(scores), (0.025, 0.975))
    assert width(of_wines(400, 4_000)) == pytest.approx(np.ptp(drawn), rel=0.15)


def test_rows_alike_in_time_are_fewer_witnesses_of_perfection() -> None:
    y, scores = np.repeat(wines(0)[0], 5), np.repeat(wines(0)[1], 5, axis=0)
    asked = problem(task="multiclass", objective={"metric": "accuracy", "threshold": 0.9})
    times = np.repeat(np.arange(38), 5)
    together = evaluate(asked, y, {}, scores, scores, None, {}, times=times)
    assert width(together) > 2 * width(evaluate(asked, y, {}, scores, scores, None, {}))


def test_where_resamples_cannot_tell_it_is_said() -> None:
    """GIVEN a perfect ranking THEN no interval is made up, in the verdict and on the card."""
    found = judged(Y * 0.8 + 0.1)
    assert (found.interval.low, found.interval.high) == (None, None)
    assert "no confidence interval" in meets_objective(found).reasons[0]
    assert EvaluationResult.model_validate_json(found.model_dump_json()) == found
    card = render_model_card(SIGNATURE, found)
    assert "no confidence interval" in card
    assert "None" not in card
    assert "0.9075 to 1.0000 (95% exact interval)" in render_model_card(SIGNATURE, of_wines(0))


def test_a_model_card_survives_long_names() -> None:
    fields = (Field(name="n" * 200, kind="category", values=("v" * 400,)),)
    told = [{"candidate": "ridge", "error": "E" * 900}]
    card = render_model_card(SIGNATURE.model_copy(update={"columns": fields}), of_wines(3), told)
    assert 'name="viewport"' in card
    assert card.count("<table>") == card.count('<div class="scroll"><table>')
    assert "missing in training" in card
    assert max(map(len, re.findall("v+|E+", card))) <= 200


def test_one_lucky_row_beats_no_champion() -> None:
    """GIVEN models that differ on a row or two THEN nothing tells which is better."""
    for errors in (1, 2):
        assert beats_champion(of_wines(0, rival=errors)).decision == "loses"
    assert beats_champion(of_wines(0, rival=8)).decision == "wins"
    # McNemar's exact test, one-sided: by 80 % three rows against none are enough.
    wins = [beats_champion(of_wines(0, rival=errors)).decision == "wins" for errors in range(9)]
    exact = [stats.binomtest(n, n, 0.5, "greater").pvalue < 0.2 if n else False for n in range(9)]
    assert wins == exact


def test_one_pair_in_order_beats_no_champion() -> None:
    """GIVEN a champion that ranks one pair of a million wrong THEN a perfect ranking is no more."""
    perfect = Y * 0.5 + 0.25
    flawed = perfect.copy()
    flawed[np.flatnonzero(Y == 1)[0]], flawed[np.flatnonzero(Y == 0)[0]] = 0.74, 0.745
    gained = judged(perfect, flawed)
    assert gained.comparison is not None
    assert gained.comparison.gain is not None
    assert 0 < gained.comparison.gain < 2e-6
    assert beats_champion(gained).decision == "loses"


def test_baselines_need_no_model() -> None:
    dataset = Dataset(
        (Column("n", "number"),),
        {"n": np.zeros(ROWS)},
        Y,
        ("0", "1"),
        np.arange(ROWS) >= 1000,
        rule=Y.astype(float),
    )
    sides = dataset.training, dataset.holdout_rows
    assert baselines_of(*sides, "roc_auc") == {"constant": 0.5, "rule": 1.0}
    assert baselines_of(*sides, "log_loss")["constant"] == pytest.approx(0.693, abs=0.01)


def test_model_card_is_whole_and_escaped() -> None:
    experiments = [{"candidate": "ridge", "mean": 0.5, "error": "x < y"}]
    card = render_model_card(SIGNATURE, judged(scores_of(2)), experiments, "run-0", ["it <wins>"])
    assert card.startswith("<!doctype html>")
    assert "<script>" not in card
    assert "<b>" not in card
    for words in ("a&amp;b", "x &lt; y", "it &lt;wins&gt;", "ROC AUC", "origin", "src="):
        assert (words in card) == (words != "src=")


def of_few(
    positives: int, negatives: int, overlap: int = 0, threshold: float = 0.7, **more: object
) -> EvaluationResult:
    """A ranking in which so many positives lie among the negatives."""
    y = np.repeat([1, 0], [positives, negatives])
    scores = np.linspace(1, 0, positives + negatives)
    scores[:overlap] = np.linspace(0.02, 0.9, overlap)
    asked = problem(objective={"threshold": threshold}, **more)
    return evaluate(asked, y, {}, scores, scores, None, {"constant": 0.5})


def test_a_score_that_its_rows_do_not_tell_is_undecided() -> None:
    """GIVEN a value above the threshold whose bound is below THEN the rows needed are said."""
    found = of_few(20, 80, overlap=9, threshold=0.74)
    assert found.value > 0.74
    verdict = meets_objective(found)
    assert verdict.decision == "undecided"
    told = re.search(r"about ([\d,]+) holdout rows \(([\d,]+) in all\)", verdict.reasons[0])
    assert told is not None
    wanted, total = (int(one.replace(",", "")) for one in told.groups())
    assert 100 < wanted < total == wanted * 5
    many = wanted // 100 + 1
    assert meets_objective(of_few(20 * many, 80 * many, 9 * many, 0.74)).decision == "met"
    sure = {"evaluation": {"objective_confidence": 0.51}}
    assert meets_objective(of_few(20, 80, 9, 0.74, **sure)).decision == "met"


def test_a_challenger_that_surely_beats_the_champion_needs_no_bound() -> None:
    """GIVEN a champion that is surely worse THEN keeping it would be no better."""
    y = np.repeat([1, 0], [20, 80])
    scores = np.linspace(1, 0, 100)
    scores[:9] = np.linspace(0.02, 0.9, 9)
    asked = problem(objective={"threshold": 0.74})
    decisions = [
        meets_objective(evaluate(asked, y, {}, scores, scores, champion, {})).decision
        for champion in (None, scores, np.random.default_rng(0).random(100))
    ]
    assert decisions == ["undecided", "undecided", "met"]


def test_a_perfect_ranking_is_as_sure_as_its_rarer_class_is_large() -> None:
    """GIVEN no error THEN one positive is no evidence, and a hundred are."""
    decisions = [meets_objective(of_few(n, 100)).decision for n in (1, 3, 4, 5, 100)]
    assert decisions == ["undecided", "undecided", "undecided", "met", "met"]
    assert of_few(100, 100).bound == pytest.approx(0.2 ** (1 / 100))
    assert (
        "by the rows of each class it is at least 0.98"
        in (meets_objective(of_few(100, 100)).reasons[0])
    )


@pytest.mark.parametrize("metric", ["average_precision", "f1", "balanced_accuracy"])
def test_one_lucky_positive_promotes_nothing(metric: str) -> None:
    y = np.arange(120) == 7
    scores = y * 0.9 + 0.05
    asked = problem(metric=metric, objective={"threshold": 0.6})
    found = evaluate(asked, y.astype(int), {}, scores, scores, None, {})
    assert found.value == 1
    assert meets_objective(found).decision == "undecided"


def test_errors_have_an_upper_bound() -> None:
    generator = np.random.default_rng(0)
    y = generator.normal(size=60)
    scores = y + generator.normal(size=60)
    value = metrics.score("rmse", y, scores)
    for threshold, decision in ((value * 1.01, "undecided"), (value * 2, "met")):
        asked = problem("regression", "rmse", objective={"threshold": threshold})
        found = evaluate(asked, y, {}, scores, scores, None, {})
        assert found.bound is not None
        assert found.bound > value
        verdict = meets_objective(found)
        assert verdict.decision == decision
    exact = problem("regression", "rmse", objective={"threshold": 0.1})
    assert meets_objective(evaluate(exact, y, {}, y, y, None, {})).decision == "met"


def test_slices_of_chance_are_not_weak() -> None:
    """GIVEN many slices of a model that is as good everywhere THEN hardly one run names one."""
    named, count = 0, repeats(20, 8)
    for seed in range(count):
        place = np.random.default_rng(seed).integers(0, 45, ROWS).astype(str)
        scores = scores_of(1, seed)
        found = evaluate(problem(), Y, {"place": place}, scores, scores, None, {}, seed)
        assert len(found.slices) == 45
        named += bool(found.weaknesses)
    assert named <= count * 3 // 20


def test_a_slice_of_few_rows_is_neither_measured_nor_weak() -> None:
    scores = scores_of(2)
    place = np.where(np.arange(ROWS) < 5, "tiny", "large")
    place[100:200] = np.where(Y[100:200] == 1, "rare", place[100:200])
    place[300:304] = "rare"
    wrong = np.where(place == "large", scores, 1 - scores)
    found = evaluate(problem(), Y, {"place": place}, wrong, wrong, None, {})
    told = {one.value: (one.score, one.note) for one in found.slices}
    assert told["tiny"] == (None, "not told: fewer than 30 rows")
    assert told["rare"] == (None, "not told: fewer than 5 rows of a class")
    assert told["large"][0] is not None
    assert not found.weaknesses


def test_a_perfect_balanced_accuracy_of_few_rows_is_enough() -> None:
    """GIVEN 36 rows of three classes without an error THEN nine of ten right are surely reached."""
    y, scores = wines(0, 36)
    asked = problem("multiclass", "balanced_accuracy", objective={"threshold": 0.9})
    found = evaluate(asked, y, {}, scores, scores, None, {})
    assert found.bound == pytest.approx((2 + 0.2 ** (1 / 12)) / 3)
    assert meets_objective(found).decision == "met"
