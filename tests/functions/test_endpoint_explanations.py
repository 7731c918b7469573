"""What goes along with answers: warnings of what training never saw, and what drove an answer."""

import json
from typing import Any

import numpy as np
import pytest

from noria.aws.model_registry import Registry
from noria.aws.s3 import Store
from noria.core.model.signature import Field
from tests.functions.test_endpoint import ROW, call, champion, logged, store
from tests.support import tiny_model
from tests.support.tiny_model import make_champion, probability, training, write_model

__all__ = ["champion", "store"]


def serve(store: Store, task: str) -> None:
    write_model(store, "run-1", getattr(tiny_model, f"{task}_signature")())
    make_champion(store, "run-1")


def explained(rows: Any) -> dict[str, Any]:
    answer = call("POST", "/predict?explain=true", json=rows)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_every_answer_carries_warnings(store: Store) -> None:
    signature = tiny_model.binary_signature()
    carrier = Field(name="carrier", kind="category", values=("AA", "UA"), distinct=2)
    fields = (signature.columns[0], carrier, signature.columns[2])
    write_model(store, "run-1", signature.model_copy(update={"columns": fields}))
    make_champion(store, "run-1")
    assert call("POST", "/predict", json=ROW).json()["warnings"] == []
    rows = [ROW, {**ROW, "distance": 9}, {**ROW, "carrier": "ZZ"}, {"distance": 1}]
    answer = call("POST", "/predict", json={"rows": rows}).json()
    assert len(answer["predictions"]) == 4
    told = [(one["field"], one["warning"], one["rows"]) for one in answer["warnings"]]
    assert told == [
        ("distance", "out_of_range", [1]), ("carrier", "missing", [3]),
        ("carrier", "unseen_category", [2]), ("departure", "missing", [3]),
    ]  # fmt: skip
    assert answer["warnings"][0]["message"].startswith("row 1, field 'distance': 9 is above 3")


def test_contributions_add_up_to_the_answer(champion: Store) -> None:
    document = explained({"rows": [ROW, {**ROW, "distance": -2}]})
    base = probability(training().data["distance"]).mean()
    for one, distance in zip(document["predictions"], (1.5, -2), strict=True):
        found = one["explanation"]
        assert found["class"] is True
        assert (found["method"], found["background_rows"]) == ("exact", 64)
        assert found["score"] == one["probability"]
        assert found["base"] == pytest.approx(base, abs=0.05)
        assert found["base"] + sum(found["contributions"].values()) == pytest.approx(found["score"])
        assert next(iter(found["contributions"])) == "distance"
        assert np.sign(found["contributions"]["distance"]) == np.sign(distance)
        assert found["contributions"]["carrier"] == 0


def test_the_answer_and_its_log_are_those_without_an_explanation(champion: Store) -> None:
    plain = call("POST", "/predict", json=ROW).json()
    told = explained(ROW)
    del told["predictions"][0]["explanation"]
    for document in (plain, told):
        del document["predictions"][0]["id"]
    assert told == plain
    first, second = logged(champion, "predictions")
    assert first["score"] == second["score"]
    assert first.keys() == second.keys()


def test_a_value_is_explained(store: Store) -> None:
    serve(store, "regression")
    [one] = explained(ROW)["predictions"]
    assert "class" not in one["explanation"]
    assert one["explanation"]["score"] == pytest.approx(2.25)


def test_of_many_classes_the_answered_one_is_explained(store: Store) -> None:
    serve(store, "multiclass")
    [one] = explained(ROW)["predictions"]
    assert one["explanation"]["class"] == one["prediction"] == "b"
    assert one["explanation"]["score"] == pytest.approx(one["probabilities"]["b"])


def test_a_model_without_rows_to_compare_with_says_so(champion: Store) -> None:
    manifest = champion.get_json("models/run-1/manifest.json")
    del manifest["sha256"]["background.json"]
    champion.put("models/run-1/manifest.json", json.dumps(manifest).encode())
    answer = call("POST", "/predict?explain=true", json=ROW)
    assert answer.status_code == 422
    assert "leave out explain=true, or train again" in answer.json()["detail"]
    assert call("POST", "/predict", json=ROW).status_code == 200


def test_rows_that_were_changed_explain_nothing(champion: Store) -> None:
    champion.put("models/run-1/background.json", b"{}")
    answer = call("POST", "/predict?explain=true", json=ROW)
    assert answer.status_code == 503
    assert "checksum" in answer.json()["detail"]


@pytest.mark.parametrize(("wish", "kept"), [("true", True), ("1", True), ("", True),
                                            ("false", False), ("0", False)])  # fmt: skip
def test_how_an_explanation_is_asked_for(champion: Store, wish: str, kept: bool) -> None:
    answer = call("POST", f"/predict?explain={wish}", json=ROW).json()
    assert ("explanation" in answer["predictions"][0]) is kept


def test_answers_that_overflow_cannot_be_explained(store: Store) -> None:
    """GIVEN a background row whose square is no number THEN the row is answered, not explained."""
    serve(store, "regression")
    background = store.get_json("models/run-1/background.json")
    background["columns"]["distance"][0] = 3e38
    files = {
        name: store.get(f"models/run-1/{name}")
        for name in ("model.onnx", "signature.json", "reference.json")
    } | {"background.json": json.dumps(background).encode()}
    Registry(store).write_version("run-2", files)
    make_champion(store, "run-2")
    answer = call("POST", "/predict?explain=true", json=ROW)
    assert answer.status_code == 422
    assert "row 0 cannot be explained" in answer.json()["detail"]
