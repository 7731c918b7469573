"""The endpoint's types: rows as the training file has them in, the data's own types out."""

import json
from typing import Any

import pytest

from noria.aws.s3 import Store
from noria.core.data.notation import Notation
from noria.core.model.signature import Field, Signature
from tests.functions.test_endpoint import UUID, call, logged, store
from tests.support import tiny_model
from tests.support.tiny_model import make_champion, write_model

__all__ = ["store"]
FLAG = Notation(boolean=True, truths={"yes": True, "no": False})


def serve(store: Store, signature: Signature) -> None:
    write_model(store, "run-1", signature)
    make_champion(store, "run-1")


def flags() -> Signature:
    """A model of a flag, a whole number read as a category, and left-out columns."""
    fields = (
        Field(name="distance", kind="number", minimum=0, maximum=1, data_type="boolean",
              notation=FLAG),
        Field(name="carrier", kind="category", values=("2", "3"), data_type="integer"),
        Field(name="departure", kind="timestamp"),
    )  # fmt: skip
    told = {"columns": fields, "left_out": ("late", "note"), "unused": ("origin",),
            "example": {"distance": True, "carrier": 2, "departure": None}}  # fmt: skip
    return tiny_model.binary_signature().model_copy(update=told)


def stars() -> Signature:
    """A model of three classes that are decimal numbers."""
    told = {"classes": ("0.5", "1.0", "3.5"), "label_type": "float"}
    return tiny_model.multiclass_signature().model_copy(update=told)


def test_flags_have_one_answer_in_every_form(store: Store) -> None:
    serve(store, flags())
    rows = [{"distance": value} for value in (True, 1, 1.0, "yes", "YES", "true")]
    answers = call("POST", "/predict", json={"rows": rows}).json()["predictions"]
    assert len({answer["probability"] for answer in answers}) == 1
    refused = call("POST", "/predict", json={"distance": "perhaps"})
    assert refused.status_code == 422
    assert "row 0, field 'distance': 'perhaps'" in refused.json()["detail"]


def test_the_model_the_document_and_the_page_name_the_datas_types(store: Store) -> None:
    serve(store, flags())
    told = call("GET", "/model").json()
    assert [field["type"] for field in told["inputs"]] == ["boolean", "category", "timestamp"]
    assert told["inputs"][1]["values"] == [2, 3]
    assert told["unused"] == ["origin", "late", "note"]
    assert told["example"]["distance"] is True
    row = call("GET", "/openapi.json").json()["components"]["schemas"]["Row"]["properties"]
    assert row["distance"]["type"] == ["boolean", "integer", "string", "null"]
    assert row["carrier"]["type"] == ["integer", "string", "null"]
    assert "type" not in row["late"]
    page = call("GET", "/").text
    assert "boolean, true or false" in page
    assert '"distance": "boolean", "carrier": "number"' in page


def test_what_training_did_not_use_is_neither_read_nor_logged(store: Store) -> None:
    serve(store, flags())
    body = (
        b'{"distance": 1, "late": "True", "origin": 1e999, "note": {"text": ["' + b"x" * 5000
        + b'"]}}'
    )  # fmt: skip
    assert call("POST", "/predict", content=body).status_code == 200
    (record,) = logged(store, "predictions")
    assert record["inputs"] == {"distance": 1}


def test_a_byte_order_mark_is_passed_over(store: Store) -> None:
    serve(store, flags())
    body = json.dumps({"distance": 1}).encode("utf-8-sig")
    assert call("POST", "/predict", content=body).status_code == 200
    assert (
        call("POST", "/predict", content=body.decode("utf-8-sig").encode("utf-16")).status_code
        == 422
    )


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/predict", '{"distance": 1, "carrier": "2", "distance": 0}', "field 'distance' is given"),
        ("/predict", '{"rows": [{"distance": 1}, {"carrier" : 2, "carrier"\n:2}]}',
         "row 1: field 'carrier' is given twice: send each field once"),
        ("/predict", '{"rows": [{"distance": 1}], "rows": [{"distance": 0}]}', "field 'rows'"),
        ("/predict", '{"distance": 1, "note": {"a": 1, "a": 2}}', "field 'a' is given twice"),
        ("/labels", f'{{"labels": [{{"id": "{UUID}", "value": true, "value": false}}]}}',
         "label 0: field 'value' is given twice"),
    ],
)  # fmt: skip
def test_a_field_given_twice_is_refused_by_name(
    store: Store, path: str, body: str, told: str
) -> None:
    serve(store, flags())
    answer = call("POST", path, content=body.encode())
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    "row",
    [
        {"carrier": ': "distance": ', "distance": 1}, {"carrier": '"distance":', "distance": 1},
        {"note": {"distance": 1, "deep": {"distance": 2}}, "distance": 1},
        {"note": [{"distance": 1}, {"distance": 1}], "distance": 1},
    ],
)  # fmt: skip
def test_names_within_values_are_no_repetition(store: Store, row: dict[str, Any]) -> None:
    serve(store, flags())
    assert call("POST", "/predict", json=row).status_code == 200


def test_decimal_classes_are_answered_and_labelled_as_numbers(store: Store) -> None:
    serve(store, stars())
    (answer,) = call("POST", "/predict", json={"distance": 1}).json()["predictions"]
    assert answer["prediction"] == 1.0
    assert isinstance(answer["prediction"], float)
    labels = [{"id": UUID, "value": value} for value in (answer["prediction"], 1, 3.5)]
    stored = call("POST", "/labels", json={"labels": labels}).json()
    assert stored["stored"] == 3
    assert stored["note"] == "2 labels repeated: the last one of a prediction counts"
    for value in (3.7, "3.5", True, None):
        refused = call("POST", "/labels", json={"labels": [{"id": UUID, "value": value}]})
        assert refused.status_code == 422
        assert "send 0.5, 1.0, 3.5" in refused.json()["detail"]


def test_whole_classes_are_labelled_by_whole_numbers_of_either_form(store: Store) -> None:
    told = {"classes": ("0", "1"), "label_type": "int"}
    serve(store, tiny_model.binary_signature().model_copy(update=told))
    for value, status in ((1, 200), (1.0, 200), (0.5, 422), (True, 422), ("1", 422)):
        answer = call("POST", "/labels", json={"labels": [{"id": UUID, "value": value}]})
        assert answer.status_code == status, value


def test_free_text_may_be_long(store: Store) -> None:
    fields = (*flags().columns[:1], Field(name="carrier", kind="text"), flags().columns[2])
    serve(store, flags().model_copy(update={"columns": fields}))
    assert (
        call("POST", "/predict", json={"distance": 1, "carrier": "word " * 1000}).status_code == 200
    )
    answer = call("POST", "/predict", json={"carrier": "x" * 100_001})
    assert answer.status_code == 422
    assert "at most 100000" in answer.json()["detail"]
