"""The models that compete: names and words here, estimators in `noria.core.training.estimators`."""

from dataclasses import dataclass
from typing import Literal

from noria.contracts import Problem
from noria.core.statistics.metrics import Task


@dataclass(frozen=True)
class Candidate:
    """A kind of model; among equals the one with the lower `complexity` is preferred."""

    name: str
    family: Literal["tree", "forest", "linear"]
    complexity: int
    tasks: tuple[Task, ...]
    description: str


_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_ALL: tuple[Task, ...] = ("binary", "multiclass", "regression")
CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            "logistic_regression", "linear", 0, _CLASSES,
            "weighted sum of the features; good where effects add up, or rows are few",
        ),
        Candidate(
            "ridge", "linear", 0, ("regression",),
            "least squares with shrinkage; good where effects add up, or rows are few",
        ),
        Candidate(
            "hist_gradient_boosting", "tree", 1, _ALL,
            "trees that correct each other on binned values; good on many rows and missing values",
        ),
        Candidate(
            "extra_trees", "forest", 2, _ALL,
            "average of trees with random thresholds; good on noisy features, smooth answers",
        ),
        Candidate(
            "random_forest", "forest", 3, _ALL,
            "average of trees on resampled rows; good without tuning, robust to outliers",
        ),
    )
}  # fmt: skip


def names_for(problem: Problem) -> list[str]:
    """List the candidates that the contract asks for, all that fit the task for `auto`."""
    wanted = problem.exploration.candidates
    if wanted == "auto":
        return [c.name for c in CANDIDATES.values() if problem.task in c.tasks]
    return list(dict.fromkeys(wanted))
