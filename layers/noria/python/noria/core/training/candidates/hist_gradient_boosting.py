"""Histogram gradient boosting, in small steps and small trees."""

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from noria.core.training.candidates.base import Candidate, Parameters, Setting

MOST_LEAVES = 150_000  # in all trees: an artifact of 10 MB


def _parameters(classes: int, rows: int) -> Parameters:
    """Small steps and small trees: on data that move with time large ones learn the moment."""
    return {
        "learning_rate": 0.06,
        "max_iter": max(50, 300 // max(2, classes)),
        "max_leaf_nodes": 15 if rows >= 2_000 else 8,
        "min_samples_leaf": int(np.clip(rows // 200, 5, 100)),
        "max_features": 0.5,
        "l2_regularization": 1.0,
        "early_stopping": False,
    }


def _setting(cost: float, times: float, leaves: float = 1, **changes: Any) -> Setting:
    """So many times the usual iterations and leaves, and other parameters as given."""

    def chosen(classes: int, rows: int) -> Parameters:
        usual = _parameters(classes, rows)
        each = max(2, round(usual["max_leaf_nodes"] * leaves))
        trees = classes if classes > 2 else 1  # in an iteration
        most = max(usual["max_iter"], MOST_LEAVES // (each * trees))
        iterations = min(round(usual["max_iter"] * times), most)
        return {"max_iter": iterations, "max_leaf_nodes": each, **changes}

    return Setting(chosen, cost)


CANDIDATE = Candidate(
    family="tree",
    complexity=1,
    description="trees that correct each other on binned values; good on many rows and missing "
    "values",
    classifier=HistGradientBoostingClassifier,
    regressor=HistGradientBoostingRegressor,
    parameters=_parameters,
    settings={
        "more iterations": _setting(4, 4),
        "larger trees": _setting(4, 2, 4, learning_rate=0.1, min_samples_leaf=20),
        "larger steps": _setting(1.5, 0.7, 2, learning_rate=0.1, max_features=1.0),
        "smaller trees": _setting(2, 4, 0.3),
        "more shrinkage": _setting(1.5, 2, 1, learning_rate=0.03, l2_regularization=20.0),
    },
    of_numbers={
        "logarithms": Setting(target="log"),
        "counts": Setting(lambda *_: {"loss": "poisson"}, target="scaled"),
    },
)
