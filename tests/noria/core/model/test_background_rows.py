"""Rows that answers are compared with: few, as the model takes them, and without prose."""

from typing import Any

import numpy as np

from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.model.background_rows import BackgroundRows
from tests.support.model_data import bare_signature, mixed


def read_back(dataset: Dataset) -> dict[str, Any]:
    kept = BackgroundRows.of(dataset)
    again = BackgroundRows.model_validate_json(kept.model_dump_json())
    assert again == kept
    return again.arrays(bare_signature(dataset, "binary"))


def test_rows_come_back_as_the_model_takes_them() -> None:
    dataset = mixed(640, 2)
    found = read_back(dataset)
    places = np.linspace(0, 639, 64).astype(int)
    assert set(found) == set(dataset.names())
    for name in dataset.names():
        expected = dataset.data[name][places]
        assert found[name].dtype.kind == expected.dtype.kind
        np.testing.assert_array_equal(found[name], expected)
    assert MISSING_TIMESTAMP in found["at"]


def test_doubles_are_not_rounded() -> None:
    column = Column("x", "number", double=True)
    values = 1e9 + np.arange(10) / 7
    rows = Dataset((column,), {"x": values}, np.arange(10) % 2, ("a", "b"), np.zeros(10))
    np.testing.assert_array_equal(read_back(rows)["x"], values)


def test_prose_is_not_kept() -> None:
    columns = (Column("note", "text"), Column("x", "number"))
    data = {"note": np.array(["Anna Example, 5 Some Street"] * 9), "x": np.arange(9)}
    rows = Dataset(columns, data, np.arange(9) % 2, ("a", "b"), np.zeros(9))
    assert "Anna" not in BackgroundRows.of(rows).model_dump_json()
    assert read_back(rows)["note"].tolist() == [""] * 9


def test_wide_tables_keep_fewer_rows() -> None:
    columns = tuple(Column(f"n{i}", "number") for i in range(1_000))
    data = {one.name: np.arange(200) for one in columns}
    rows = Dataset(columns, data, np.arange(200) % 2, ("a", "b"), np.zeros(200))
    assert BackgroundRows.of(rows).rows == 20
