"""Every threshold of features and of the choice among candidates is the contract's."""

import json
from typing import Any

import numpy as np
import pytest

from noria.contracts import Features
from noria.core.data.dataset import Column, Dataset
from noria.core.evaluation.error_analysis import find_weaknesses
from noria.core.evaluation.error_findings import Findings
from noria.core.features.encoder_limits import USUAL, EncoderLimits
from noria.core.features.feature_encoder import FeatureEncoder, frame_of
from noria.core.features.plan import Plan, ladder, make_plan
from noria.core.training.trial import Experiment
from tests.support.model_data import mixed, problem, real
from tests.support.recipe_data import planted
from tests.support.trial_data import chosen_of


def features_of(
    dataset: Dataset, recipes: list[str], family: str = "tree", **limits: Any
) -> dict[str, np.ndarray]:
    """The training matrix by the features' names, under a contract with these limits."""
    asked = problem(features={"recipes": recipes, **limits})
    plan = make_plan(dataset, asked, len(recipes))
    encoder = FeatureEncoder(plan, family, len(dataset.classes))  # type: ignore[arg-type]
    encoder.fit(frame_of(dataset), dataset.target)
    columns = encoder.transform(frame_of(dataset)).T
    return dict(zip(encoder.get_feature_names_out(), columns, strict=True))


def letters(texts: list[str], answers: list[int]) -> Dataset:
    """Texts with an answer each, and a number, without which texts are in the first recipe."""
    rows = len(texts)
    columns = (Column("note", "text"), Column("n", "number"))
    data = {"note": np.array(texts), "n": np.arange(rows)}
    return Dataset(columns, data, np.array(answers), ("no", "yes"), np.zeros(rows, bool))


def words_of(dataset: Dataset, **limits: Any) -> set[str]:
    found = features_of(dataset, ["text"], **limits)
    return {name.removeprefix("note has ") for name in found if name.startswith("note has ")}


def test_a_plan_carries_the_contracts_limits() -> None:
    limits = {
        "smoothing_rows": 3.5, "one_hot_values": 2, "word_features": 7, "word_rows": 9,
        "word_share": 0.25, "word_strength": 12.5,
    }  # fmt: skip
    assert set(limits) == set(EncoderLimits.model_fields)
    plan = make_plan(mixed(60, 2), problem(features=limits), 0)
    assert plan.limits.model_dump() == limits
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert EncoderLimits.of(Features()) == USUAL


def test_a_plan_of_before_there_were_limits_makes_the_same_features() -> None:
    dataset = mixed(300, 3)
    plan = make_plan(dataset, problem("multiclass", "log_loss"), 3)
    stored = json.loads(plan.model_dump_json())
    del stored["limits"]
    old = Plan.model_validate(stored)
    assert old == plan
    rows, made = frame_of(dataset), []
    for one in (old, plan):
        encoder = FeatureEncoder(one, "linear", 3).fit(rows, dataset.target)
        made.append(encoder.transform(rows).tobytes())
    assert made[0] == made[1]


def test_smoothing_draws_means_towards_the_overall_one() -> None:
    """One of five is a yes in general, all of four in the rare city: (4 + s / 5) / (4 + s)."""
    places = np.array(["rare"] * 4 + ["usual"] * 96)
    target = np.array([1] * 4 + [1] * 16 + [0] * 80)
    dataset = Dataset(
        (Column("city", "category"),), {"city": places}, target, ("no", "yes"), np.zeros(100, bool)
    )
    for rows in (1, 20, 400):
        found = features_of(dataset, ["target_encoding"], smoothing_rows=rows)
        mean = next(values for name, values in found.items() if "rank" not in name)
        assert mean[0] == pytest.approx((4 + rows * 0.2) / (4 + rows), abs=1e-6)


def test_values_with_a_feature_each() -> None:
    dataset = mixed(300, 2)
    for most in (2, 20):
        names = features_of(dataset, ["calendar"], "linear", one_hot_values=most)
        assert len([name for name in names if name.startswith("many = ")]) == most + 1


def test_words_that_become_features() -> None:
    answers = [1, 0] * 200
    said = ["refund now" if answer else "thanks" for answer in answers]
    assert words_of(letters(said, answers)) == {"'refund'", "'now'", "'refund now'", "'thanks'"}
    assert len(words_of(letters(said, answers), word_features=2)) == 2
    told = 2 * 400  # each class has the z score of a share of 0 or 1 in half of 400 texts
    assert len(words_of(letters(said, answers), word_strength=told - 1)) == 4
    assert words_of(letters(said, answers), word_strength=told + 1) == set()


def test_words_that_few_texts_hold() -> None:
    answers = [1] * 200 + [0] * 200
    said = ["odd"] * 8 + ["same"] * 392
    assert "'odd'" in words_of(letters(said, answers))
    assert words_of(letters(said, answers), word_rows=9) == set()
    assert "'odd'" in words_of(letters(said, answers), word_share=0.02)
    assert words_of(letters(said, answers), word_share=0.021) == set()


def findings(dataset: Dataset, importances: dict[str, float], **limits: Any) -> Findings:
    scores = np.full(len(dataset), dataset.target.mean())
    return find_weaknesses(problem(features=limits), dataset, scores, importances)


def test_a_weakness_is_worth_a_recipe_from_a_share() -> None:
    dataset = planted("an hour")
    found = findings(dataset, {}).weaknesses
    assert found[0].recipe == "calendar"
    assert findings(dataset, {}, weakness_share=found[0].share + 1e-6).weaknesses == ()


def test_rows_that_weaknesses_are_looked_for_in() -> None:
    dataset = planted("an hour")
    assert findings(dataset, {}).weaknesses[0].rows > 100
    few = findings(dataset, {}, weakness_rows=100).weaknesses
    assert not [one for one in few if one.rows >= 100]


def test_columns_that_are_as_good_as_unused() -> None:
    dataset, _ = real("binary")
    used = dict.fromkeys(dataset.names(), 0.5) | {"mean_area": 1.0, "mean_texture": 0.015}
    assert findings(dataset, used).unused == ("mean_texture",)
    assert findings(dataset, used, little_use=0.01).unused == ()
    assert len(findings(dataset, used, little_use=0.5).unused) == len(dataset.names()) - 1


def test_columns_from_which_selection_is_tried() -> None:
    columns = [Column(name, "number") for name in "abc"]
    assert "selection" not in [one.name for one in ladder(columns, problem())]
    few = problem(features={"selection_columns": 3})
    assert "selection" in [one.name for one in ladder(columns, few)]


def test_folds_from_which_the_simpler_candidate_is_preferred() -> None:
    scores = {
        "hist_gradient_boosting": [0.80, 0.90, 0.85], "logistic_regression": [0.81, 0.89, 0.84]
    }  # fmt: skip
    tried = [
        Experiment(candidate=name, recipe="basic", iteration=0, metric="roc_auc", scores=found,
                   mean=float(np.mean(found)))
        for name, found in scores.items()
    ]  # fmt: skip
    assert chosen_of(tried, problem()) == "hist_gradient_boosting"
    three = problem(exploration={"fewest_folds": 3})
    assert chosen_of(tried, three) == "logistic_regression"
