"""A target that may have many classes, of which the data have two."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from tests.support.stages import run_stages


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "log_loss"])
def test_two_classes_of_a_multiclass_target_are_learnt_and_answered(metric: str) -> None:
    """GIVEN no third class yet THEN answers have the form of many, and the log one number."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"length": generator.normal(size=900).round(3)})
    table["width"] = generator.normal(size=900).round(3)
    chance = 1 / (1 + np.exp(-4 * table["length"] - table["width"]))
    table["species"] = np.where(generator.random(900) < chance, "virginica", "setosa")
    contract: dict[str, Any] = {
        "name": "flowers", "statement": "Which species is the flower that was measured?",
        "task": "multiclass", "target": "species",
        "sources": [{"name": "flowers", "kind": "s3", "primary": True}],
        "objective": {"metric": metric, "threshold": 0.55},
        "exploration": {"candidates": ["logistic_regression", "decision_tree"], "trials": 2},
    }  # fmt: skip
    outcome = run_stages(contract, {"flowers": ("rows.csv", table.to_csv(index=False).encode())})
    assert outcome.answers["evaluate"]["decision"] == "met"
    found = {key.rpartition("/")[2]: content for key, content in outcome.files.items()}
    model = OnnxModel(found["model.onnx"], Signature.model_validate_json(found["signature.json"]))
    answers = model.answer([{"length": 1.5, "width": 0}])
    (answer,) = answers.as_dicts()
    assert answer["prediction"] == "virginica"
    assert list(answer["probabilities"]) == ["setosa", "virginica"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answers.logged_scores() == [answer["probabilities"]["virginica"]]
    assert answer["probabilities"]["virginica"] > 0.9
