"""Feature selection: which features are more important than permuted ones.

Shadow features (Kursa and Rudnicki, "Feature selection with the Boruta package", Journal of
Statistical Software 36(11), 2010): every feature also stands there with its rows shuffled, and
what an ensemble of trees makes less use of than of the best shuffled one is dropped. One round, not
the paper's hundred: among features without meaning about one stays. Features that tell the same
share their importance, so that neither is dropped for the other's sake. Features that tell
something only together, such as a target that turns with their ratio, are not seen by such trees.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from noria.common.arrays import Array

ROWS = 5_000
SETTINGS: dict[str, Any] = {
    "n_estimators": 100, "min_samples_leaf": 5, "max_features": "sqrt", "n_jobs": 1,
}  # fmt: skip
SEED = 20_10


def select_features(features: Array, target: Array, classes: int) -> NDArray[np.int64]:
    """Return the positions of the features (n, k) that beat permuted copies, all where none does.

    `target` has class codes, or values where `classes` is 0. Judged on up to 5,000 rows.
    """
    rows = np.sort(np.random.default_rng(SEED).permutation(len(target))[:ROWS])
    values, wanted = features[rows], target[rows]
    importances = _importances(values, wanted, classes)
    kept = np.flatnonzero(importances[: values.shape[1]] > importances[values.shape[1] :].max())
    return kept if len(kept) else np.arange(values.shape[1])


def _importances(values: Array, target: Array, classes: int) -> Array:
    """Return the importances of the features and of their shadows, shape (2k,)."""
    generator = np.random.default_rng(SEED)
    shadows = generator.permuted(values, axis=0)
    trees = ExtraTreesClassifier if classes else ExtraTreesRegressor
    model = trees(random_state=SEED, **SETTINGS).fit(np.hstack([values, shadows]), target)
    return np.asarray(model.feature_importances_, dtype=np.float64)
