"""Analyse: what it writes for the run, and what it takes over from Transform."""

import json
from typing import Any

import numpy as np

from functions import analyse
from noria.aws.s3 import Store
from noria.core.data.dataset import Column, Dataset

CONTRACT: dict[str, Any] = {
    "name": "orders", "statement": "Will this order be sent back by its buyer?", "task": "binary",
    "target": "returned", "objective": {"metric": "roc_auc", "threshold": 0.7},
    "sources": [{"name": "orders", "kind": "s3", "primary": True}],
}  # fmt: skip


def orders(leak: bool = False) -> Dataset:
    generator = np.random.default_rng(0)
    price = generator.normal(size=400)
    returned = (price + generator.normal(size=400) > 0).astype(int)
    refund = {"refund": np.where(returned, np.abs(price) + 1, 0)} if leak else {}
    return Dataset(
        columns=(Column("price", "number"), Column("carrier", "category"),
                 *(Column(name, "number") for name in refund)),
        data={"price": price, "carrier": generator.choice(["A", "B"], 400), **refund},
        target=returned,
        classes=("no", "yes"),
        holdout=np.arange(400) >= 320,
    )  # fmt: skip


def run(
    store: Store, evidence: dict[str, Any], leak: bool = False, **contract: Any
) -> dict[str, Any]:
    store.put_json("runs/r1/problem.json", CONTRACT | contract)
    store.put("clean/run=r1/dataset.npz", orders(leak).to_bytes())
    transform = {"state": "Transform", "iteration": 0, "decision": "usable", "reasons": []}
    store.put_json("runs/r1/verdicts/00-Transform.json", {**transform, "evidence": evidence})
    event = {"state": "Analyse", "execution": "r1", "started_at": "2026-11-24T00:00:00Z"}
    return analyse.handler(event, None)


def test_it_writes_numbers_and_a_report(store: Store) -> None:
    told = run(store, {})
    analysis = store.get_json("runs/r1/analysis.json")
    assert analysis["rows"] == 400
    assert analysis["leakage_suspects"] == []
    assert analysis["columns"][0]["name"] == "price"
    assert told["report"].endswith("runs/r1/report.html")
    assert "Will this order be sent back" in store.get("runs/r1/report.html").decode()
    assert len(json.dumps(told)) < 2000


def test_what_transform_found_known_afterwards_is_suspected(store: Store) -> None:
    run(store, {"known_afterwards": ["carrier", "refund"]})
    assert store.get_json("runs/r1/analysis.json")["leakage"] == [
        {
            "column": "carrier",
            "reason": "is filled where the outcome is known and empty where it is still to come",
            "stops": True,
        }
    ]
    assert "carrier may leak the target: it is filled" in store.get("runs/r1/report.html").decode()


def test_a_leak_stops_the_run_and_says_what_to_do(store: Store) -> None:
    told = run(store, {}, leak=True)
    assert (told["decision"], told["suspects"]) == ("reevaluate", ["refund"])
    assert told["reasons"][0].startswith("A column gives the target away: 'refund' ")
    assert "features.known" in told["reasons"][1]
    assert "dataset" not in told


def test_a_confirmed_column_stops_no_run(store: Store) -> None:
    told = run(store, {}, leak=True, features={"known": ["refund"]})
    assert told["decision"] == "go_on"
    assert "suspects" not in told
    assert store.get_json("runs/r1/analysis.json")["leakage"] == []


def test_a_leak_is_left_out_where_the_contract_says_so(store: Store) -> None:
    told = run(store, {}, leak=True, analysis={"on_leak": "exclude"})
    assert told["decision"] == "go_on"
    assert Dataset.from_bytes(store.get(told["dataset"])).names() == ["price", "carrier"]
    quick = store.get_json("runs/r1/verdicts/00-Analyse.json")["evidence"]["scores"][-1]
    assert quick["score"] < 0.95  # what the other columns tell


def test_a_leak_is_used_where_the_contract_says_so(store: Store) -> None:
    told = run(store, {}, leak=True, analysis={"on_leak": "allow"})
    assert (told["decision"], "dataset" in told) == ("go_on", False)
    said = store.get_json("runs/r1/verdicts/00-Analyse.json")["reasons"][-1]
    assert "'refund'" in said
    assert "allow" in said
