"""A small model, fitted in seconds: is there anything to learn?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from noria.common.arrays import Array
from noria.core.data.dataset import MISSING_TIMESTAMP, Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.features.text_encoders import HashedWords
from noria.core.ml_need.quick_forms import Form

ITERATIONS = 100
ROWS_FOR_THREADS = 20_000
MAXIMUM_CODES = 200  # categories beyond the most frequent share one code


def quick_model(training: Dataset, judged: Dataset, seed: int, forms: Sequence[Form] = ()) -> Array:
    """Fit a small gradient boosting on ordinal codes, and on `forms` of the columns beside them.

    Answers for the judged rows.
    """
    X, unseen = coded_features(training, judged)
    # Halved, which is exact: binning adds neighbours, and two of 1e308 are no double.
    X = np.column_stack([X, *(form.training for form in forms)]) / 2
    unseen = np.column_stack([unseen, *(form.judged for form in forms)]) / 2
    empty = np.isnan(X).all(axis=0)  # boosting needs a value to split at
    X[:, empty], unseen[:, empty] = 0, 0
    settings: dict[str, Any] = {
        "max_iter": ITERATIONS,
        "learning_rate": 0.06,
        "max_leaf_nodes": 15,
        "min_samples_leaf": max(2, min(20, len(training) // 20)),
        "early_stopping": False,
        "random_state": seed,
    }
    # On few rows threads mostly wait for each other: up to five times as long on a busy machine.
    with threadpool_limits(1 if len(training) < ROWS_FOR_THREADS else None):
        if not training.classes:
            regressor = HistGradientBoostingRegressor(**settings).fit(X, training.target)
            return np.asarray(regressor.predict(unseen), dtype=np.float64)
        classifier = HistGradientBoostingClassifier(**settings).fit(X, training.target)
        known = classifier.predict_proba(unseen)
    table = np.zeros((len(judged), len(training.classes)))
    table[:, classifier.classes_] = known
    return table[:, 1] if len(training.classes) == 2 else table


def coded_features(training: Dataset, judged: Dataset) -> tuple[Array, Array]:
    """Turn both sides into floats: categories by frequency in training, texts as words."""
    left: list[Array] = []
    right: list[Array] = []
    for column in training.columns:
        if column.kind == "text":
            seen, words = frame_of(training.only([column.name])), HashedWords(column.name)
            left.append(words.fit_transform(seen, training.target))
            right.append(words.transform(frame_of(judged.only([column.name]))))
            continue
        a, b = training.data[column.name], judged.data[column.name]
        for side, values in ((left, a), (right, b)):
            side.append(_coded(values, a, column.kind))
    return np.column_stack(left), np.column_stack(right)


def _coded(values: Array, seen: Array, kind: str) -> Array:
    if kind == "number":
        return values.astype(np.float64)
    if kind == "timestamp":
        return _time_of_day(values)
    names, counts = np.unique(seen, return_counts=True)
    rank = np.empty(len(names))
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(names))
    place = np.minimum(np.searchsorted(names, values), len(names) - 1)
    codes = np.where(names[place] == values, np.minimum(rank[place], MAXIMUM_CODES), np.nan)
    return np.where(values == "", np.nan, codes)


def _time_of_day(values: Array) -> Array:
    """Take the hour of the week: absolute time cannot repeat in a later holdout."""
    hours = (values // 3600 + 72) % 168  # 1970-01-01 was a Thursday
    return np.where(values == MISSING_TIMESTAMP, np.nan, hours.astype(np.float64))
