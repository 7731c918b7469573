"""Answers as columns of Parquet."""

from typing import Any

import pyarrow as pa
import pytest

from noria.core.model.answer_columns import answer_columns, refuse_taken
from noria.core.model.prediction_interval import PredictionInterval
from noria.core.model.signature import Signature
from noria.errors import DataError
from tests.support.tiny_model import (
    binary_signature,
    multiclass_signature,
    regression_signature,
)


def columns(outcomes: list[dict[str, Any]], signature: Signature) -> dict[str, list[Any]]:
    return {
        name: column.to_pylist() for name, column in answer_columns(outcomes, signature).items()
    }


def test_two_classes() -> None:
    answered, refused = {"prediction": True, "probability": 0.75}, {"error": "no"}
    assert columns([answered, refused], binary_signature()) == {
        "prediction": [True, None], "probability": [0.75, None], "error": [None, "no"]
    }  # fmt: skip


def test_several_classes_with_what_is_not_named() -> None:
    named = {"prediction": "a", "probabilities": {"a": 0.5, "b": 0.25}, "others": 0.25}
    found = columns([named, {"error": "no"}], multiclass_signature())
    assert found["probabilities"] == [[("a", 0.5), ("b", 0.25)], None]
    assert found["others"] == [0.25, None]


def test_numbers_with_and_without_an_interval() -> None:
    answer = {"prediction": 2.0, "interval": [1.0, 3.0]}
    signature = regression_signature()
    assert [*columns([answer], signature)] == ["prediction", "error"]
    interval = PredictionInterval.model_construct()
    found = columns([answer, {"error": "no"}],
                    signature.model_copy(update={"interval": interval}))  # fmt: skip
    assert (found["interval_low"], found["interval_high"]) == ([1.0, None], [3.0, None])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("bool", pa.bool_()), ("int", pa.int64()), ("float", pa.float64()), ("str", pa.string())],
)
def test_predictions_have_the_targets_type_even_where_none_is_made(
    kind: Any, expected: pa.DataType
) -> None:
    signature = binary_signature().model_copy(update={"label_type": kind})
    assert answer_columns([{"error": "no"}], signature)["prediction"].type == expected


def test_columns_of_those_names_are_refused() -> None:
    refuse_taken(["distance", "probabilities"], binary_signature(), "a.csv")
    with pytest.raises(DataError, match=r"a.csv has a column 'probability', 'error'"):
        refuse_taken(["probability", "error"], binary_signature(), "a.csv")
