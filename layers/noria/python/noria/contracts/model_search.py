"""How models are looked for and trained: the candidates, and what the search may cost."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from noria.common.metric_table import ALL_TASKS, CLASSES, REGRESSION, Task
from noria.contracts.field_types import Section

#: The candidates and their tasks; each is a module of `noria.core.training.candidates`.
CANDIDATES: dict[str, tuple[Task, ...]] = {
    "logistic_regression": CLASSES,
    "ridge": REGRESSION,
    "hist_gradient_boosting": ALL_TASKS,
    "extra_trees": ALL_TASKS,
    "random_forest": ALL_TASKS,
    "decision_tree": ALL_TASKS,
    "neural_network": ALL_TASKS,
    "support_vectors": ALL_TASKS,
    "gaussian_process": REGRESSION,
}
#: Candidates that are tried with every recipe; the others, good on some tables, with the first.
WITH_EVERY_RECIPE = (
    "logistic_regression", "ridge", "hist_gradient_boosting", "extra_trees", "random_forest"
)  # fmt: skip
#: Candidates that can be made to rise or fall with a column (`features.monotone`).
MONOTONE = ("hist_gradient_boosting", "extra_trees", "random_forest", "decision_tree")
CANDIDATES_OF: dict[str, tuple[str, ...]] = {
    task: tuple(name for name, tasks in CANDIDATES.items() if task in tasks) for task in ALL_TASKS
}
if TYPE_CHECKING:
    CandidateName = str
else:
    CandidateName = Literal[tuple(CANDIDATES)]


def _unsuited() -> str:
    """Say which candidates auto leaves out, by the tasks that they are not for."""
    classes, regression = (
        " and ".join(name for name, tasks in CANDIDATES.items() if kind[0] not in tasks)
        for kind in (CLASSES, REGRESSION)
    )
    return f"all but {regression} for regression, all but {classes} for classes"


class Exploration(Section):
    """How far to look for models; `rows` and `seconds` bound the search, not the training."""

    candidates: Literal["auto"] | list[CandidateName] = Field(
        default="auto",
        description=f"The kinds of model that are tried; auto takes all that suit the task "
        f"({_unsuited()}) and the number of rows: support vectors up to 3,000, a neural network "
        "up to 20,000, a Gaussian process up to 800.",
    )
    folds: int = Field(default=5, ge=2, le=20)
    """Folds of cross-validation, forward in time where there is an event time. Five or ten are
    usual (Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", 7.10)."""
    fewest_folds: int = Field(default=5, ge=2, le=20)
    """Folds from which a simpler candidate within one standard error of the best is preferred
    (Breiman et al. 1984, "Classification and Regression Trees"). Convention: with 5 that error is
    itself known to a third, 1 / sqrt(2(n - 1)); with fewer it would excuse a worse mean."""
    seconds: int = Field(default=120, ge=1)
    """Time for all trials together, of which one plans with 600 at most, and for the winner's
    learning curve. Convention: far from the 900 seconds after which Lambda ends a function."""
    stop: Literal["best", "objective"] = "best"
    """What is looked for: the best that the budget finds, for which all recipes that suit the
    columns are tried together; or the first that meets the objective, for which recipes are tried
    one after another, `basic` first."""
    trials: int = Field(default=28, ge=1)
    """Trials of a rung at most: recipes times candidates, then settings of the candidates that are
    left, each one's usual parameters included. As many as candidates means neither search. Beyond
    40, where several recipes compete, settings are tried with each of them in the first rung, each
    in an execution of its own (Distributed Map); give more `seconds` with them. A decision tree, a
    neural network, support vectors and a Gaussian process are tried with the first recipe only,
    where auto stands for them and trials are left. Convention: seven for each candidate, where four
    compete."""
    blend: bool = True
    """Whether a weighted mean of several trials' models is taken where it is better than the best
    of them, by odds of two to one. Without it one model answers: smaller, faster and easier
    to explain."""
    rows: int = Field(default=50_000, ge=50)
    """Training rows that candidates are tried on, at most, spread over the whole time where there
    is an event time. Convention: one fit takes seconds, and what ranks candidates there ranks them
    on more."""


class Training(Section):
    """What the model that serves is trained on."""

    final_fit: Literal["auto", "all", "none"] = "auto"
    """Whether a model that was accepted is fitted once more with the rows that judged it: `all`, or
    `none`; auto is `all` where there is an event time, as the latest rows, which judge a model, are
    those most like the ones to come, and where the holdout is small (`evaluation.small_holdout`).
    It assumes that more of the same rows do no harm."""
    interval_coverage: float = Field(default=0.9, ge=0.5, lt=1)
    """Share of the values that the interval of a regression's answer is to hold. Convention: nine
    of ten, as in most of the literature on conformal prediction."""
    artifact_megabytes: float = Field(default=20, gt=0, le=500)
    """Size of a model's ONNX graph at most: a trial whose graph is larger is dropped. Convention:
    20 MB, which a fresh endpoint reads and loads in a fraction of a second."""
