"""Tables that no model can be made of, or hardly: each ends by name, with what would help."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.hostile_tables import FAST
from tests.support.stages import Outcome, run_stages

ROWS = 400
DRAWN = np.random.default_rng(7)
SIGNAL = DRAWN.normal(size=ROWS).round(3)
SURE = np.where(SIGNAL + DRAWN.normal(0, 0.5, ROWS) > 0, "yes", "no")
CONTRACT: dict[str, Any] = {
    "name": "bad-input", "statement": "What is to be told of a table like this one?",
    "task": "binary", "target": "y", "objective": {"metric": "roc_auc", "threshold": 0.7},
    "sources": [{"name": "any", "kind": "s3", "primary": True}], **FAST,
}  # fmt: skip


def ended(table: pd.DataFrame, **changes: Any) -> Outcome:
    content = table.to_csv(index=False).encode()
    return run_stages(CONTRACT | changes, {"any": ("rows.csv", content)})


def one_class() -> pd.DataFrame:
    return pd.DataFrame({"x": SIGNAL, "y": "yes"})


def constant_features() -> pd.DataFrame:
    return pd.DataFrame({"a": 1, "b": "same", "y": SURE})


def copy_of_the_target() -> pd.DataFrame:
    return pd.DataFrame({"x": SIGNAL, "again": SURE, "y": SURE})


def many_classes() -> pd.DataFrame:
    rows = np.arange(6000)
    return pd.DataFrame({"x": rows % 7, "y": [f"class {row % 120}" for row in rows]})


def class_of_one_row() -> pd.DataFrame:
    """Three classes, one of which has a single row."""
    kinds = np.where(SIGNAL > 0, "a", "b")
    kinds[0] = "c"
    return pd.DataFrame({"x": SIGNAL, "y": kinds})


MULTICLASS = {"task": "multiclass", "objective": {"metric": "accuracy", "threshold": 0.8}}


@pytest.mark.parametrize(
    ("table", "changes", "end", "told"),
    [
        (one_class, {}, ("Transform", "unusable"), "rows of at least two classes"),
        (constant_features, {}, ("Transform", "unusable"), "add columns or sources"),
        (copy_of_the_target, {}, ("Analyse", "reevaluate"), "List in features.exclude"),
        (many_classes, MULTICLASS, ("Transform", "unusable"), "raise analysis.maximum_classes"),
    ],
)
def test_what_cannot_be_learnt_ends_with_a_remedy(
    table: Any, changes: dict[str, Any], end: tuple[str, str], told: str
) -> None:
    outcome = ended(table(), **changes)
    assert (outcome.state, outcome.decision) == end
    assert told in " ".join(outcome.reasons)


def test_a_class_of_one_row_does_not_stop_a_run() -> None:
    assert ended(class_of_one_row(), **MULTICLASS).state == "EvaluateModel"


def test_more_columns_than_rows() -> None:
    wide = pd.DataFrame(DRAWN.normal(size=(120, 300)).round(3)).add_prefix("c")
    wide["y"] = np.where(wide["c0"] > 0, "yes", "no")
    outcome = ended(wide)
    assert outcome.state in ("EvaluateModel", "Analyse")
    assert outcome.reasons


def test_infinite_values_and_thousands_of_categories_are_learnt_from() -> None:
    table = pd.DataFrame({"x": SIGNAL.astype(str), "y": SURE})
    table.loc[:5, "x"], table.loc[6:9, "x"] = "inf", "-Infinity"
    assert ended(table).decision == "met"
    shops = pd.DataFrame({"shop": [f"shop {row % 5000}" for row in range(20_000)]})
    shops["x"] = DRAWN.normal(size=len(shops)).round(3)
    shops["y"] = np.where(shops["x"] + DRAWN.normal(0, 0.5, len(shops)) > 0, "yes", "no")
    assert ended(shops).decision == "met"


def test_names_that_python_and_pandas_use_are_names_like_any_other() -> None:
    names = ["self", "index", "values", "columns", "class", "None", "target", "__init__", "0"]
    table = pd.DataFrame(DRAWN.normal(size=(ROWS, len(names))).round(3), columns=names)
    table["self"], table["y"] = SIGNAL, SURE
    assert ended(table).decision == "met"


def test_a_budget_of_one_second_still_finds_a_model() -> None:
    table = pd.DataFrame({"x": SIGNAL, "y": SURE})
    assert ended(table, exploration={"seconds": 1}).decision == "met"
