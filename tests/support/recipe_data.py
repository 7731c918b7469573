"""Problems of which each can be solved by one recipe alone, for tests of the ladder."""

from typing import Any

import numpy as np

from noria.contracts import Problem
from noria.core.data.dataset import Column, Dataset, Kind
from noria.core.evaluation.error_analysis import find_weaknesses
from noria.core.evaluation.error_findings import Findings
from noria.core.features.plan import Plan, make_plan
from noria.core.statistics import metrics
from noria.core.training.fitted_model import Member
from noria.core.training.train import Trained, train
from tests.support.model_data import problem

ROWS = 4_000
START = 1_704_067_200  # Monday, 1 January 2024
WORDS = [
    "please",
    "the",
    "order",
    "parcel",
    "arrived",
    "late",
    "today",
    "box",
    "green",
    "my",
    "for",
]
KINDS: dict[str, Kind] = {"city": "category", "desk": "category", "at": "timestamp", "note": "text"}
#: What the outcome depends on: the recipe that can tell it.
PLANTED = {
    "a ratio": "interactions",
    "an hour": "calendar",
    "a keyword": "text",
    "a desk": "target_encoding",
}


def planted(what: str, rows: int = ROWS) -> Dataset:
    """Make columns of every kind, of which one thing alone decides nearly all outcomes."""
    generator = np.random.default_rng(11)
    data: dict[str, Any] = {name: np.exp(generator.normal(size=rows)) for name in "abc"}
    data["city"] = generator.choice(["Oslo", "Kyiv", "Lima"], rows)
    data["desk"] = generator.choice([f"desk{i}" for i in range(400)], rows)
    data["at"] = START + generator.integers(0, 365 * 86_400, rows)
    notes = [" ".join(generator.choice(WORDS, 6)) for _ in range(rows)]
    asked = generator.random(rows) < 0.4
    data["note"] = np.array([f"{n} refund" if a else n for n, a in zip(notes, asked, strict=True)])
    answers = {
        "a ratio": np.log(data["a"] / data["b"]) % 2 < 1,
        "an hour": data["at"] // 3600 % 24 < 9,
        "a keyword": asked,
        "a desk": np.isin(data["desk"], [f"desk{i}" for i in generator.permutation(400)[:170]]),
    }
    outcome = np.where(generator.random(rows) < 0.05, generator.random(rows) < 0.5, answers[what])
    columns = tuple(Column(name, KINDS.get(name, "number")) for name in data)
    return Dataset(columns, data, outcome, ("no", "yes"), np.arange(rows) >= rows * 0.75)


def solved(
    dataset: Dataset, plan: Plan, candidate: str = "hist_gradient_boosting"
) -> tuple[float, Trained]:
    """Train with a plan: the area under the ROC curve of the holdout, and what was trained."""
    trained = train(dataset, [Member(plan, candidate)], problem(), 0)
    truth = dataset.holdout_rows.target
    return metrics.score("roc_auc", truth, trained.holdout_scores), trained


def plan_with(dataset: Dataset, recipe: str) -> Plan:
    """Make a plan of the basic recipe and one other."""
    asked: Problem = problem(features={"recipes": [recipe]})
    return make_plan(dataset, asked, int(recipe != "basic"))


def findings_of(dataset: Dataset, trained: Trained) -> Findings:
    """Find what a trained model leaves unexplained in the holdout."""
    scores, used = trained.holdout_scores, trained.importances
    return find_weaknesses(problem(), dataset.holdout_rows, scores, used)
