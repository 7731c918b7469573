"""Whatever a table looks like, a run ends as meant: with a model, or with a sentence that helps."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from noria.contracts import Problem
from noria.errors import ContractError
from tests.support.examples import examples
from tests.support.hostile_tables import FAST, tables, written
from tests.support.stages import Outcome, run_stages

TABLES = 2000
QUICK_TABLES = 24
# Words that a library says and no person would.
LIBRARY_WORDS = (
    "Traceback", "IndexError", "KeyError", "Binder Error", "Parser Error", "pydantic",
    "np.float64", "np.str_", "numpy.", "dtype", "object at 0x", "<class", "Timestamp(",
)  # fmt: skip


def ended(contract: dict[str, Any], suffix: str, content: bytes) -> Outcome | None:
    """How the run ends, in words that people understand; None where the contract is refused."""
    try:
        Problem.parse(contract)
    except ContractError as error:
        assert str(error)
        return None
    outcome = run_stages(contract, {"any": (f"rows.{suffix}", content)})
    assert outcome.reasons
    odd = [one for one in outcome.sentences if any(word in one for word in LIBRARY_WORDS)]
    assert odd == [], odd
    return outcome


@examples(TABLES, quick=QUICK_TABLES)
@given(tables())
def test_any_table_ends_as_meant(made: tuple[dict[str, Any], str, dict[str, list[Any]]]) -> None:
    contract, suffix, table = made
    ended(contract, suffix, written(suffix, table))


def _kinds() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Tables as people have them, each of a kind that once went wrong; columns and contract."""
    rng, rows = np.random.default_rng(7), 240
    signal = rng.normal(0, 1, rows)
    sure = np.where(signal + rng.normal(0, 0.3, rows) > 0.2, "yes", "no")
    ill = np.array(["None", "Insomnia", "Apnea"])[np.digitize(signal, [0.3, 1])]
    errors = np.where(rng.random(rows) < 0.1, "#DIV/0!", signal.round(3).astype(str))
    counter = 16_777_216 + rng.integers(-1, 3, rows)
    month = rng.integers(0, 12, rows)
    planned = rng.integers(5, 60, rows)
    took = planned + rng.integers(-9, 10, rows)
    multiclass = {"task": "multiclass", "objective": {"metric": "accuracy", "threshold": 0.5}}
    return {
        "a class named None": ({"hours": signal.round(2), "y": ill}, multiclass),
        "flags": ({"member": signal > 0, "spend": rng.gamma(2, 40, rows).round(2), "y": sure}, {}),
        "half stars": (
            {"match": signal.round(2), "y": np.clip(np.round(signal * 2), -3, 3) / 2}, multiclass,
        ),
        "errors of spreadsheets": ({"ratio": errors, "y": sure}, {}),
        "counters beyond 24 bits": (
            {"reading": counter, "y": np.where(counter > 16_777_216, "yes", "no")}, {},
        ),
        "birthdays in milliseconds": (
            {"born": month * 2_629_800_000 - 10**10, "y": np.where(month < 4, "yes", "no")}, {},
        ),
        "days taken beside days planned": (
            {"planned": planned, "took": took, "y": np.where(took > planned, "yes", "no")}, {},
        ),
        "a counter of sorted rows": ({"row": np.arange(rows), "y": np.sort(sure)}, {}),
        "numbers beyond doubles, alike when read": (
            {"load": signal * 1e300, "y": (signal * 10 + 50).round(2)},
            {"task": "regression", "objective": {"metric": "r2", "threshold": 0.5}},
        ),
        "ratios of the largest doubles": (
            {"load": signal * 5e149, "per": rng.uniform(1, 1.1, rows) * 1e-158, "y": sure}, {},
        ),
        "one row": ({"x": signal[:1], "y": sure[:1]}, {}),
        "no column but the target": ({"y": sure}, {}),
    }  # fmt: skip


KINDS = _kinds()
BINARY: dict[str, Any] = {
    "name": "one-kind", "statement": "What is to be told of this kind of table?", "task": "binary",
    "target": "y", "objective": {"metric": "roc_auc", "threshold": 0.7},
    "sources": [{"name": "any", "kind": "s3", "primary": True}], **FAST,
    "exploration": {**FAST["exploration"], "candidates": ["hist_gradient_boosting"]},
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_ends_as_meant(kind: str, suffix: str) -> None:
    columns, changes = KINDS[kind]
    table = {name: values.tolist() for name, values in columns.items()}
    assert ended(BINARY | changes, suffix, written(suffix, table)) is not None


def test_a_pair_that_gives_the_target_away_is_asked_about() -> None:
    columns, _ = KINDS["days taken beside days planned"]
    table = {name: values.tolist() for name, values in columns.items()}
    outcome = ended(BINARY, "csv", written("csv", table))
    assert outcome is not None
    assert (outcome.state, outcome.decision) == ("Analyse", "reevaluate")
    assert "together with" in outcome.reasons[0]
