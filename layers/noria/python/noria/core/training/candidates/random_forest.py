"""A random forest; splits that are sought cost ten times those at random."""

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from noria.core.training.candidates.base import Candidate, Setting
from noria.core.training.candidates.forests import forest, forest_settings, resampled

TREES, MOST_ROWS = 60, 10_000

CANDIDATE = Candidate(
    family="forest",
    complexity=3,
    description="average of trees on resampled rows; good without tuning, robust to outliers",
    classifier=RandomForestClassifier,
    regressor=RandomForestRegressor,
    parameters=lambda classes, rows: forest(TREES, classes) | resampled(rows, MOST_ROWS),
    settings=forest_settings(),
    of_numbers={"logarithms": Setting(target="log")},
)
