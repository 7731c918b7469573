"""Patients with a protected attribute, and a page of a run as text by chapter."""

import html
import re
from typing import Any

import numpy as np
import pandas as pd

from tests.support.stages import Outcome, run_stages


def patients(rows: int, seed: int = 1) -> pd.DataFrame:
    """Age, dose and sex tell who falls ill; the ward `tiny` has few; `constant` is useless."""
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({
        "age": generator.integers(18, 90, rows),
        "dose": generator.normal(5, 2, rows).round(2),
        "ward": generator.choice(["north", "south", "tiny"], rows, p=[0.5, 0.48, 0.02]),
        "sex": generator.choice(["woman", "man"], rows),
        "constant": 1,
        "afterwards": generator.normal(size=rows).round(3),
    })  # fmt: skip
    odds = 0.05 * (table["age"] - 50) + 0.5 * (table["dose"] - 5) + (table["sex"] == "man")
    table["ill"] = np.where(generator.random(rows) < 1 / (1 + np.exp(-odds)), "yes", "no")
    return table


def judged_patients(
    rows: int = 1_200,
    *,
    exclude: tuple[str, ...] = ("afterwards",),
    table: pd.DataFrame | None = None,
    **more: Any,
) -> Outcome:
    """Run the stages on them with `sex` a protected slice and `ward` one with a floor."""
    contract = {
        "name": "patients", "statement": "Which patients will fall ill within a year?",
        "task": "binary", "target": "ill", "positive_class": "yes",
        "sources": [{"name": "patients", "kind": "s3", "primary": True}],
        "quality": {"minimum_rows": 50}, "features": {"exclude": [*exclude]},
        "objective": {
            "metric": "roc_auc", "threshold": 0.7,
            "costs": {"false_negative": 5, "false_positive": 1},
            "slices": [{"column": "sex", "floor": 0.6, "protected": True},
                       {"column": "ward", "floor": 0.55}],
        },
        "exploration": {"candidates": ["logistic_regression"], "trials": 1},
    } | more  # fmt: skip
    content = (patients(rows) if table is None else table).to_csv(index=False).encode()
    return run_stages(contract, {"patients": ("rows.csv", content)})


def chapters_of(page: str) -> dict[str, str]:
    """The text below each second-level heading of a page, without tags."""
    parts = re.split(r"<h2>(.*?)</h2>", page)
    texts = [html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", one))) for one in parts]
    return dict(zip(texts[1::2], texts[2::2], strict=True))
