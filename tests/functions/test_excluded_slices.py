"""A protected column that the contract keeps from the model is judged by all the same."""

import json
from typing import Any

import pytest

from noria.core.model.signature import Signature
from tests.support.patients import chapters_of, judged_patients, patients
from tests.support.stages import Outcome

EXCLUDED = ("afterwards", "sex", "ward")


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return judged_patients(exclude=EXCLUDED)


def found_in(outcome: Outcome, name: str = "evaluation.json") -> Any:
    return json.loads(outcome.files[f"models/v1/{name}"])


def test_its_groups_have_floors_rates_and_gaps(outcome: Outcome) -> None:
    judged = found_in(outcome)
    slices = {(one["column"], one["value"]): one for one in judged["slices"]}
    assert slices["sex", "man"]["met"] is True
    assert slices["sex", "woman"]["floor"] == 0.6
    assert sum(slices["sex", value]["rows"] for value in ("man", "woman")) == judged["rows"]
    assert ("ward", "north") in slices
    gaps = {one["measure"]: one for one in judged["fairness"]}
    assert {one["column"] for one in judged["fairness"]} == {"sex"}
    assert gaps["rows called positive"]["low"] < gaps["rows called positive"]["high"]


def test_nothing_but_evaluation_sees_it(outcome: Outcome) -> None:
    signature = Signature.model_validate(found_in(outcome, "signature.json"))
    assert signature.names == ["age", "dose"]
    assert {"sex", "ward"} <= set(signature.ignored), "a request may carry it, unread"
    assert not {"sex", "ward"} & {*signature.importances, *signature.unused, *signature.example}
    assert set(found_in(outcome, "reference.json")["columns"]) == {"age", "dose"}
    plans = [one for one in outcome.verdicts if one["state"] == "EngineerFeatures"]
    assert plans
    assert "sex" not in json.dumps(plans)


def test_a_floor_of_it_stops_a_model() -> None:
    strict = {
        "metric": "roc_auc", "threshold": 0.7,
        "slices": [{"column": "sex", "floor": 0.99, "protected": True}],
    }  # fmt: skip
    outcome = judged_patients(exclude=EXCLUDED, objective=strict)
    assert outcome.answers["evaluate"]["decision"] == "missed"
    assert "sex" in " ".join(outcome.sentences)


def test_the_card_says_that_leaving_it_out_is_not_enough(outcome: Outcome) -> None:
    card = chapters_of(outcome.files["models/v1/model_card.html"].decode())
    told = "The model does not read it, but other fields may stand in for it (see Fairness)."
    assert told in card["Intended use"]
    assert "rows called positive by sex" in card["Fairness"]
    assert "Slices and protected groups are judged at training only" in card["Limits"]
    assert "sex" not in card["Inputs"]


def test_a_small_table_is_judged_by_all_its_rows() -> None:
    judged = found_in(judged_patients(240, exclude=EXCLUDED))
    sexes = patients(240)["sex"].value_counts()
    rows = {one["value"]: one["rows"] for one in judged["slices"] if one["column"] == "sex"}
    assert judged["out_of_fold"] > 0
    assert rows == sexes.to_dict()
    assert [one["rows"] for one in judged["fairness"][0]["groups"]] == [*rows.values()]


def test_a_slice_by_a_column_that_leaks_is_judged_without_it() -> None:
    """GIVEN a slice by what gives the target away THEN it is left out, and the run goes on."""
    table = patients(1_200)
    table["refunded"] = table["ill"].map({"yes": "refund", "no": "none"})
    slices = [{"column": "refunded", "floor": 0.0}]
    outcome = judged_patients(
        table=table, analysis={"on_leak": "exclude"},
        objective={"metric": "accuracy", "threshold": 0.6, "slices": slices},
    )  # fmt: skip
    signature = Signature.model_validate(found_in(outcome, "signature.json"))
    assert "refunded" not in signature.names
    values = {one["value"] for one in found_in(outcome)["slices"] if one["column"] == "refunded"}
    assert values == {"refund", "none"}
