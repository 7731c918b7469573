"""A candidate's pipeline: made, fitted, and asked for scores."""

import inspect
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.pipeline import make_pipeline as make_steps
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from noria.common.metric_table import METRICS
from noria.contracts import Problem
from noria.core.features.feature_encoder import FeatureEncoder
from noria.core.features.plan import Plan
from noria.core.training.candidates import CANDIDATES
from noria.core.training.candidates.base import Target


def make_pipeline(
    candidate: str,
    plan: Plan,
    problem: Problem,
    classes: int,
    rows: int,
    seed: int,
    setting: str = "",
) -> Pipeline:
    """Put the plan's features before the candidate's estimator."""
    encoder = FeatureEncoder(plan, CANDIDATES[candidate].family, classes)
    parameters = parameters_of(candidate, problem, classes, rows, seed, setting)
    estimator = CANDIDATES[candidate].estimator(classes)(**parameters)
    if not classes:
        form = CANDIDATES[candidate].setting(setting).target if setting else "standard"
        estimator = TransformedTargetRegressor(estimator, transformer=_transformer(form))
    return Pipeline([("features", encoder), ("model", estimator)])


def _transformer(target: Target) -> Any:
    """What is done to a regression's target before it is learnt."""
    if target == "log":
        logs = FunctionTransformer(np.log1p, np.expm1, check_inverse=False)
        return make_steps(logs, StandardScaler())
    return StandardScaler(with_mean=target == "standard")


def parameters_of(
    candidate: str, problem: Problem, classes: int, rows: int, seed: int, setting: str = ""
) -> dict[str, Any]:
    """Choose an estimator's parameters for a data set of this many rows.

    They are the candidate's usual ones, or those of one of its settings.
    """
    found = CANDIDATES[candidate]
    # Two classes are told apart by a threshold, which leaves probabilities as they are.
    balance = classes > 2 and METRICS[problem.objective.metric].balancing
    common = {"random_state": seed} | ({"class_weight": "balanced"} if balance else {})
    taken = inspect.signature(found.estimator(classes)).parameters
    chosen = found.parameters(classes, rows)
    if setting:
        chosen |= found.setting(setting).changes(classes, rows)
    return chosen | {k: v for k, v in common.items() if k in taken}


def fit(pipeline: Pipeline, frame: pd.DataFrame, target: NDArray[Any]) -> Pipeline:
    """Fit on one thread: threads that wait for each other's cores cost three times their gain."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        encoder, model = pipeline.named_steps["features"], pipeline.named_steps["model"]
        features = encoder.fit_transform(frame, target)
        signs = encoder.monotone()
        if any(signs):  # the columns of the matrix are not known before
            getattr(model, "regressor", model).set_params(monotonic_cst=signs)
        model.fit(features, target)
    snap_thresholds(getattr(model, "regressor_", model))
    return pipeline


def snap_thresholds(estimator: Any) -> None:
    """Lower the thresholds of boosted trees to float32, so that an artifact can hold them.

    Features are float32, so `x <= threshold` answers the same for every x. Rounded to nearest, as
    skl2onnx does, a threshold can reach an x just above it and send the row down the other branch.
    """
    for trees in getattr(estimator, "_predictors", []):
        for tree in trees:
            exact = tree.nodes["num_threshold"]
            with np.errstate(over="ignore"):
                nearest = exact.astype(np.float32)
            below = np.nextafter(nearest, np.float32(-np.inf))
            tree.nodes["num_threshold"] = np.where(nearest > exact, below, nearest)


def predict_scores(pipeline: Pipeline, frame: pd.DataFrame, classes: int) -> NDArray[np.float64]:
    """Answer P(positive), probabilities of all classes, or values, as the metrics take them."""
    model = pipeline.named_steps["model"]
    with threadpool_limits(1):
        features = pipeline.named_steps["features"].transform(frame)
        if not classes:
            # Scaled back in double precision, as the artifact does.
            scaled = np.asarray(model.regressor_.predict(features), dtype=np.float64)
            return np.asarray(model.transformer_.inverse_transform(scaled.reshape(-1, 1))).ravel()
        found = model.predict_proba(features)
    if classes == 2:
        return np.asarray(found[:, 1], dtype=np.float64)
    every = np.zeros((len(frame), classes))
    every[:, model.classes_] = found
    return every
