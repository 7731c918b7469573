"""Settings race over the folds: the better is found, luck is not taken for it, time is kept."""

import numpy as np
import pytest

from noria.core.data.dataset import Column, Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import make_plan
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.statistics import metrics
from noria.core.training.candidate_search import explore
from noria.core.training.candidates import CANDIDATES
from noria.core.training.estimators import fit, make_pipeline, predict_scores
from noria.core.training.fitted_model import Member
from noria.core.training.onnx_export import to_onnx
from noria.core.training.setting_search import TAKEN, Race, SettingTrial, search
from noria.core.training.train import train
from noria.core.training.trial import Experiment
from noria.errors import DataError
from tests.support.examples import repeats
from tests.support.model_data import bare_signature, mixed, problem
from tests.support.trial_data import trial_of

FOLDS = 5


def raced(
    scores: dict[str, list[float]],
    seconds: float = 1000.0,
    folds: int = FOLDS,
    slow_by: float = 1.0,
    **costs: float,
) -> dict[str, SettingTrial]:
    """Race settings of given scores against one that scores 0.7 everywhere, a second a fold."""

    def score_fold(setting: str, fold: int) -> tuple[float, float]:
        score = scores[setting][fold]
        if np.isnan(score):
            raise DataError("no such luck")
        return score, costs.get(setting, 1.0) * slow_by

    race = Race(
        usual=[0.7] * folds,
        gain=lambda new, old: metrics.gain("roc_auc", new, old),
        overlap=1 / (folds - 1),
        costs={name: costs.get(name, 1.0) for name in scores},
        fold_seconds=1.0,
        seconds=seconds,
        confidence=0.8,
    )
    return {one.setting: one for one in search(race, score_fold, (DataError,))}


def taken(trials: dict[str, SettingTrial]) -> list[str]:
    return [name for name, one in trials.items() if one.outcome == TAKEN]


def test_the_best_is_taken_and_the_others_cost_little() -> None:
    good = [0.76, 0.75, 0.77, 0.75, 0.76]
    found = raced({"worse": [0.6] * 5, "best": good, "better": [0.71] * 5, "as good": [0.7] * 5})
    assert taken(found) == ["best"]
    assert {name: len(one.gains) for name, one in found.items()} == {
        "worse": 1, "best": 5, "better": 2, "as good": 1,
    }  # fmt: skip
    assert found["worse"].outcome == "dropped after 1 fold, -0.1 against the usual setting"


def test_a_gain_within_its_standard_error_is_not_taken() -> None:
    found = raced({"luck": [0.80, 0.68, 0.66, 0.69, 0.71]})
    assert taken(found) == []
    assert "beyond chance" in found["luck"].outcome or "dropped" in found["luck"].outcome


def test_few_folds_must_agree() -> None:
    assert taken(raced({"alike": [0.72, 0.721]}, folds=2)) == ["alike"]
    assert taken(raced({"apart": [0.701, 0.75]}, folds=2)) == []


def mean_gain(spread: float, mean: float) -> tuple[float, float]:
    """What races gain in truth on average, and how often the usual setting is left."""
    generator, count = np.random.default_rng(0), repeats(2_000, 400)
    gained = []
    for _ in range(count):
        truth = dict(zip("abcde", generator.normal(mean, spread, 5), strict=True))
        found = raced({n: list(0.7 + g + generator.normal(0, 0.02, 5)) for n, g in truth.items()})
        gained.append(sum(truth[name] for name in taken(found)))
    return float(np.mean(gained)), float(np.mean(np.array(gained) != 0))


def test_races_gain_where_settings_differ_and_lose_nothing_where_they_do_not() -> None:
    """GIVEN folds twice as noisy as settings differ THEN the mean true gain is half of that."""
    gained, left = mean_gain(0.01, 0.0)
    assert gained > 0.005
    assert left < 0.6
    worse, _ = mean_gain(0.01, -0.01)
    assert worse > 0
    _, fooled = mean_gain(1e-9, 0.0)
    assert fooled < 0.35


def test_a_setting_that_fails_costs_the_others_nothing() -> None:
    found = raced({"broken": [np.nan] * 5, "good": [0.8] * 5})
    assert taken(found) == ["good"]
    assert found["broken"].outcome == "failed: DataError: no such luck"


def test_what_the_budget_cannot_pay_is_not_tried() -> None:
    found = raced({"dear": [0.9] * 5, "cheap": [0.8] * 5}, seconds=6, dear=9)
    assert taken(found) == ["cheap"]
    assert found["dear"].outcome == "not tried: 6 s were left, 46 s needed"
    assert found["dear"].gains == {}


def test_a_setting_that_takes_longer_than_was_thought_is_stopped() -> None:
    slow = raced({"slow": [0.9] * 5}, seconds=6, slow_by=3)
    assert slow["slow"].outcome == "stopped after 2 folds: 0 s were left, a fold takes 1 s"


def checkers(rows: int = 3_000) -> Dataset:
    """A board of fields, which few trees of few leaves learn badly."""
    generator = np.random.default_rng(1)
    place = generator.uniform(0, 6, size=(2, rows)).round(3)
    white = (place.astype(int).sum(axis=0) % 2).astype(bool)
    noise = generator.random(rows) < 0.05
    return Dataset(
        (Column("x", "number"), Column("y", "number")),
        {"x": place[0], "y": place[1]},
        (white ^ noise).astype(int),
        ("black", "white"),
        np.arange(rows) % 4 == 0,
    )


def test_a_setting_that_learns_more_is_found_recorded_and_trained() -> None:
    dataset = checkers()
    asked = problem(exploration={"candidates": ["hist_gradient_boosting"]})
    alone = problem(exploration={"candidates": ["hist_gradient_boosting"], "trials": 1})
    plan = make_plan(dataset, asked, 0)
    found = explore(dataset, plan, trial_of(asked, "hist_gradient_boosting"), asked, 0)
    usual = explore(dataset, plan, trial_of(alone, "hist_gradient_boosting"), alone, 0)
    assert found.setting
    assert (usual.setting, usual.trials) == ("", [])
    assert found.mean is not None
    assert usual.mean is not None
    assert found.mean > usual.mean + 0.01
    assert found.parameters["max_leaf_nodes"] > usual.parameters["max_leaf_nodes"]
    assert Experiment.model_validate_json(found.model_dump_json()) == found
    scores = [
        metrics.score(
            "roc_auc",
            dataset.holdout_rows.target,
            train(dataset, [Member(plan, "hist_gradient_boosting", name)], asked, 0).holdout_scores,
        )
        for name in ("", found.setting)
    ]
    assert scores[1] > scores[0] + 0.005


def test_a_setting_that_is_too_large_to_serve_gives_its_place_back() -> None:
    """GIVEN a limit between the two THEN the usual setting's scores stand, with the reason."""
    dataset, exploration = checkers(), {"candidates": ["hist_gradient_boosting"]}
    asked = problem(exploration=exploration)
    plan, trial = make_plan(dataset, asked, 0), trial_of(asked, "hist_gradient_boosting")
    large = explore(dataset, plan, trial, asked, 0)
    assert large.setting
    assert large.artifact_bytes is not None
    limit = large.artifact_bytes / 2**20  # a fold's model may have a share of it
    bounded = problem(exploration=exploration, training={"artifact_megabytes": limit})
    found = explore(dataset, plan, trial, bounded, 0)
    assert (found.setting, found.error) == ("", None)
    assert found.mean is not None
    assert large.mean is not None
    assert 0.5 < found.mean < large.mean
    assert found.artifact_bytes is not None
    assert found.artifact_bytes < large.artifact_bytes
    [tried] = [one for one in found.trials if one.setting == large.setting]
    assert "not taken: its artifact has" in tried.outcome


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_artifacts_of_every_setting_answer_as_their_pipelines(classes: int) -> None:
    task, metric = {0: ("regression", "rmse"), 2: ("binary", "roc_auc")}.get(
        classes, ("multiclass", "accuracy")
    )
    asked = problem(task, metric)
    dataset = mixed(500, classes)
    plan = make_plan(dataset, asked, 0)
    tried = [(name, one) for name in asked.candidates
             for one in CANDIDATES[name].settings_for(classes, by_factors=False)]  # fmt: skip
    assert len(tried) > len(asked.candidates)
    for name, setting in tried:
        pipeline = make_pipeline(name, plan, asked, classes, len(dataset), 0, setting)
        fit(pipeline, frame_of(dataset), dataset.target)
        artifact = to_onnx(pipeline, dataset.columns, classes)
        read = [one.name for one in pipeline.named_steps["features"].inputs(dataset.columns)]
        model = OnnxModel(artifact, bare_signature(dataset.only(read), task))
        expected = predict_scores(pipeline, frame_of(dataset), classes)
        scale = 1 if classes else dataset.target.std()
        assert np.abs(model.score(dataset.data) - expected).max() / scale < 5e-5


def numbers_of(form: str, rows: int = 1_500) -> Dataset:
    """Values that grow by factors, counts, or either with negative values among them."""
    generator = np.random.default_rng(2)
    data = {name: generator.normal(size=rows) for name in "abc"}
    level = 0.8 * data["a"] + 0.5 * data["b"]
    target = np.exp(1.5 * level + generator.normal(0, 0.5, rows)) * 1_000
    if form == "counts":
        target = generator.poisson(np.exp(level)).astype(float)
    if form == "debts":
        target = target - np.median(target)
    columns = tuple(Column(name, "number") for name in data)
    return Dataset(columns, data, target, (), np.arange(rows) % 5 == 0)


def test_values_that_grow_by_factors_are_learnt_in_logarithms() -> None:
    """GIVEN a long tail and the mean absolute error THEN a linear model learns the logarithm."""
    dataset, asked = numbers_of("incomes"), problem("regression", "mae")
    plan = make_plan(dataset, asked, 0)
    found = explore(dataset, plan, trial_of(asked, "ridge"), asked, 0)
    assert found.setting == "logarithms"
    usual, logs = (
        train(dataset, [Member(plan, "ridge", setting)], asked, 0) for setting in ("", "logarithms")
    )
    truth = dataset.holdout_rows.target
    errors = [metrics.score("mae", truth, one.holdout_scores) for one in (usual, logs)]
    assert errors[1] < 0.8 * errors[0]
    assert (logs.holdout_scores > -1).all()


@pytest.mark.parametrize("form", ["incomes", "counts"])
def test_forms_of_the_target_are_tried_and_exported(form: str) -> None:
    dataset, asked = numbers_of(form), problem("regression", "rmse")
    plan = make_plan(dataset, asked, 0)
    found = explore(dataset, plan, trial_of(asked, "hist_gradient_boosting"), asked, 0)
    assert {"logarithms", "counts"} <= {one.setting for one in found.trials}
    for setting in ("logarithms", "counts"):
        trained = train(dataset, [Member(plan, "hist_gradient_boosting", setting)], asked, 0)
        served = OnnxModel(trained.onnx, trained.signature).score(dataset.holdout_rows.data)
        assert np.abs(served / trained.holdout_scores - 1).max() < 1e-5


def test_a_target_with_negative_values_is_learnt_as_it_is() -> None:
    dataset, asked = numbers_of("debts"), problem("regression", "rmse")
    found = explore(dataset, make_plan(dataset, asked, 0), trial_of(asked, "ridge"), asked, 0)
    assert found.trials
    assert "logarithms" not in {one.setting for one in found.trials}
