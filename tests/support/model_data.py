"""Real and random tables for the tests of the model half of the core."""

from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from noria.contracts import Problem
from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.model.signature import Signature
from noria.core.training.signatures import field_of

SETS = {
    "binary": (load_breast_cancer, "roc_auc", 0.95),
    "multiclass": (load_wine, "accuracy", 0.9),
    "regression": (load_diabetes, "r2", 0.3),
}


def problem(task: str = "binary", metric: str = "roc_auc", **more: Any) -> Problem:
    objective = {"metric": metric, "threshold": 0.7} | more.pop("objective", {})
    content = {
        "name": "trial",
        "statement": "A problem that the tests ask about.",
        "task": task,
        "target": "y",
        "sources": [{"name": "rows", "kind": "s3", "primary": True}],
        "objective": objective,
    }
    return Problem.model_validate(content | more)


def real(task: str) -> tuple[Dataset, Problem]:
    """Load scikit-learn's bundled set for a task; every fifth row is held out."""
    load, metric, threshold = SETS[task]
    bunch = load()
    names = [name.replace(" ", "_") for name in bunch.feature_names]
    classes = () if task == "regression" else tuple(str(i) for i in range(len(set(bunch.target))))
    rows = np.random.default_rng(7).permutation(len(bunch.target))
    dataset = Dataset(
        tuple(Column(name, "number") for name in names),
        {name: bunch.data[rows, i] for i, name in enumerate(names)},
        bunch.target[rows],
        classes,
        np.arange(len(rows)) % 5 == 0,
    )
    return dataset, problem(task, metric, objective={"threshold": threshold})


def mixed(rows: int, classes: int, seed: int = 0, unseen: bool = False) -> Dataset:
    """Make a table of all kinds with ties, missing values and, if asked, unseen categories."""
    generator = np.random.default_rng(seed)
    data: dict[str, Any] = {
        f"n{i}": np.round(generator.normal(size=rows) * 10 ** (i % 4), i % 3) for i in range(5)
    }
    for values in data.values():
        values[generator.random(rows) < 0.05] = np.nan
    data["few"] = generator.choice(["", "a", "b", "größe", *(["new"] if unseen else [])], rows)
    data["many"] = generator.choice([f"k{i}" for i in range(500 if unseen else 400)], rows)
    data["at"] = generator.integers(-(10**10), 10**10, rows)
    data["at"][generator.random(rows) < 0.05] = MISSING_TIMESTAMP
    data["until"] = generator.integers(10**9, 2 * 10**9, rows)
    signal = np.nan_to_num(data["n0"]) + (data["few"] == "a") + generator.normal(size=rows)
    edges = np.quantile(signal, np.arange(1, classes) / classes) if classes else []
    kinds = {"few": "category", "many": "category", "at": "timestamp", "until": "timestamp"}
    return Dataset(
        tuple(Column(name, kinds.get(name, "number")) for name in data),
        data,
        np.digitize(signal, edges) if classes else signal * 1000 + 5e5,
        tuple(str(code) for code in range(classes)),
        np.arange(rows) >= rows * 0.8,
        np.arange(rows) * 3600,
    )


def bare_signature(dataset: Dataset, task: str) -> Signature:
    """A signature that says no more than what an artifact needs to be scored."""
    return Signature(
        problem="trial",
        task=task,
        target="y",
        classes=dataset.classes,
        columns=tuple(field_of(dataset, name) for name in dataset.names()),
        metric="accuracy",
        recipe="basic",
        candidate="ridge",
    )
