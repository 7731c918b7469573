"""The fit on all rows: what was accepted learns from the rows that judged it, too."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.evaluation.final_fit import JudgedScore, judge_final_fit
from noria.core.statistics import metrics
from tests.support.model_data import problem
from tests.support.stages import Outcome, run_stages

ROWS = 1_500
TRAINED = 1_200  # four fifths


def accepted(**changes: Any) -> Outcome:
    """Run on rows of which the last fifth has a carrier that was never seen before."""
    generator = np.random.default_rng(3)
    load = generator.normal(size=ROWS).round(3)
    new = np.arange(ROWS) >= TRAINED
    rows = pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=ROWS, freq="6h").astype(str),
            "load": load,
            "carrier": np.where(new & (generator.random(ROWS) < 0.5), "Nova", "Old"),
            "late": np.where(load + 0.3 * generator.normal(size=ROWS) > 0, "yes", "no"),
        }
    )
    contract: dict[str, Any] = {
        "name": "parcels", "statement": "Which parcels of tomorrow will be late?",
        "task": "binary", "target": "late", "positive_class": "yes", "event_time": "day",
        "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
        "objective": {"metric": "roc_auc", "threshold": 0.8},
        "exploration": {"candidates": ["logistic_regression"], "folds": 2, "trials": 1},
    }  # fmt: skip
    content = rows.to_csv(index=False).encode()
    return run_stages(contract | changes, {"parcels": ("rows.csv", content)})


def test_the_latest_rows_are_learnt_before_a_model_serves() -> None:
    outcome = accepted()
    assert outcome.answers["final"]["decision"] == "adopted"
    assert outcome.answers["final"]["rows"] == ROWS
    [verdict] = [one for one in outcome.verdicts if one["state"] == "CheckFinalFit"]
    assert verdict["reasons"] == ["version v1 serves as fitted on all 1,500 rows"]
    assert set(verdict["evidence"]["sha256"]) >= {"model.onnx", "judged.onnx", "lineage.json"}
    seen, judged = (json.loads(outcome.files[f"models/v1/{name}"])
                    for name in ("signature.json", "judged_signature.json"))  # fmt: skip
    assert (judged["rows"], seen["rows"]) == (TRAINED, ROWS)
    values = [{v for c in one["columns"] for v in c["values"]} for one in (judged, seen)]
    assert "Nova" in values[1] - values[0]
    assert outcome.files["models/v1/model.onnx"] != outcome.files["models/v1/judged.onnx"]
    assert judged["importances"] == seen["importances"]
    # Drift is told by scores of rows that a model has not seen.
    assert json.loads(outcome.files["models/v1/reference.json"])["rows"] == ROWS


def test_rows_without_a_time_are_not_fitted_again_unless_asked() -> None:
    assert "final" not in accepted(event_time=None).answers
    assert "final" not in accepted(training={"final_fit": "none"}).answers
    asked = accepted(event_time=None, training={"final_fit": "all"})
    assert asked.answers["final"]["decision"] == "adopted"


@pytest.mark.parametrize(
    ("exported", "told"),
    [
        ("other than its pipeline", "differ by more than"),
        ("no number", "not a finite number"),
        ("worse than before", "on rows that it has seen"),
    ],
)
def test_a_fit_that_answers_wrongly_does_not_serve(exported: str, told: str) -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 400)
    good = np.clip(0.5 + (y - 0.5) * 0.4 + generator.normal(0, 0.2, 400), 0, 1)
    value = metrics.score("roc_auc", y, good)
    judged = JudgedScore(value, value - 0.05, value + 0.05)
    answers = {
        "other than its pipeline": (1 - good, good),
        "no number": (np.full(400, np.nan), good),
        "worse than before": (1 - good, 1 - good),
    }
    verdict = judge_final_fit(problem(), y, *answers[exported], judged)
    assert verdict.decision == "kept"
    assert told in verdict.reasons[0]
    assert judge_final_fit(problem(), y, good, good, judged).decision == "adopted"
