"""What evaluation found weak chooses the next recipe, and the columns that it works on."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from noria.core.data.dataset import Column, Dataset
from noria.core.evaluation.error_analysis import find_weaknesses
from noria.core.evaluation.error_findings import Findings, Weakness
from noria.core.evaluation.evaluate import evaluate
from noria.core.evaluation.results import EvaluationResult
from noria.core.evaluation.verdicts import meets_objective
from noria.core.features.plan import Plan, ladder, make_plan
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.statistics import metrics
from noria.core.training.fitted_model import Member
from noria.core.training.train import train
from noria.errors import ContractError, RequestError
from noria.serving.openapi import schemas
from tests.support.model_data import mixed, problem, real
from tests.support.recipe_data import PLANTED, START, findings_of, plan_with, planted, solved

THRESHOLD = 0.93
NOTHING = Findings()


def weakness(aspect: str, *columns: str, share: float = 0.2) -> Weakness:
    return Weakness(
        columns=columns, aspect=aspect, share=share, significance=0.001, where="somewhere",
        rows=50, actual=0.8, predicted=0.4,
    )  # fmt: skip


def after_basic(dataset: Dataset, findings: Findings, **features: object) -> Plan:
    asked = problem(features=features)
    basic = make_plan(dataset, asked, 0)
    return make_plan(dataset, asked, 1, "roc_auc 0.61 misses the threshold 0.7", basic, findings)


@pytest.mark.parametrize("what", PLANTED)
def test_the_errors_lead_to_the_one_recipe_that_meets_the_objective(what: str) -> None:
    dataset = planted(what)
    value, trained = solved(dataset, plan_with(dataset, "basic"))
    assert value < THRESHOLD
    plan = after_basic(dataset, findings_of(dataset, trained))
    assert plan.recipe == PLANTED[what]
    assert plan.steps == ("basic", PLANTED[what])
    others = {recipe.name for recipe in ladder(dataset, problem())} - {plan.recipe}
    assert len(others) >= 5
    assert all(solved(dataset, plan_with(dataset, other))[0] < THRESHOLD for other in others)
    value, better = solved(dataset, plan)
    assert value >= THRESHOLD
    found = OnnxModel(better.onnx, better.signature).score(dataset.holdout_rows.data)
    assert np.abs(found - better.holdout_scores).max() < 2e-6


def test_the_verdict_names_the_weakness_with_its_numbers() -> None:
    dataset = planted("an hour")
    _, trained = solved(dataset, plan_with(dataset, "basic"))
    plan = after_basic(dataset, findings_of(dataset, trained))
    assert plan.why.startswith("'basic' missed the objective")
    assert "roc_auc 0.61 misses the threshold 0.7" in plan.why
    assert "because hour of at still explains 8" in plan.why
    assert "on average, predicted 0.3" in plan.why


def test_features_concentrate_on_what_is_weak() -> None:
    dataset = planted("a ratio")
    weak = Findings(weaknesses=(weakness("ratio", "c", "a"), weakness("range", "b", share=0.1)))
    plan = after_basic(dataset, weak)
    assert plan.recipe == "interactions"
    assert plan.parts["pairs"][0] == ("c", "a")
    assert plan.parts["squares"][0] == ("b",)
    one = after_basic(dataset, Findings(weaknesses=(weakness("value", "desk"),)))
    assert one.parts["target_means"] == (("desk",),)
    every = after_basic(dataset, NOTHING, recipes=["target_encoding"])
    assert every.parts["target_means"] == (("city",), ("desk",))


def test_a_turn_keeps_what_the_turns_before_took() -> None:
    dataset, asked = planted("a ratio"), problem()
    plans = [make_plan(dataset, asked, 0)]
    for found in (weakness("value", "desk"), weakness("ratio", "b", "c"), weakness("word", "note")):
        last = plans[-1]
        turn = last.iteration + 1
        plans.append(make_plan(dataset, asked, turn, "", last, Findings(weaknesses=(found,))))
    assert plans[-1].steps == ("basic", "target_encoding", "interactions", "text")
    assert plans[-1].parts["target_means"] == (("desk",),)
    assert plans[-1].parts["pairs"][0] == ("b", "c")
    assert plans[-1].parts["texts"] == (("note",),)


def test_where_no_error_stands_out_unused_columns_come_first() -> None:
    dataset = planted("a keyword")
    assert after_basic(dataset, Findings(unused=("note",))).recipe == "text"
    assert after_basic(dataset, Findings(unused=("note", "at"))).recipe == "calendar"
    assert "no use of 'note'" in after_basic(dataset, Findings(unused=("note",))).why
    assert after_basic(dataset, Findings(unused=("a", "b"))).recipe == "calendar"
    assert "no column stands out" in after_basic(dataset, NOTHING).why


def test_many_unused_numbers_call_for_a_selection() -> None:
    dataset = many_numbers()
    _, trained = solved(dataset, plan_with(dataset, "basic"), "logistic_regression")
    plan = after_basic(dataset, findings_of(dataset, trained))
    assert plan.recipe == "selection"
    assert "of 120 columns" in plan.why


def test_a_list_of_recipes_is_climbed_in_its_order() -> None:
    dataset = planted("a ratio")
    asked = problem(features={"recipes": ["text", "interactions"]})
    assert [rung.name for rung in ladder(dataset, asked)] == ["basic", "text", "interactions"]
    found = Findings(weaknesses=(weakness("ratio", "a", "b"),))
    assert after_basic(dataset, found, recipes=["text", "interactions"]).recipe == "text"
    with pytest.raises(ContractError, match="recipes"):
        type(asked).parse(asked.to_document() | {"features": {"recipes": ["txt"]}})


def many_numbers(rows: int = 400, wide: int = 120) -> Dataset:
    """Four numbers that add up to the outcome, among others that have nothing to do with it."""
    generator = np.random.default_rng(2)
    data = {f"n{i}": generator.normal(size=rows) for i in range(wide)}
    total = sum(data[f"n{i}"] for i in range(4)) + 0.7 * generator.normal(size=rows)
    columns = tuple(Column(name, "number") for name in data)
    return Dataset(columns, data, total > 0, ("no", "yes"), np.arange(rows) >= rows / 2)


def test_selection_keeps_the_planted_features_and_meets_the_objective() -> None:
    dataset = many_numbers()
    misses = [
        solved(dataset, plan_with(dataset, name), "logistic_regression")[0]
        for name in ("basic", "interactions")
    ]
    assert max(misses) < THRESHOLD
    value, trained = solved(dataset, plan_with(dataset, "selection"), "logistic_regression")
    assert value >= THRESHOLD
    taken = trained.signature.names
    assert {"n0", "n1", "n2", "n3"} <= set(taken)
    assert len(taken) < 12
    assert set(trained.signature.unused) == set(dataset.names()) - set(taken)
    _, whole = solved(dataset, plan_with(dataset, "basic"), "logistic_regression")
    assert len(trained.onnx) < len(whole.onnx)


def test_requests_may_go_on_carrying_columns_that_are_no_longer_used() -> None:
    dataset = many_numbers()
    _, trained = solved(dataset, plan_with(dataset, "selection"), "logistic_regression")
    model = OnnxModel(trained.onnx, trained.signature)
    row = dict.fromkeys(dataset.names(), 0.5)
    few = dict.fromkeys(trained.signature.names, 0.5)
    assert model.predict([row]) == model.predict([few])
    described = schemas(trained.signature)["Row"]["properties"]
    assert set(described) == set(row)
    assert {name for name, one in described.items() if "not used" in one["description"]} == set(
        trained.signature.unused
    )
    with pytest.raises(RequestError, match="no field 'n999'"):
        model.predict([{"n999": 1}])


def test_without_anything_to_tell_selection_keeps_everything() -> None:
    dataset = many_numbers(60, 5)
    nothing = Dataset(
        dataset.columns,
        {name: np.zeros(60) for name in dataset.names()},
        dataset.target,
        dataset.classes,
        dataset.holdout,
    )
    _, trained = solved(nothing, plan_with(nothing, "selection"))
    assert trained.signature.names == dataset.names()


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_noise_has_no_weakness(classes: int) -> None:
    """Scores that know the class shares alone, of targets that no column has to do with."""
    found = []
    for seed in range(20):
        dataset = mixed(1_000, classes, seed)
        generator = np.random.default_rng(1_000 + seed)
        drawn = generator.integers(0, classes, 1_000) if classes else generator.normal(size=1_000)
        rows = Dataset(dataset.columns, dataset.data, drawn, dataset.classes, dataset.holdout)
        task = {0: "regression", 2: "binary", 3: "multiclass"}[classes]
        scores = np.full((1_000, 3), 1 / 3) if classes == 3 else np.full(1_000, 0.5)
        asked = problem(task, "rmse" if not classes else "log_loss")
        found += find_weaknesses(asked, rows, scores).weaknesses
    assert len(found) <= 3


def test_what_moves_with_time_as_a_whole_is_no_weakness() -> None:
    """Winter is later than any recipe can know; the hour of the day is not."""
    generator = np.random.default_rng(6)
    times = START + 600 * np.arange(8_000)
    winter = (times - START) / (600 * 8_000)
    hours = times // 3600 % 24
    target = 3 * winter + 0.2 * generator.normal(size=8_000)
    columns = (Column("at", "timestamp"), Column("day", "number"))
    data = {"at": times, "day": (times // 86_400).astype(np.float64)}
    drifting = Dataset(columns, data, target, (), np.ones(8_000, bool), times)
    asked, scores = problem("regression", "rmse"), np.full(8_000, 1.5)
    found = find_weaknesses(asked, drifting, scores).weaknesses
    assert not [one for one in found if one.share >= 0.1]
    daily = Dataset(columns, data, target + (hours < 6), (), np.ones(8_000, bool), times)
    strongest = find_weaknesses(asked, daily, scores).weaknesses[0]
    assert (strongest.aspect, strongest.columns) == ("hour", ("at",))
    assert strongest.share > 0.4


def test_real_cholesterol_needs_a_ratio_and_gets_it_in_the_second_turn() -> None:
    """s4 of the diabetes set is total cholesterol over HDL: s1 / s3."""
    bunch = load_diabetes(scaled=False)
    values = {name: bunch.data[:, i] for i, name in enumerate(bunch.feature_names)}
    wanted = values.pop("s4")
    columns = tuple(Column(name, "number") for name in values)
    dataset = Dataset(columns, values, wanted, (), np.arange(len(wanted)) % 5 == 0)
    asked = problem("regression", "r2", objective={"threshold": 0.92})
    plan, scores, found = None, [], None
    for turn in range(2):
        plan = make_plan(dataset, asked, turn, "", plan, found)
        trained = train(dataset, [Member(plan, "ridge")], asked, 0)
        truth, answered = dataset.holdout_rows.target, trained.holdout_scores
        scores.append(metrics.score("r2", truth, answered))
        found = find_weaknesses(asked, dataset.holdout_rows, answered, trained.importances)
    assert plan is not None
    assert plan.recipe == "interactions"
    assert ("s1", "s3") in plan.parts["pairs"]
    assert scores[0] < 0.92 < scores[1]


def test_many_classes_are_told_by_their_log_loss() -> None:
    dataset = mixed(1_500, 3)
    scores = np.full((1_500, 3), 1 / 3)
    found = find_weaknesses(problem("multiclass", "log_loss"), dataset, scores)
    strongest = found.weaknesses[0]
    assert strongest.columns[0] == "n0"
    assert strongest.loss == pytest.approx(np.log(3), abs=0.01)
    assert "log loss" in strongest.sentence


def test_regression_errors_are_signed() -> None:
    dataset, asked = real("regression")
    found = find_weaknesses(asked, dataset, np.full(len(dataset), dataset.target.mean()))
    bmi = next(one for one in found.weaknesses if one.columns == ("bmi",))
    assert bmi.aspect == "range"
    assert bmi.actual is not None
    assert bmi.predicted == pytest.approx(dataset.target.mean())
    assert abs(bmi.actual - dataset.target.mean()) > 30


def test_a_perfect_model_has_no_weakness() -> None:
    dataset = mixed(300, 0)
    assert find_weaknesses(problem("regression", "rmse"), dataset, dataset.target) == NOTHING


def test_evaluation_carries_the_findings_and_says_them() -> None:
    dataset, asked = planted("a keyword"), problem(objective={"threshold": 0.93})
    _, trained = solved(dataset, plan_with(dataset, "basic"))
    rows, scores = dataset.holdout_rows, trained.holdout_scores
    findings = find_weaknesses(asked, rows, scores, trained.importances)
    judged = evaluate(asked, rows.target, {}, scores, scores, None, {}, 0, "", findings)
    assert EvaluationResult.model_validate_json(judged.model_dump_json()).findings == findings
    verdict = meets_objective(judged)
    assert verdict.decision == "missed"
    assert any("note with 'refund'" in reason for reason in verdict.reasons)
