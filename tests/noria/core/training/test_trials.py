"""Recipes and candidates compete under one budget: all on a part, the best of them on all rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.contracts import Problem
from noria.core.features.plan import joint_plans
from noria.core.statistics import metrics
from noria.core.training.candidate_search import explore, explore_with_predictions
from noria.core.training.candidates import CANDIDATES
from noria.core.training.rungs import FINALISTS, MANY, Contender, first_rung, last_rung
from noria.core.training.trial import Experiment, Trial
from noria.core.training.trials import judge
from noria.errors import TrainingError
from tests.support.examples import examples
from tests.support.model_data import problem
from tests.support.recipe_data import PLANTED, planted

RECIPES = ["basic", "calendar+text", "calendar", "text"]
USUAL = problem()
EVERY_KIND = planted("an hour", 400)


def experiment_of(trial: Trial, scores: list[float], **known: object) -> Experiment:
    """What came of a trial with these scores, or an error where there are none."""
    mean = float(np.mean(scores)) if scores else None
    found: dict[str, object] = {
        "candidate": trial.candidate, "setting": trial.setting, "recipe": trial.recipe,
        "rung": trial.rung, "iteration": 0, "metric": "roc_auc", "scores": scores, "mean": mean,
    }  # fmt: skip
    return Experiment.model_validate(found | known)


def searched(dataset_of: str, asked: Problem) -> tuple[list[list[Trial]], Experiment]:
    """Search as the machine does; the trials of each rung, and the winner."""
    dataset = planted(dataset_of)
    plans = {one.recipe: one for one in joint_plans(dataset, asked)}
    trials, rungs = first_rung([*plans], asked, dataset.training_size), []
    while True:
        rungs.append(trials)
        tried = {
            one.name: explore(dataset, plans[one.recipe], one, asked, 0, lambda: 0.0)
            for one in trials
        }
        judgement = judge(tried, asked, len(plans))
        kept = [tried[name] for name in judgement.kept]
        if not judgement.another:
            return rungs, kept[0]
        trials = last_rung(
            [Contender(one.recipe, one.candidate, one.setting) for one in kept], asked, 2
        )


@pytest.mark.parametrize("what", ["a ratio", "an hour"])
def test_the_recipe_that_tells_the_outcome_is_in_the_first_turn(what: str) -> None:
    """GIVEN an outcome that one recipe tells THEN it wins without a turn that misses first."""
    little = {"candidates": ["hist_gradient_boosting"], "folds": 2, "trials": 8}
    rungs, winner = searched(what, problem(exploration=little))
    assert len(rungs) == 2
    assert {one.recipe for one in rungs[0]} >= {"basic", *PLANTED.values()}
    assert len(rungs[1]) == FINALISTS
    assert rungs[1][0].rows > rungs[0][0].rows
    assert PLANTED[what] in winner.recipe.split("+")
    assert winner.mean is not None
    assert winner.mean > 0.9


def test_no_trial_plans_with_more_seconds_than_its_function_has() -> None:
    """GIVEN hours THEN each trial has ten minutes, as Lambda ends a function after fifteen."""
    asked = problem(exploration={"seconds": 20_000})
    trials = [*first_rung(RECIPES, asked, 60_000), *first_rung(["basic"], asked, 1_000)]
    trials += last_rung([Contender("text", "random_forest")], asked, 2)
    assert len(trials) > 20
    assert max(one.seconds for one in trials) == 600


def test_the_first_rung_takes_a_part_of_the_rows_and_of_the_seconds() -> None:
    asked = problem(exploration={"rows": 20_000, "seconds": 90})
    trials = first_rung(RECIPES, asked, 60_000)
    usual, others = asked.candidates_of_every_recipe, {"decision_tree", "neural_network"}
    assert [(one.recipe, one.candidate) for one in trials if one.candidate in usual] == [
        (recipe, candidate) for recipe in RECIPES for candidate in usual
    ]
    assert {one.candidate for one in trials if one.recipe == "basic"} == {*usual, *others}
    assert len(trials) == len(RECIPES) * len(usual) + len(others)
    assert {one.rows for one in trials} == {5_000}
    assert sum(one.seconds for one in trials) == pytest.approx(45)
    assert {one.settings for one in trials} == {0}
    forests = [Contender("text", "random_forest"), Contender("basic", "random_forest")]
    last = last_rung(forests, asked, 2, 20.0)
    assert sum(one.seconds for one in last) == pytest.approx(61)
    late = last_rung(forests[:1], asked, 2, 80.0)
    assert late[0].seconds == pytest.approx(36)
    assert {(one.rows, one.settings) for one in last} == {(20_000, 13)}


def test_each_row_is_answered_once_by_a_model_that_had_not_seen_it() -> None:
    dataset, asked = planted("an hour", 1_000), problem(exploration={"folds": 4})
    plan = joint_plans(dataset, asked)[0]
    [trial] = [one for one in first_rung(["basic"], asked, 750)
               if one.candidate == "logistic_regression"]  # fmt: skip
    experiment, predicted = explore_with_predictions(dataset, plan, trial, asked, 0)
    assert sorted(predicted.rows) == np.flatnonzero(~dataset.holdout).tolist()
    assert (dataset.target[predicted.rows] == predicted.target).all()
    latest = np.array_split(np.arange(len(predicted.rows)), 4)[0]
    found = metrics.score("roc_auc", predicted.target[latest], predicted.scores[latest])
    assert found == pytest.approx(experiment.scores[0], abs=0.02)
    assert predicted.widening == pytest.approx(np.sqrt(1 + 4 / 3), abs=0.01)


def test_few_trials_need_no_first_rung() -> None:
    asked = problem(exploration={"candidates": ["random_forest"], "seconds": 60})
    trials = first_rung(RECIPES[:2], asked, 1_000)
    assert [one.rung for one in trials] == [1, 1]
    assert sum(one.seconds for one in trials) == pytest.approx(54)
    tried = {one.name: experiment_of(one, [0.7, 0.8]) for one in trials}
    assert not judge(tried, asked, 2).another


@given(count=st.integers(1, 60), sizes=st.integers(5, 1_000_000))
@examples(50)
def test_no_more_trials_than_the_contract_allows(count: int, sizes: int) -> None:
    asked = problem(exploration={"trials": count})
    recipes = [one.recipe for one in joint_plans(EVERY_KIND, asked)]
    trials = first_rung(recipes, asked, sizes)
    assert len(trials) <= max(count, len(asked.candidates))
    assert all(0 < one.rows <= asked.exploration.rows for one in trials)
    assert len({one.name for one in trials}) == len(trials)


def test_one_recipe_after_another_where_the_objective_is_to_be_met() -> None:
    asked = problem(exploration={"stop": "objective"})
    assert [one.recipe for one in joint_plans(EVERY_KIND, asked)] == ["basic"]


def test_recipes_that_change_nothing_are_tried_once() -> None:
    dataset = planted("an hour").only(["a", "city"])
    recipes = [one.recipe for one in joint_plans(dataset, USUAL)]
    assert recipes == ["basic", "target_encoding+interactions", "target_encoding", "interactions"]
    assert [one.recipe for one in joint_plans(dataset.only(["city"]), USUAL)] == [
        "basic", "target_encoding",
    ]  # fmt: skip


def test_the_best_go_on_and_each_trial_says_what_became_of_it() -> None:
    trials = first_rung(RECIPES, USUAL, 10_000)
    scores = np.linspace(0.6, 0.9, len(trials))
    tried = {
        one.name: experiment_of(one, [score - 0.01, score, score + 0.01])
        for one, score in zip(trials, scores, strict=True)
    }
    broken = trials[0].name
    tried[broken] = experiment_of(trials[0], [], error="DataError: too wide")
    judgement = judge(tried, USUAL, len(RECIPES))
    assert judgement.another
    assert judgement.kept == [one.name for one in trials[-1 : -FINALISTS - 1 : -1]]
    assert {judgement.outcomes[name] for name in judgement.kept} == {"goes on"}
    assert judgement.outcomes[broken] == "failed"
    best = trials[-1]
    assert judgement.outcomes[trials[1].name].endswith(
        f"behind {best.candidate} with recipe {best.recipe}"
    )


def test_a_trial_that_ran_out_of_time_is_compared_on_the_folds_that_it_has() -> None:
    """GIVEN a latest fold that is hard for all THEN having scored that one alone is no fault."""
    asked = problem(exploration={"candidates": USUAL.candidates_of_every_recipe})
    trials = first_rung(["basic", "text"], asked, 10_000)
    tried = {one.name: experiment_of(one, [0.60, 0.80, 0.82]) for one in trials}
    tried[trials[0].name] = experiment_of(trials[0], [0.65])
    tried[trials[1].name] = experiment_of(trials[1], [0.61, 0.82, 0.83])
    judgement = judge(tried, USUAL, 2)
    assert judgement.kept[:2] == [trials[0].name, trials[1].name]
    assert len({tried[name].candidate for name in judgement.kept}) == FINALISTS
    assert judgement.outcomes[trials[-1].name].startswith("0.05 behind")


def test_ties_go_to_the_simpler_candidate_and_then_to_the_shorter_recipe() -> None:
    recipes = [Contender(recipe, "logistic_regression") for recipe in ("calendar+text", "text")]
    trials = last_rung([*recipes, Contender("basic", "hist_gradient_boosting")], USUAL, 2)
    noise = [0.80, 0.81, 0.79, 0.80, 0.82]
    tried = {one.name: experiment_of(one, noise) for one in trials}
    judgement = judge(tried, USUAL, 3)
    assert judgement.kept == [trials[1].name]
    assert judgement.outcomes[trials[1].name].startswith("chosen: ")


def test_each_candidate_has_a_trial_in_the_last_rung() -> None:
    trials = first_rung(RECIPES, USUAL, 10_000)
    usual = USUAL.candidates_of_every_recipe
    behind = {one: 0.01 * place for place, one in enumerate(USUAL.candidates)}
    tried = {
        one.name: experiment_of(one, [0.8 - behind[one.candidate] + 0.001 * len(one.recipe)] * 3)
        for one in trials
    }
    judgement = judge(tried, USUAL, len(RECIPES))
    assert [tried[name].candidate for name in judgement.kept] == usual
    assert {tried[name].recipe for name in judgement.kept} == {"calendar+text"}


def test_where_every_trial_fails_all_causes_are_told() -> None:
    trials = first_rung(["basic"], USUAL, 100)
    tried = {one.name: experiment_of(one, [], error="ValueError: no") for one in trials}
    with pytest.raises(TrainingError, match="logistic_regression: ValueError: no"):
        judge(tried, USUAL, 1)


def test_candidates_for_few_rows_are_left_out_of_many_but_where_they_are_named() -> None:
    few, many = ({one.candidate for one in first_rung(["basic"], USUAL, rows)}
                 for rows in (500, 100_000))  # fmt: skip
    assert few >= {"decision_tree", "neural_network", "support_vectors"}
    assert not many & {"neural_network", "support_vectors"}
    named = problem(exploration={"candidates": ["support_vectors"]})
    trials = first_rung(["basic", "text"], named, 100_000)
    assert [one.recipe for one in trials] == ["basic", "text"]
    sparing = problem(exploration={"trials": 4})
    assert len(first_rung(["basic"], sparing, 500)) == 4


def test_settings_are_trials_of_their_own_where_many_are_asked_for() -> None:
    """GIVEN `exploration.trials` beyond 40 THEN what recipes times candidates leave is settings."""
    few, many, all_of_them = (
        first_rung(RECIPES, problem(exploration={"trials": trials, "seconds": 100}), 60_000)
        for trials in (MANY, 60, 1_000)
    )
    assert {one.setting for one in few} == {""}
    assert many[: len(few)] == [
        one.model_copy(update={"seconds": found.seconds})
        for one, found in zip(few, many, strict=False)
    ]
    assert len(many) == 60
    assert many == [
        one.model_copy(update={"seconds": found.seconds})
        for one, found in zip(all_of_them, many, strict=False)
    ]
    pairs = {(one.recipe, one.candidate) for one in few}
    expected = len(pairs) + sum(len(CANDIDATES[candidate].settings) for _, candidate in pairs)
    assert len({one.name for one in all_of_them}) == len(all_of_them) == expected
    assert sum(one.seconds for one in all_of_them) == pytest.approx(50)
    usual, dearer = (
        next(one for one in all_of_them
             if (one.recipe, one.candidate, one.setting)
             == ("basic", "hist_gradient_boosting", setting))
        for setting in ("", "more iterations")
    )  # fmt: skip
    assert dearer.seconds == pytest.approx(4 * usual.seconds)
    assert dearer.name == "1.basic.hist_gradient_boosting.more-iterations"


def test_a_setting_that_is_best_on_a_part_of_the_rows_goes_on_to_all_of_them() -> None:
    """GIVEN a setting that beats the usual one THEN the last rung scores and trains that."""
    asked = problem(exploration={"trials": 100})
    trials = first_rung(RECIPES, asked, 10_000)
    best = next(one for one in trials if one.setting == "larger leaves" and one.recipe == "text")
    tried = {one.name: experiment_of(one, [0.6, 0.61, 0.6]) for one in trials}
    tried[best.name] = experiment_of(best, [0.8, 0.81, 0.8])
    judgement = judge(tried, asked, len(RECIPES))
    assert judgement.kept[0] == best.name
    assert f"{best.candidate} (larger leaves) with recipe text" in judgement.reason
    kept = [tried[name] for name in judgement.kept]
    assert {one.setting for one in kept[1:]} == {""}  # of equals the usual one
    [last] = last_rung([Contender(kept[0].recipe, kept[0].candidate, kept[0].setting)], asked, 2)
    assert (last.setting, last.settings) == ("larger leaves", 99)


def test_a_trial_of_a_setting_is_scored_with_it_and_races_the_others_against_it() -> None:
    """GIVEN least shrinkage where columns are noise THEN a setting with more gains over it."""
    dataset = planted("an hour", 400)
    asked = problem(exploration={"candidates": ["logistic_regression"], "folds": 4})
    plan = joint_plans(dataset, asked)[0]
    usual, alone, racing = (
        explore(
            dataset, plan,
            Trial(recipe=plan.recipe, candidate="logistic_regression", setting=setting, rung=2,
                  rows=400, seconds=100, settings=settings),
            asked, 0,
        )
        for setting, settings in (("", 0), ("less shrinkage", 0), ("less shrinkage", 9))
    )  # fmt: skip
    assert alone.setting == "less shrinkage"
    assert alone.parameters != usual.parameters
    assert alone.scores != usual.scores
    assert alone.scores == explore(
        dataset, plan,
        Trial(recipe=plan.recipe, candidate="logistic_regression", setting="less shrinkage",
              rung=2, rows=400, seconds=100),
        asked, 0,
    ).scores  # fmt: skip
    settings = {one.setting for one in racing.trials}
    assert settings == {*CANDIDATES["logistic_regression"].settings} - {"less shrinkage"}
    told = " ".join(one.outcome for one in racing.trials)
    assert "'less shrinkage'" in told or "taken" in told
    assert "usual" not in told
