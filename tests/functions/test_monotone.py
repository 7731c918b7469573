"""Columns with which answers may only rise, or only fall (`features.monotone`)."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.contracts import Problem
from noria.core.data.dataset import Column, Dataset
from noria.core.features.plan import joint_plans
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from noria.core.training.fitted_model import Member, fit_members
from noria.errors import ContractError
from tests.support.model_data import bare_signature, problem
from tests.support.stages import run_stages

ROWS, STEPS = 1_000, 40
CANDIDATES = ("hist_gradient_boosting", "extra_trees", "random_forest", "decision_tree")
WAYS = {"income": "decreasing", "debt": "increasing"}


def lent(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Loans whose risk falls with income and rises with debt, but for two dents and noise."""
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({name: generator.uniform(0, 10, rows) for name in ("income", "debt")})
    table["age"] = generator.uniform(20, 70, rows).round()
    table["town"] = generator.choice(["a", "b", "c"], rows)
    dents = 4 * table["income"].between(5, 7) - 4 * table["debt"].between(3, 5)
    table["risk"] = table["debt"] - table["income"] + dents + (table["town"] == "a")
    table["risk"] += generator.normal(size=rows) + np.abs(table["age"] - 45) / 10
    table.loc[generator.random(rows) < 0.05, "debt"] = np.nan
    table.loc[generator.random(rows) < 0.05, "income"] = np.nan
    return table


def loans(task: str) -> Dataset:
    table = lent()
    risk = table.pop("risk").to_numpy()
    binary = task == "binary"
    return Dataset(
        tuple(Column(n, "category" if n == "town" else "number") for n in table),
        {
            n: table[n].fillna("").to_numpy(str) if n == "town" else table[n].to_numpy()
            for n in table
        },
        (risk > 2).astype(int) if binary else risk,
        ("no", "yes") if binary else (),
        np.arange(ROWS) >= ROWS * 0.8,
    )


def along(name: str) -> dict[str, Any]:
    """Rows that differ in one number: `STEPS` values of it for each of fifty others."""
    others = lent(50, 1).drop(columns="risk").loc[lambda rows: rows.notna().all(axis=1)]
    rows = others.loc[others.index.repeat(STEPS)].reset_index(drop=True)
    rows[name] = np.tile(np.linspace(-1, 11, STEPS), len(others))
    return {n: rows[n].to_numpy(str if n == "town" else float) for n in rows}


def steps_along(name: str, scores: np.ndarray) -> np.ndarray:
    """How scores change from value to value; what falls as it should counts as rising."""
    return np.diff(scores.reshape(-1, STEPS), axis=1) * (1 if WAYS[name] == "increasing" else -1)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_answers_only_rise_or_only_fall(candidate: str, task: str) -> None:
    """GIVEN dents in the data THEN no recipe's pipeline or artifact shows them."""
    dataset, metric = loans(task), "roc_auc" if task == "binary" else "r2"
    kept = problem(task, metric, features={"monotone": WAYS})
    plans = joint_plans(dataset, kept)[:2]  # the first recipe, and all together
    assert len(plans) == 2
    for plan in plans:
        model = fit_members([Member(plan, candidate)], dataset, kept, 0)
        read = dataset.only([one.name for one in model.inputs(dataset.columns)])
        artifact = OnnxModel(model.to_onnx(dataset.columns), bare_signature(read, task))
        for name in WAYS:
            rows = along(name)
            assert steps_along(name, artifact.score(rows)).min() > -1e-6
            assert steps_along(name, model.scores(pd.DataFrame(rows))).min() > -1e-9


def test_without_the_rule_the_dents_show() -> None:
    """GIVEN the same rows THEN it is the contract that makes answers rise."""
    dataset, free = loans("regression"), problem("regression", "r2")
    plan = joint_plans(dataset, free)[0]
    unbound = fit_members([Member(plan, "hist_gradient_boosting")], dataset, free, 0)
    assert steps_along("income", unbound.scores(pd.DataFrame(along("income")))).min() < -0.01


def test_a_run_keeps_to_it_and_says_so() -> None:
    """GIVEN the whole contract THEN the served model's answers never fall with debt."""
    table = lent()
    table["risk"] = np.where(table["risk"] > 2, "high", "low")
    contract: dict[str, Any] = {
        "name": "loans", "statement": "Which loans will not be paid back in time?",
        "task": "binary", "target": "risk", "positive_class": "high",
        "sources": [{"name": "loans", "kind": "s3", "primary": True}],
        "objective": {"metric": "roc_auc", "threshold": 0.7},
        "features": {"monotone": WAYS},
    }  # fmt: skip
    outcome = run_stages(contract, {"loans": ("rows.csv", table.to_csv(index=False).encode())})
    assert outcome.answers["evaluate"]["decision"] == "met"
    found = {key.rpartition("/")[2]: content for key, content in outcome.files.items()}
    model = OnnxModel(found["model.onnx"], Signature.model_validate_json(found["signature.json"]))
    assert {one.name: one.monotone for one in model.signature.columns if one.monotone} == WAYS
    for name in WAYS:
        rows = pd.DataFrame(along(name)).to_dict("records")
        chances = [one["probability"] for one in model.predict(rows)]
        assert steps_along(name, np.array(chances)).min() > -1e-6


@pytest.mark.parametrize(
    ("task", "more", "told"),
    [
        ("multiclass", {}, "features.monotone: is of a probability or a number"),
        ("binary", {"exploration": {"candidates": ["logistic_regression"]}},
         "exploration.candidates[0]: 'logistic_regression' cannot keep to features.monotone; use"),
        ("binary", {"features": {"monotone": WAYS, "exclude": ["debt"]}},
         "features.monotone.debt: 'debt' is in exclude as well"),
        ("binary", {"features": {"monotone": {"debt": "upwards"}}}, "features.monotone.debt"),
        ("binary", {"entity_key": ["debt"]}, "features.monotone.debt: 'debt' is an entity key"),
        ("binary", {"target": "debt"}, "features.monotone.debt: 'debt' is the target"),
    ],
)  # fmt: skip
def test_a_contract_that_cannot_be_kept_is_refused(
    task: str, more: dict[str, Any], told: str
) -> None:
    content = problem(task, "accuracy").to_document() | {"features": {"monotone": WAYS}} | more
    with pytest.raises(ContractError) as refused:
        Problem.parse(content)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("column", "told"), [("town", "'town' is a category column"), ("dept", "did you mean 'debt'")]
)
def test_a_column_that_cannot_rise_ends_at_once(column: str, told: str) -> None:
    contract = problem("regression", "r2").to_document() | {
        "target": "risk", "features": {"monotone": {column: "increasing"}}
    }  # fmt: skip
    content = lent(400).to_csv(index=False).encode()
    outcome = run_stages(contract, {"rows": ("rows.csv", content)})
    assert (outcome.state, outcome.decision) == ("Transform", "unusable")
    assert told in " ".join(outcome.reasons)
