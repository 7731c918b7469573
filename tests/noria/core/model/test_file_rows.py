"""Values of files as a request would have them."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from noria.core.data.notation import Notation
from noria.core.model.file_rows import columns_to_read, exact_columns, request_rows
from noria.core.model.signature import Field, Signature
from noria.core.windows.lookup_spec import KeyColumn, LookupSpec
from noria.errors import DataError
from tests.support.tiny_model import binary_signature

FIELDS = {
    "number": Field(name="x", kind="number"),
    "comma": Field(name="x", kind="number", notation=Notation(decimal=",")),
    "marked": Field(name="x", kind="number", notation=Notation(missing=("-9",))),
    "flag": Field(name="x", kind="number", notation=Notation(boolean=True)),
    "name": Field(name="x", kind="category", values=("AA", "UA")),
    "code": Field(name="x", kind="category", values=("1", "2"), data_type="integer"),
    "truth": Field(name="x", kind="category", values=("True", "False"), data_type="boolean"),
    "prose": Field(name="x", kind="text"),
    "time": Field(name="x", kind="timestamp"),
}


def with_column(field: Field) -> Signature:
    return binary_signature().model_copy(update={"columns": (field,)})


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("number", "1.5", 1.5),
        ("number", " -2 ", -2),
        ("number", "1e3", 1000.0),
        ("number", "9" * 30, 1e30),
        ("number", "much", "much"),
        ("number", "1_000", "1_000"),
        ("number", "", ""),
        ("number", math.nan, None),
        ("number", Decimal("2.50"), 2.5),
        ("number", Decimal("7"), 7),
        ("comma", "1,5", "1,5"),
        ("comma", "1.500", "1.500"),
        ("marked", "-9", "-9"),
        ("flag", "1", "1"),
        ("name", 7, "7"),
        ("name", True, "true"),
        ("code", 1, 1),
        ("truth", True, True),
        ("prose", 12, "12"),
        ("time", datetime(2013, 1, 31, 17, tzinfo=UTC), "2013-01-31T17:00:00+00:00"),
        ("time", 1359651600, 1359651600),
        ("time", "31.01.2013", "31.01.2013"),
    ],
)
def test_a_value_is_sent_as_the_field_takes_it(kind: str, value: Any, sent: Any) -> None:
    [row] = request_rows({"x": [value]}, with_column(FIELDS[kind]))
    assert row == {"x": sent}
    assert type(row["x"]) is type(sent)


def test_rows_have_the_columns_in_order() -> None:
    rows = request_rows({"carrier": ["AA", None], "distance": [1, 2.5]}, binary_signature())
    assert rows == [{"carrier": "AA", "distance": 1}, {"carrier": None, "distance": 2.5}]


def test_other_columns_are_not_sent_and_the_target_may_be_there() -> None:
    names = ["flight", "distance", "late", "carrier"]
    assert columns_to_read(names, binary_signature(), "a.csv") == ["distance", "carrier"]


def test_keys_of_a_lookup_are_sent_and_read_as_they_are_written() -> None:
    history = LookupSpec(feature_set="flights", keys=(KeyColumn(name="tailnum"),),
                         event_time="scheduled", delay=0, windows=())  # fmt: skip
    signature = binary_signature().model_copy(update={"history": history})
    names = ["scheduled", "tailnum", "distance"]
    assert columns_to_read(names, signature, "a.csv") == names
    assert exact_columns(signature) == {"carrier", "tailnum"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["flight"], "a.csv has no column that the model reads"),
        (["distance", "carier"], "'carier' (did you mean 'carrier'?)"),
    ],
)
def test_names_that_cannot_be_meant_are_refused(names: list[str], told: str) -> None:
    with pytest.raises(DataError) as refused:
        columns_to_read(names, binary_signature(), "a.csv")
    assert told in str(refused.value)


def test_a_name_like_one_that_is_there_is_somebodys_own() -> None:
    names = ["distance", "distance_2", "carrier", "departure"]
    assert columns_to_read(names, binary_signature(), "a.csv") == [names[0], *names[2:]]
