"""A contract that asks for F1 or balanced accuracy of a rare class gets a model that decides so."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.data.dataset import Column, Dataset
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from noria.core.statistics import metrics
from tests.support.stages import Outcome, run_stages

ROWS, LATER = 4_000, 4_000


def rare_rows(rows: int, seed: int) -> pd.DataFrame:
    """One row in ten is positive, told from two columns with a ROC AUC of about 0.8."""
    generator = np.random.default_rng(seed)
    table = pd.DataFrame(generator.normal(size=(rows, 3)).round(4), columns=list("abc"))
    chance = 1 / (1 + np.exp(2.8 - 1.1 * table["a"] - 0.8 * table["b"]))
    table["late"] = np.where(generator.random(rows) < chance, "yes", "no")
    return table


def judged(metric: str, threshold: float) -> Outcome:
    contract: dict[str, Any] = {
        "name": "flights", "statement": "Which flights will be late at their destination?",
        "task": "binary", "target": "late", "positive_class": "yes",
        "sources": [{"name": "flights", "kind": "s3", "primary": True}],
        "objective": {"metric": metric, "threshold": threshold},
        "exploration": {"candidates": ["logistic_regression"], "trials": 1},
    }  # fmt: skip
    content = rare_rows(ROWS, 1).to_csv(index=False).encode()
    return run_stages(contract, {"flights": ("rows.csv", content)})


@pytest.mark.parametrize(
    ("metric", "threshold"), [("f1", 0.25), ("balanced_accuracy", 0.65), ("f1_macro", 0.6)]
)
def test_what_serves_decides_by_the_metric_and_its_probabilities_are_right(
    metric: str, threshold: float
) -> None:
    """GIVEN rows of later THEN answers score as the holdout told, far better than at one half."""
    outcome = judged(metric, threshold)
    assert outcome.answers["evaluate"]["decision"] == "met"
    found = {key.rpartition("/")[2]: content for key, content in outcome.files.items()}
    signature = Signature.model_validate_json(found["signature.json"])
    assert signature.decision is not None
    assert signature.decision.chosen_for == metric
    later = rare_rows(LATER, 2)
    target = (later["late"] == "yes").to_numpy().astype(int)
    columns = tuple(Column(name, "number") for name in signature.names)
    data = {name: later[name].to_numpy() for name in signature.names}
    rows = Dataset(columns, data, target, ("no", "yes"), np.zeros(LATER, dtype=bool))
    scores = OnnxModel(found["model.onnx"], signature).score(rows.data)
    served, usual = (
        metrics.score(metric, target, metrics.decided(metric, scores, at))
        for at in (signature.threshold, 0.5)
    )
    assert served > usual + 0.05
    assert served == pytest.approx(json.loads(found["evaluation.json"])["value"], abs=0.05)
    assert scores.mean() == pytest.approx(target.mean(), abs=0.02)
