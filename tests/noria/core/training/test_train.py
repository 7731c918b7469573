"""Candidates are explored, chosen and trained, and their artifacts answer as they do."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from noria.core.data.dataset import Column, Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import make_plan
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.statistics import metrics
from noria.core.training.candidate_search import explore
from noria.core.training.candidates import CANDIDATES
from noria.core.training.estimators import fit, make_pipeline, predict_scores, snap_thresholds
from noria.core.training.fitted_model import Member
from noria.core.training.folds import folds_of, sample_rows
from noria.core.training.onnx_export import to_onnx
from noria.core.training.train import train
from noria.core.training.trial import Experiment
from noria.core.training.trials import judge
from noria.errors import TrainingError
from tests.support.model_data import SETS, bare_signature, mixed, problem, real
from tests.support.trial_data import chosen_of, trial_of

CASES = {
    0: ("regression", "rmse"),
    2: ("binary", "roc_auc"),
    3: ("multiclass", "f1_macro"),
}


#: Sums of many terms in single precision; a version is refused from 1e-4 on.
ROUNDING = {"support_vectors": 3e-5, "neural_network": 1e-5, "gaussian_process": 1e-5}


@pytest.mark.parametrize("classes", CASES)
@pytest.mark.parametrize("iteration", [0, 3, 4])
def test_artifact_answers_as_the_pipeline(classes: int, iteration: int) -> None:
    """Ties at thresholds, missing values and unseen categories included: none differs."""
    task, metric = CASES[classes]
    asked = problem(task, metric)
    dataset, fresh = mixed(1500, classes), mixed(6000, classes, seed=1, unseen=True)
    plan = make_plan(dataset, asked, iteration)
    assert asked.candidates
    for name in asked.candidates:
        limit = CANDIDATES[name].most_rows
        known = dataset.take(np.arange(len(dataset)) < (limit // 2 if limit else len(dataset)))
        pipeline = make_pipeline(name, plan, asked, classes, len(known), 0)
        fit(pipeline, frame_of(known), known.target)
        artifact = to_onnx(pipeline, dataset.columns, classes)
        assert len(artifact) < 4_000_000
        read = [one.name for one in pipeline.named_steps["features"].inputs(dataset.columns)]
        model = OnnxModel(artifact, bare_signature(dataset.only(read), task))
        for rows in (dataset, fresh):
            expected = predict_scores(pipeline, frame_of(rows), classes)
            found = model.score(rows.data)
            scale = 1 if classes else dataset.target.std()
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() / scale < ROUNDING.get(name, 2e-6)
            if classes:
                assert (metrics.labels(found) == metrics.labels(expected)).all()


def test_rows_at_the_thresholds_take_the_same_branch() -> None:
    """Values in steps of 0.01 often lie where a split is: float32 rounding must not move them."""
    generator = np.random.default_rng(3)
    rows = 20_000
    data = {f"n{i}": np.round(generator.normal(size=rows), 2) * 10**i for i in range(4)}
    signal = sum(values / values.std() for values in data.values())
    dataset = Dataset(
        tuple(Column(name, "number") for name in data),
        data,
        signal + generator.normal(size=rows) > 0,
        ("no", "yes"),
        np.arange(rows) >= 3_000,
    )
    plan = make_plan(dataset, problem(), 1)
    for name in ("hist_gradient_boosting", "random_forest", "extra_trees"):
        trained = train(dataset, [Member(plan, name)], problem(), 0)
        found = OnnxModel(trained.onnx, trained.signature).score(dataset.holdout_rows.data)
        assert np.abs(found - trained.holdout_scores).max() < 2e-6, name


def test_snapped_thresholds_change_no_answer() -> None:
    generator = np.random.default_rng(4)
    values = np.round(generator.normal(size=(4_000, 3)), 2).astype(np.float32)
    target = values.sum(axis=1) + generator.normal(size=4_000)
    model = HistGradientBoostingRegressor(max_iter=30).fit(values, target)
    before = model.predict(values)
    snap_thresholds(model)
    assert (model.predict(values) == before).all()


@pytest.mark.parametrize("task", SETS)
def test_from_exploration_to_artifact_on_real_data(task: str) -> None:
    dataset, asked = real(task)
    plan = make_plan(dataset, asked, 0)
    names = asked.candidates_of_every_recipe
    assert len(names) == 4
    experiments = [explore(dataset, plan, trial_of(asked, name), asked, 0) for name in names]
    assert all(one.error is None and len(one.scores) == 5 for one in experiments)
    assert Experiment.model_validate_json(experiments[0].model_dump_json()) == experiments[0]
    chosen = experiments[names.index(chosen_of(experiments, asked))]
    trained = train(dataset, [Member(plan, chosen.candidate)], asked, 0, {"numpy": np.__version__})
    holdout = dataset.holdout_rows
    value = metrics.score(asked.objective.metric, holdout.target, trained.holdout_scores)
    assert metrics.meets(asked.objective.metric, value, asked.objective.threshold)
    model = OnnxModel(trained.onnx, trained.signature)
    assert np.allclose(model.score(holdout.data), trained.holdout_scores, rtol=1e-5, atol=1e-6)
    assert set(trained.importances) == set(dataset.names())
    assert max(trained.importances.values()) > 0
    assert len(model.predict([trained.signature.example])) == 1


def test_the_same_seed_gives_the_same_artifact() -> None:
    dataset, asked = real("multiclass")
    plan = make_plan(dataset, asked, 1)
    one, two = (train(dataset, [Member(plan, "random_forest")], asked, 3) for _ in range(2))
    assert one.onnx == two.onnx
    assert one.importances == two.importances


IN_A_PROCESS = """
import hashlib
from noria.core.features.plan import joint_plans
from noria.core.training.fitted_model import Member
from noria.core.training.train import train
from tests.support.model_data import mixed, problem
asked, dataset = problem(), mixed(300, 2)
every = joint_plans(dataset, asked)[1]
for candidate in asked.candidates:
    trained = train(dataset, [Member(every, candidate)], asked, 0)
    print(candidate, hashlib.sha256(trained.onnx).hexdigest())
"""


def test_the_same_data_give_the_same_bytes_in_two_fresh_processes() -> None:
    """GIVEN other hash seeds THEN every candidate's artifact is the same, byte for byte."""
    found = [
        subprocess.run(
            [sys.executable, "-c", IN_A_PROCESS], check=True, capture_output=True, text=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout.splitlines()
        for seed in ("1", "2")
    ]  # fmt: skip
    assert len(found[0]) == len(problem().candidates)
    assert found[0] == found[1]


def test_a_class_only_the_holdout_has_gets_probability_zero() -> None:
    dataset = mixed(400, 3)
    rare = Dataset(
        dataset.columns,
        dataset.data,
        np.where(dataset.holdout & (dataset.target == 2), 3, dataset.target),
        ("a", "b", "c", "d"),
        dataset.holdout,
    )
    trained = train(
        rare, [Member(make_plan(rare, problem(), 0), "extra_trees")], problem("multiclass"), 0
    )
    found = OnnxModel(trained.onnx, trained.signature).score(rare.holdout_rows.data)
    assert found.shape[1] == 4
    assert (found[:, 3] == 0).all()


def test_training_never_sees_the_holdout() -> None:
    dataset, asked = real("binary")
    poisoned = Dataset(
        dataset.columns,
        {n: np.where(dataset.holdout, 1e6, v) for n, v in dataset.data.items()},
        np.where(dataset.holdout, 1 - dataset.target, dataset.target),
        dataset.classes,
        dataset.holdout,
    )
    plan = make_plan(dataset, asked, 1)
    assert make_plan(poisoned, asked, 1) == plan
    honest, other = (train(d, [Member(plan, "extra_trees")], asked, 0) for d in (dataset, poisoned))
    assert honest.onnx == other.onnx
    a, b = (
        explore(d, plan, trial_of(asked, "logistic_regression"), asked, 0)
        for d in (dataset, poisoned)
    )
    assert a.scores == b.scores


def test_one_class_cannot_be_trained() -> None:
    dataset = mixed(100, 2)
    same = Dataset(dataset.columns, dataset.data, np.zeros(100), dataset.classes, dataset.holdout)
    plan = make_plan(same, problem(), 0)
    experiment = explore(same, plan, trial_of(problem(), "logistic_regression"), problem(), 0)
    assert experiment.error is not None
    with pytest.raises(TrainingError, match="logistic_regression: DataError"):
        judge({"one": experiment}, problem(), 1)
    with pytest.raises(TrainingError, match="one class"):
        train(same, [Member(plan, "logistic_regression")], problem(), 0)


def test_folds_go_forward_in_time() -> None:
    sample = sample_rows(mixed(500, 2).training, 120, 0)
    assert sample.event_time is not None
    assert len(sample) == 120
    assert sample.event_time[-1] == 399 * 3600
    folds = folds_of(sample, 5, 0).splits
    assert len(folds) == 5
    for train_rows, test_rows in folds:
        assert sample.event_time[train_rows].max() < sample.event_time[test_rows].min()


def test_exploration_stops_at_its_share_of_the_budget() -> None:
    dataset, asked = real("binary")
    ticks = iter(range(0, 10_000, 20))
    plan = make_plan(dataset, asked, 0)
    experiment = explore(
        dataset, plan, trial_of(asked, "extra_trees"), asked, 0, lambda: next(ticks)
    )
    assert len(experiment.scores) == 1
    assert "stopped after 1 of 5 folds" in experiment.notes[0]


def experiment_of(name: str, scores: list[float]) -> Experiment:
    mean = float(np.mean(scores))
    return Experiment(
        candidate=name, recipe="basic", iteration=0, metric="roc_auc", scores=scores, mean=mean
    )


def test_choose_prefers_the_simpler_within_one_standard_error() -> None:
    boosted = experiment_of("hist_gradient_boosting", [0.80, 0.90, 0.85, 0.70, 0.75])
    close = experiment_of("logistic_regression", [0.81, 0.89, 0.84, 0.70, 0.75])
    assert chosen_of([boosted, close], problem()) == "logistic_regression"
    behind = experiment_of("logistic_regression", [0.78, 0.88, 0.83, 0.68, 0.73])
    assert chosen_of([boosted, behind], problem()) == "hist_gradient_boosting"


def test_choose_trusts_no_standard_error_of_few_folds() -> None:
    boosted = experiment_of("hist_gradient_boosting", [0.80, 0.90, 0.85])
    close = experiment_of("logistic_regression", [0.81, 0.89, 0.84])
    assert chosen_of([boosted, close], problem()) == "hist_gradient_boosting"


def test_lower_is_better_where_the_metric_says_so() -> None:
    asked = problem("regression", "rmse")
    one, two = experiment_of("ridge", [9.0, 9.5, 9.2]), experiment_of("extra_trees", [5.0] * 3)
    assert chosen_of([one, two], asked) == "extra_trees"


def test_candidates_are_known_by_name() -> None:
    assert all(candidate.description for candidate in CANDIDATES.values())
    wanted = problem(exploration={"candidates": ["random_forest"]})
    assert wanted.candidates == ["random_forest"]


def test_column_names_need_no_care() -> None:
    """Names with spaces, quotes or an inner tensor's name do not meet inside the graph."""
    names = ["score", "concat_0", 'a "b" / c', "model/features", "größe"]
    generator = np.random.default_rng(0)
    dataset = Dataset(
        tuple(Column(name, "number") for name in names),
        {name: generator.normal(size=200) for name in names},
        generator.integers(0, 2, 200),
        ("no", "yes"),
        np.arange(200) >= 150,
    )
    plan = make_plan(dataset, problem(), 1)
    trained = train(dataset, [Member(plan, "logistic_regression")], problem(), 0)
    found = OnnxModel(trained.onnx, trained.signature).score(dataset.holdout_rows.data)
    assert np.abs(found - trained.holdout_scores).max() < 1e-6
