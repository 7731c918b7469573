"""The dataset survives the trip through bytes and refuses what does not fit together."""

import io
import json
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset, is_missing
from noria.errors import DataError
from tests.support.examples import examples

COLUMNS = (Column("size", "number"), Column("shape", "category"), Column("at", "timestamp"))


def make(rows: int = 4) -> Dataset:
    step = np.arange(rows)
    return Dataset(
        COLUMNS,
        {
            "size": np.where(step % 3 == 0, np.nan, step),
            "shape": np.where(step % 2 == 0, "", "größer"),
            "at": np.where(step % 4 == 0, MISSING_TIMESTAMP, step * 60),
        },
        step % 2,
        ("no", "yes"),
        step >= rows * 0.75,
        step * 60,
        (step % 2).astype(float),
        groups=step // 2,
        slices={"sex": np.where(step % 3 == 0, "", "woman"), "age": step * 1.5},
    )


def assert_same(one: Dataset, other: Dataset) -> None:
    assert one.columns == other.columns
    assert one.classes == other.classes
    for name in one.names():
        np.testing.assert_array_equal(one.data[name], other.data[name])
        assert one.data[name].dtype.kind == other.data[name].dtype.kind
    assert [*one.slices] == [*other.slices]
    for name, values in one.slices.items():
        np.testing.assert_array_equal(values, other.slices[name])
    for name in ("target", "holdout", "event_time", "rule", "groups"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_round_trip_is_exact_and_repeatable() -> None:
    dataset = make(40)
    content = dataset.to_bytes()
    assert_same(dataset, Dataset.from_bytes(content))
    assert content == make(40).to_bytes()


@examples(40)
@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=8))
def test_any_text_survives(texts: list[str]) -> None:
    zeros = np.zeros(len(texts))
    dataset = Dataset((Column("t", "category"),), {"t": np.array(texts, str)}, zeros, (), zeros)
    assert Dataset.from_bytes(dataset.to_bytes()).data["t"].tolist() == texts


def test_parts_split_the_rows() -> None:
    dataset = make(8)
    assert (len(dataset.training), len(dataset.holdout_rows)) == (6, 2)
    assert dataset.training.rule is not None
    assert len(dataset.training.rule) == 6
    assert dataset.take(np.array([1, 3])).data["at"].tolist() == [60, 180]


def test_what_slices_go_by_is_no_feature_and_goes_with_its_rows() -> None:
    dataset = make(8)
    assert dataset.names() == ["size", "shape", "at"]
    few = dataset.only(["at"]).take(np.array([1, 3]))
    assert few.names() == ["at"]
    found = few.slice_columns(["age", "at", "gone"])
    assert {name: values.tolist() for name, values in found.items()} == {
        "age": [1.5, 4.5], "at": [60, 180]
    }  # fmt: skip
    with pytest.raises(DataError, match="'slice age' has shape"):
        replace(dataset, slices={"age": np.zeros(3)})


def test_a_dataset_of_the_format_before_slices_is_read() -> None:
    """GIVEN a run that Transform of an earlier deployment began THEN later stages go on with it."""
    dataset = make(8)
    with np.load(io.BytesIO(dataset.to_bytes())) as archive:
        arrays = {name: archive[name] for name in archive.files if not name.startswith("slice")}
    header = json.loads(arrays["header"].tobytes())
    del header["slices"]
    before = json.dumps(header | {"format": 5}).encode()
    buffer = io.BytesIO()
    np.savez(buffer, **arrays | {"header": np.frombuffer(before, dtype=np.uint8)})
    assert_same(replace(dataset, slices={}), Dataset.from_bytes(buffer.getvalue()))


def test_missing_is_known_by_kind() -> None:
    dataset = make(4)
    found = [is_missing(c.kind, dataset.data[c.name]).tolist() for c in COLUMNS]
    assert found == [[True, False, False, True], [True, False, True, False], [True] + [False] * 3]


def test_infinity_becomes_missing() -> None:
    one = Dataset((Column("a", "number"),), {"a": np.array([1e300])}, np.zeros(1), (), np.zeros(1))
    assert np.isnan(one.data["a"]).all()


@pytest.mark.parametrize("content", [b"", b"PK\3\4 not a zip", b"a,b\n1,2\n"])
def test_foreign_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="not a dataset"):
        Dataset.from_bytes(content)


def test_a_pickle_inside_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"columns": []}], dtype=object))
    with pytest.raises(DataError, match="not a dataset"):
        Dataset.from_bytes(buffer.getvalue())


def test_lengths_and_names_must_agree() -> None:
    with pytest.raises(DataError, match="'a'"):
        Dataset((Column("a", "number"),), {"a": np.zeros(3)}, np.zeros(2), (), np.zeros(2))
    with pytest.raises(DataError, match="differ"):
        Dataset((Column("a", "number"),), {"b": np.zeros(2)}, np.zeros(2), (), np.zeros(2))


def test_eighty_thousand_rows_move_quickly() -> None:
    generator = np.random.default_rng(0)
    rows = 80_000
    columns = tuple(Column(f"n{i}", "number") for i in range(34)) + tuple(
        Column(f"c{i}", "category") for i in range(6)
    )
    data = {f"n{i}": generator.normal(size=rows) for i in range(34)}
    data |= {f"c{i}": generator.choice(["EWR", "JFK", "LGA"], rows) for i in range(6)}
    dataset = Dataset(columns, data, np.zeros(rows), (), np.zeros(rows))
    start = time.process_time()
    assert len(Dataset.from_bytes(dataset.to_bytes())) == rows
    assert time.process_time() - start < 3


@pytest.mark.parametrize("rows", [0, 1, 4, 40])
def test_dataset_counts_the_rows_of_both_parts(rows: int) -> None:
    dataset = make(rows)
    assert dataset.training_size == len(dataset.training)
    assert dataset.holdout_size == len(dataset.holdout_rows)
