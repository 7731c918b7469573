"""Rows as inputs: the short ways of reading give what the long one gives, or refuse as it does."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.data.notation import Notation
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.row_reader import RowReader, to_columns
from noria.core.model.signature import Field, Signature, input_name
from noria.errors import RequestError

FIELDS = (
    Field(name="plain", kind="number"),
    Field(name="filled", kind="number", fill=-1.5),
    Field(name="wide", kind="number", double=True),
    Field(name="flag", kind="number", data_type="boolean", notation=Notation(boolean=True)),
    Field(name="german", kind="number", notation=Notation(decimal=",")),
    Field(name="marked", kind="number", notation=Notation(missing=(-99,))),
    Field(name="kind", kind="category", values=("a", "b", "1"), fill="b",
          spellings={"a": "a", "alpha": "a"}, fold=True),
    Field(name="code", kind="category", values=("007", "7"), data_type="string"),
    Field(name="prose", kind="text"),
    Field(name="at", kind="timestamp"),
    Field(name="day", kind="timestamp", notation=Notation(formats=("%d.%m.%Y",))),
)  # fmt: skip
SIGNATURE = Signature(
    problem="p", task="binary", target="y", classes=("no", "yes"), columns=FIELDS, metric="roc_auc",
    recipe="base", candidate="logistic_regression",
)  # fmt: skip
TIMES = ["2024-01-31T17:00:00Z", "2024-01-31T17:00:00+01:00", "2024-01-31T17:00:0Z"]
TEXTS = ["a", " Alpha", "ALPHA", "b", "", "NA", "7", "007", "1,5", "true", "no", "31.01.2024",
         *TIMES, "x" * 1001]  # fmt: skip
values = st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.sampled_from(TEXTS),
    st.sampled_from([-99, 0.1, 16_777_217, 3.5e38, 10**400, 1_700_000_000, -0.0]), st.text(),
    st.just([]),
)  # fmt: skip
usual: dict[str, st.SearchStrategy[Any]] = {
    "plain": st.none() | st.integers(-9, 9) | st.floats(-1e3, 1e3),
    "filled": st.none() | st.floats(-1e30, 1e30), "wide": st.none() | st.floats(-1e300, 1e300),
    "kind": st.sampled_from(["a", " Alpha", "", "new", None]),
    "code": st.sampled_from(["7", "007", None]), "at": st.sampled_from([*TIMES, None]),
}  # fmt: skip
rows = st.one_of(
    st.fixed_dictionaries({}, optional=usual),
    st.dictionaries(st.sampled_from([field.name for field in FIELDS]), values, max_size=4),
)


@given(requests=st.lists(st.lists(rows, min_size=1, max_size=4), min_size=1, max_size=3))
def test_the_short_way_reads_as_the_long_one(requests: list[list[dict[str, Any]]]) -> None:
    reader = RowReader(SIGNATURE)  # one for all, as texts are remembered
    for request in requests:
        try:
            columns = to_columns(request, SIGNATURE)
        except RequestError as refusal:
            with pytest.raises(RequestError) as raised:
                reader.inputs(request)
            assert str(raised.value) == str(refusal)
            continue
        found = reader.inputs(request)
        assert list(found) == [input_name(field.name) for field in FIELDS]
        for field in FIELDS:
            expected = preprocess_column(field, columns[field.name]).reshape(-1, 1)
            given_ = found[input_name(field.name)]
            assert given_.shape == (len(request), 1)
            if field.kind == "number":
                assert given_.dtype == expected.dtype
                np.testing.assert_array_equal(given_, expected)
            else:
                assert given_.tolist() == expected.tolist()


def test_texts_are_forgotten_before_they_fill_the_memory() -> None:
    reader = RowReader(SIGNATURE)
    for start in range(0, 40_000, 1_000):
        names = [f"new {number}" for number in range(start, start + 1_000)]
        found = reader.inputs([{"kind": name} for name in names])["field:kind"]
        assert found.ravel().tolist() == names
    assert sum(map(len, reader._texts.values())) <= 11_001


@pytest.mark.parametrize(("name", "longest"), [("kind", 1_000), ("prose", 100_000), ("at", 1_000)])
def test_a_text_that_no_log_would_take_is_refused(name: str, longest: int) -> None:
    with pytest.raises(RequestError, match=rf"row 1, field '{name}': .* at most {longest}"):
        RowReader(SIGNATURE).inputs([{}, {name: "x" * (longest + 1)}])
