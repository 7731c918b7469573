"""Extremely randomized trees, on all rows of a table that is not large."""

from typing import Any

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from noria.core.training.candidates.base import Candidate, Setting
from noria.core.training.candidates.forests import forest, forest_settings, resampled

TREES, MOST_ROWS = 100, 20_000


def _parameters(classes: int, rows: int) -> dict[str, Any]:
    drawn = resampled(rows, MOST_ROWS) if rows > MOST_ROWS else {}
    return forest(TREES, classes) | drawn


CANDIDATE = Candidate(
    family="forest",
    complexity=2,
    description="average of trees with random thresholds; good on noisy features, smooth answers",
    classifier=ExtraTreesClassifier,
    regressor=ExtraTreesRegressor,
    parameters=_parameters,
    settings=forest_settings(),
    of_numbers={"logarithms": Setting(target="log")},
)
