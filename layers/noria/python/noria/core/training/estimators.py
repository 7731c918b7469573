"""The candidates' estimators, bounded so that they fit in seconds and serve from a few MB."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from noria.contracts import Problem
from noria.core.features.feature_encoder import FeatureEncoder
from noria.core.features.recipes import Plan
from noria.core.training.candidates import CANDIDATES

#: Metrics that judge labels, each class alike: rare classes must weigh as much as common ones.
BALANCING_METRICS = {"balanced_accuracy", "f1", "f1_macro"}
FOREST_LEAVES = 256
#: Trees, and the rows that each of them sees at most: splits at random cost a tenth of sought ones.
FOREST_SIZES = {"random_forest": (60, 10_000), "extra_trees": (100, 20_000)}
CLASSIFIERS: Mapping[str, type] = {
    "logistic_regression": LogisticRegression,
    "hist_gradient_boosting": HistGradientBoostingClassifier,
    "extra_trees": ExtraTreesClassifier,
    "random_forest": RandomForestClassifier,
}
REGRESSORS: Mapping[str, type] = {
    "ridge": Ridge,
    "hist_gradient_boosting": HistGradientBoostingRegressor,
    "extra_trees": ExtraTreesRegressor,
    "random_forest": RandomForestRegressor,
}


def make_pipeline(
    candidate: str, plan: Plan, problem: Problem, classes: int, rows: int, seed: int
) -> Pipeline:
    """Put the plan's features before the candidate's estimator."""
    encoder = FeatureEncoder(plan, CANDIDATES[candidate].family, classes)
    parameters = parameters_of(candidate, problem, classes, rows, seed)
    if classes:
        estimator = CLASSIFIERS[candidate](**parameters)
    else:
        regressor = REGRESSORS[candidate](**parameters)
        estimator = TransformedTargetRegressor(regressor, transformer=StandardScaler())
    return Pipeline([("features", encoder), ("model", estimator)])


def parameters_of(
    candidate: str, problem: Problem, classes: int, rows: int, seed: int
) -> dict[str, Any]:
    """Choose an estimator's parameters for a data set of this many rows."""
    balance = classes and problem.objective.metric in BALANCING_METRICS
    weights = {"class_weight": "balanced"} if balance else {}
    if candidate == "ridge":
        return {"alpha": 1.0, "random_state": seed}
    if candidate == "logistic_regression":
        return {"C": 1.0, "max_iter": 300, "tol": 1e-3, "random_state": seed} | weights
    if candidate == "hist_gradient_boosting":
        return _boosting(classes, rows) | {"random_state": seed} | weights
    return _forest(candidate, classes, rows) | {"random_state": seed} | weights


def _boosting(classes: int, rows: int) -> dict[str, Any]:
    """Small steps and small trees: on data that move with time large ones learn the moment."""
    return {
        "learning_rate": 0.06,
        "max_iter": max(50, 150 // max(1, classes - 1)),
        "max_leaf_nodes": 15 if rows >= 2_000 else 8,
        "min_samples_leaf": int(np.clip(rows // 200, 5, 100)),
        "max_features": 0.5,
        "l2_regularization": 1.0,
        "early_stopping": False,
    }


def _forest(candidate: str, classes: int, rows: int) -> dict[str, Any]:
    """Fewer leaves where each holds many class weights; on large tables trees see a share."""
    trees, most = FOREST_SIZES[candidate]
    parameters: dict[str, Any] = {
        "n_estimators": trees,
        "min_samples_leaf": 2,
        "max_features": "sqrt" if classes else 0.5,
        "max_leaf_nodes": max(32, FOREST_LEAVES * 2 // max(2, classes)),
    }
    if candidate == "random_forest" or rows > most:
        parameters |= {"bootstrap": True, "max_samples": most / rows if rows > most else None}
    return parameters


def fit(pipeline: Pipeline, frame: pd.DataFrame, target: NDArray[Any]) -> Pipeline:
    """Fit on one thread: threads that wait for each other's cores cost three times their gain."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(frame, target)
    model = pipeline.named_steps["model"]
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
