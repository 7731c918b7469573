"""CSV as a request: the training file's lines get the answers that rows of JSON get."""

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.data.notation import Notation
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.row_reader import to_columns
from noria.core.model.signature import Field, Signature
from noria.errors import RequestError
from noria.serving.csv_bodies import as_trained
from noria.serving.requests import parse_rows
from tests.noria.core.model.test_request_values_of_training_rows import COLUMNS, trained_on
from tests.support.examples import examples

CSV = "text/csv"
SIGNATURE = Signature(
    problem="trips", task="regression", target="y", metric="rmse", recipe="basic",
    candidate="ridge",
    columns=(
        Field(name="distance", kind="number"),
        Field(name="price", kind="number", notation=Notation(decimal=",")),
        Field(name="late", kind="number", notation=Notation(boolean=True, truths={"yes": True})),
        Field(name="weight", kind="number", unit="kg", notation=Notation(units={"g": (0.001, 0)})),
        Field(name="carrier", kind="category", values=("AA", "12"), distinct=2),
        Field(name="day", kind="timestamp", notation=Notation(formats=("%d.%m.%Y",))),
        Field(name="note", kind="text"),
    ),
)  # fmt: skip
FILE = """\
distance,price,late,weight,carrier,day,note
1.5,"1.234,50",yes,2500 g,AA,31.01.2024,"a, ""b""
c"
-3e2,"7,0",,,12,,12.50
,,,,,,
"""
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


def columns_of(content: str | bytes, content_type: str = CSV) -> dict[str, list[Any]]:
    sent = content.encode() if isinstance(content, str) else content
    rows = as_trained(parse_rows(sent, content_type), SIGNATURE)
    return {name: values.tolist() for name, values in to_columns(rows, SIGNATURE).items()}


def test_cells_are_read_as_the_training_files_were() -> None:
    found = columns_of(FILE)
    assert found["distance"][:2] == [1.5, -300]
    assert found["price"][:2] == [1234.5, 7]
    assert found["late"][0] == 1
    assert found["weight"][0] == 2.5
    assert found["carrier"] == ["AA", "12", ""]
    assert found["day"][0] == 1706659200
    assert found["note"] == ['a, "b"\nc', "12.50", ""]
    for name in ("distance", "price", "late", "weight"):
        assert np.isnan(found[name][2])


@pytest.mark.parametrize("kind", COLUMNS)
def test_the_training_file_is_a_request_as_it_stands(kind: str) -> None:
    """GIVEN columns written in all ways THEN each cell is read as training read it."""
    content, found = trained_on(kind)
    lines = [line[:-1] for line in csv.reader(io.StringIO(content.decode()))]  # the target is last
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    rows = as_trained(parse_rows(text.getvalue().encode(), CSV), found.signature)
    asked = to_columns(rows, found.signature)
    assert set(asked) == {"x", "n"}
    for field in found.signature.columns:
        read = preprocess_column(field, asked[field.name])
        np.testing.assert_array_equal(read, found.dataset.data[field.name], field.name)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + FILE.encode(), FILE.replace("\n", "\r\n").encode(),
        f"\n{FILE}\n\n".encode(),
    ],
)  # fmt: skip
def test_marks_and_line_ends_change_nothing(content: bytes) -> None:
    expected = columns_of(FILE)
    found = columns_of(content)
    found["note"] = [text.replace("\r\n", "\n") for text in found["note"]]
    assert str(found) == str(expected)  # NaN is no NaN


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_of_training_files(delimiter: str) -> None:
    lines = [["carrier", "note"], ["AA", "a,b"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(lines)
    assert columns_of(text.getvalue())["note"] == ["a,b"]


def test_the_columns_of_a_frame_without_names_may_be_empty() -> None:
    """A comma behind each line, as some programs write it."""
    assert columns_of("distance,carrier,\n1,AA,\n")["distance"] == [1]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
@examples(500)
def test_any_text_comes_through(rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    expected = [{"a": one or None, "b": other or None} for one, other in rows]
    assert parse_rows(text.getvalue().encode(), CSV) == expected


def test_a_frame_that_pandas_wrote_is_read() -> None:
    frame = pd.DataFrame({"distance": [1.25, None], "carrier": ["AA", None]})
    found = columns_of(frame.to_csv(index=False))
    assert found["distance"][0] == 1.25
    assert found["carrier"] == ["AA", ""]


@pytest.mark.parametrize(
    ("content", "content_type", "told"),
    [
        (b"", CSV, "rows: 0 given; send 1 to 1000"),
        (b"distance\n", CSV, "rows: 0 given"),
        (b"distance\n" + b"1\n" * 1001, CSV, "more than 1000 given"),
        (b"distance,carrier\n1\n", CSV, "row 0 has 1 cells, the header 2"),
        (b"distance,distance\n1,2\n", CSV, "the header names distance twice"),
        (b",distance\n0,1\n", CSV, "column 0 has no name in the header"),
        (b'distance\n1\n"2\n', CSV, "is not CSV"),
        (b"distance\n\xff\n", CSV, "byte 9 of the body is not UTF-8"),
        (b"distance\n1\n", "text/csv; charset=ISO-8859-1", "'iso-8859-1': send CSV in UTF-8"),
        (b"1\n", "text/csv; header=absent", "the body has no header"),
        (b"distance\nfar\n", CSV, "row 0, field 'distance': 'far' is not a number"),
        (b"distance\n1\n1e999\n", CSV, "row 1, field 'distance': inf is not a finite"),
        (b"distanse\n1\n", CSV, "did you mean 'distance'?"),
        (b"day\n32.01.2024\n", CSV, "row 0, field 'day': '32.01.2024' is not a time"),
    ],
)
def test_what_does_not_fit_is_named(content: bytes, content_type: str, told: str) -> None:
    with pytest.raises(RequestError) as caught:
        columns_of(content, content_type)
    assert told in str(caught.value)


def test_many_short_lines_are_refused_before_they_are_kept() -> None:
    """GIVEN five megabytes of empty fields THEN it is their number that is told."""
    with pytest.raises(RequestError, match="more than 1000"):
        parse_rows(b"a\n" * 2_500_000, CSV)
