"""Every form of rows is read as the same rows, and what is none is refused with its remedy."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import RequestError
from noria.serving.json_bodies import BodyTooLargeError
from noria.serving.requests import parse_rows
from tests.support.examples import examples

ROWS = [{"distance": 1.5, "carrier": "AA"}, {"distance": None, "carrier": "UA"}]
SPLIT = {"columns": ["distance", "carrier"], "data": [[1.5, "AA"], [None, "UA"]]}
FORMS = {
    "rows": {"rows": ROWS},
    "instances": {"instances": ROWS},
    "dataframe_records": {"dataframe_records": ROWS},
    "dataframe_split": {"dataframe_split": SPLIT},
    "dataframe_split with an index": {"dataframe_split": {**SPLIT, "index": [0, 1]}},
}
CELLS = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same_rows(form: str) -> None:
    assert parse_rows(body(FORMS[form])) == ROWS


def test_a_bare_row_may_have_a_form_s_name_as_a_field() -> None:
    row = {"rows": 3, "instances": "many", "dataframe_split": None}
    assert parse_rows(body(row)) == [row]


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=4))
@examples(300)
def test_a_split_table_is_its_records(data: list[list[Any]]) -> None:
    names = ["a", "b", "columns"]
    records = [dict(zip(names, values, strict=True)) for values in data]
    split = {"dataframe_split": {"columns": names, "data": data}}
    try:
        expected = parse_rows(body({"rows": records}))
    except RequestError:  # such as half of a surrogate pair
        with pytest.raises(RequestError):
            parse_rows(body(split))
        return
    assert parse_rows(body(split)) == expected


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"rows": ROWS, "instances": ROWS}, "the body has rows and instances: send one of them"),
        ({"instances": ROWS, "dataframe_split": SPLIT}, "send one of them"),
        ({"instances": ROWS, "signature_name": "x"}, "'signature_name' is unknown beside"),
        ({"instances": [[1.5, "AA"]]}, "row 0 is [1.5, 'AA']: send an object of fields"),
        ({"instances": []}, "instances: 0 given; send 1 to 1000"),
        ({"dataframe_records": ROWS * 501}, "dataframe_records: 1002 given; send 1 to 1000"),
        ({"dataframe_records": {"distance": [1]}}, "send a list of objects"),
        ({"rows": {"distance": 1}}, "rows is {'distance': 1}: send a list of objects"),
        ({"dataframe_split": ROWS}, "send columns and data"),
        ({"dataframe_split": {"columns": ["a"]}}, "send columns and data"),
        ({"dataframe_split": {**SPLIT, "dtype": 1}}, "send columns and data"),
        ({"dataframe_split": {"columns": ["a", 1], "data": [[1, 2]]}}, "column 1 is 1"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "'a' twice"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1], [2, 3]]}}, "row 1 has 2 values"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1], {"a": 2}]}}, "row 1 is {'a': 2}"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1]] * 1001}}, "1001 given"),
        ({"dataframe_split": {"columns": [], "data": [[]]}}, "row 0 is empty"),
    ],
)
def test_what_is_no_form_is_refused_by_name(document: Any, told: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_rows(body(document))
    assert told in str(caught.value)


def test_a_name_given_twice_within_a_form_is_refused() -> None:
    twice = b'{"dataframe_split": {"columns": ["a"], "data": [[1]], "data": [[2]]}}'
    with pytest.raises(RequestError, match="field 'data' is given twice"):
        parse_rows(twice)


@pytest.mark.parametrize(
    ("content", "content_type", "told"),
    [
        (b"<rows/>", "application/xml; charset=utf-8", "or CSV as text/csv: its type is 'applic"),
        (b"distance=1", "application/x-www-form-urlencoded", 'send {"rows"'),
        (b"\x1f\x8b\x08", "application/json", "it is packed with gzip; send it unpacked"),
        (b"\x1f\xef\xbf\xbd\x08", "application/json", "it is packed with gzip"),
        (b"distance\n1", "application/json", "is not JSON"),
    ],
)
def test_a_body_of_another_type_is_told_what_to_send(
    content: bytes, content_type: str, told: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parse_rows(content, content_type)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain;charset=UTF-8", "application/xml", "application/octet-stream"]
)
def test_json_is_json_whatever_it_is_called(content_type: str) -> None:
    assert parse_rows(body({"rows": ROWS}), content_type) == ROWS


@pytest.mark.parametrize("content_type", ["application/json", "text/csv"])
def test_a_large_body_is_refused_in_every_form(content_type: str) -> None:
    with pytest.raises(BodyTooLargeError, match="in several requests"):
        parse_rows(b" " * 6_000_000, content_type)
