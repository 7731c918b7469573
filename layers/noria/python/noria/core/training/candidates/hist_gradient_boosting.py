"""Histogram gradient boosting, in small steps and small trees."""

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from noria.core.training.candidates.base import Candidate


def _parameters(classes: int, rows: int) -> dict[str, Any]:
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


CANDIDATE = Candidate(
    family="tree",
    complexity=1,
    description="trees that correct each other on binned values; good on many rows and missing "
    "values",
    classifier=HistGradientBoostingClassifier,
    regressor=HistGradientBoostingRegressor,
    parameters=_parameters,
)
