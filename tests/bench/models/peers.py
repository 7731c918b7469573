"""What others make of a table; run by the peers' Python.

python peers.py FOLDER SECONDS fits each peer on train.csv and prints its score of test.csv.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from flaml import AutoML
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import HalvingRandomSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

MOST_VALUES = 250  # of a category: texts that hardly repeat are left out
SEARCHED = 40  # combinations that a halving search draws, over all its candidates
warnings.simplefilter("ignore")


class Task:
    """A table's rows, features made ready by kind, and how answers are scored."""

    def __init__(self, folder: Path) -> None:
        told = json.loads((folder / "table.json").read_text())
        train, test = (pd.read_csv(folder / f"{part}.csv") for part in ("train", "test"))
        self.metric, target = told["metric"], told["target"]
        self.classes = [] if self.metric == "r2" else sorted(train[target].astype(str).unique())
        self.y, self.truth = (self._target(rows[target], told["kind"]) for rows in (train, test))
        inputs = train.drop(columns=target)
        self.numbers = [*inputs.select_dtypes("number")]
        self.categories = [
            name for name in inputs
            if name not in self.numbers and inputs[name].nunique() <= MOST_VALUES
        ]  # fmt: skip
        names = self.numbers + self.categories
        self.train, self.test = inputs[names].copy(), test[names].copy()
        for name in self.categories:
            for rows in (self.train, self.test):
                rows[name] = rows[name].astype(str).fillna("none")
            known = self.train[name].unique()
            for rows in (self.train, self.test):
                rows[name] = pd.Categorical(rows[name], categories=known)

    def _target(self, values: pd.Series, kind: str) -> np.ndarray:
        if not self.classes:
            return values.to_numpy(dtype=float)
        if kind != "multiclass":
            return (values.astype(str) == kind).to_numpy(dtype=int)
        return np.array([self.classes.index(one) for one in values.astype(str)])

    def score(self, model: Any) -> float:
        """What a fitted model scores on the rows that nobody saw."""
        if self.metric == "r2":
            return float(r2_score(self.truth, model.predict(self.test)))
        if self.metric == "accuracy":
            return float(accuracy_score(self.truth, model.predict(self.test)))
        return float(roc_auc_score(self.truth, model.predict_proba(self.test)[:, 1]))

    def trivial(self) -> float:
        """What an answer that is the same for every row scores."""
        if self.metric != "accuracy":
            return 0.5 if self.metric == "roc_auc" else 0.0
        return float(np.mean(self.truth == np.bincount(self.y).argmax()))

    def encoded(self, *, scaled: bool) -> ColumnTransformer:
        """Numbers imputed, and scaled for a linear model; categories in columns, or as codes."""
        numbers: list[Any] = [SimpleImputer(strategy="median")]
        codes: Any = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        if scaled:
            numbers.append(StandardScaler())
            codes = OneHotEncoder(handle_unknown="ignore")
        return ColumnTransformer(
            [("numbers", make_pipeline(*numbers), self.numbers), ("texts", codes, self.categories)]
        )


def linear(task: Task, seconds: float) -> Any:
    """A linear or logistic model with scikit-learn's defaults."""
    model = LogisticRegression(max_iter=1000) if task.classes else Ridge()
    return make_pipeline(task.encoded(scaled=True), model).fit(task.train, task.y)


def boosting(task: Task, seconds: float) -> Any:
    """scikit-learn's boosting with its defaults."""
    kind = HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
    return kind(categorical_features="from_dtype", random_state=0).fit(task.train, task.y)


def lightgbm(task: Task, seconds: float) -> Any:
    """LightGBM with its defaults."""
    kind = LGBMClassifier if task.classes else LGBMRegressor
    return kind(random_state=0, verbose=-1).fit(task.train, task.y)


def flaml(task: Task, seconds: float) -> Any:
    """FLAML with the seconds that Noria took."""
    search = AutoML()
    search.fit(
        task.train, task.y, task="classification" if task.classes else "regression",
        metric=task.metric, time_budget=seconds, seed=0, verbose=0,
    )  # fmt: skip
    return search


def halving(task: Task, seconds: float) -> Any:
    """scikit-learn's halving search over the kinds of model that Noria tries."""
    forests = {"model__max_leaf_nodes": [64, 256, 1024], "model__min_samples_leaf": [1, 2, 10]}
    boosted = {
        "model__learning_rate": [0.03, 0.06, 0.1],
        "model__max_iter": [100, 300, 600],
        "model__max_leaf_nodes": [8, 15, 31],
        "model__l2_regularization": [0, 1, 20],
    }
    shrinkage = [0.01, 0.1, 1.0, 10.0, 100.0]
    tried: list[tuple[Any, Any, bool]] = [
        (HistGradientBoostingClassifier(), HistGradientBoostingRegressor(), False),
        (ExtraTreesClassifier(), ExtraTreesRegressor(), False),
        (RandomForestClassifier(), RandomForestRegressor(), False),
        (LogisticRegression(max_iter=1000), Ridge(), True),
    ]
    grids: list[dict[str, list[Any]]] = [
        boosted, forests, forests,
        {"model__C": shrinkage} if task.classes else {"model__alpha": shrinkage},
    ]  # fmt: skip
    best: Any = None
    for (classifier, regressor, scaled), grid in zip(tried, grids, strict=True):
        model = classifier if task.classes else regressor
        pipeline = Pipeline([("features", task.encoded(scaled=scaled)), ("model", model)])
        found = HalvingRandomSearchCV(
            pipeline, grid, n_candidates=min(SEARCHED // 4, np.prod([*map(len, grid.values())])),
            scoring=task.metric, cv=5, random_state=0, min_resources="smallest", n_jobs=-1,
        ).fit(task.train, task.y)  # fmt: skip
        best = found if best is None or found.best_score_ > best.best_score_ else best
    return best


PEERS: dict[str, Callable[[Task, float], Any]] = {
    "linear": linear, "boosting": boosting, "LightGBM": lightgbm, "FLAML": flaml,
    "halving search": halving,
}  # fmt: skip


def main(folder: Path, seconds: float) -> None:
    """Print a score and the seconds of each peer."""
    task, found = Task(folder), {}
    for name, peer in PEERS.items():
        start = time.perf_counter()
        score = task.score(peer(task, seconds))
        found[name] = {"score": score, "seconds": time.perf_counter() - start}
    print(json.dumps({"peers": found, "trivial": task.trivial()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
