"""Example requests made from a dataset."""

import json

import numpy as np
import pytest

from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.model.example_requests import sample_rows
from noria.core.model.signature import Field, Signature

COLUMNS = (Column("distance", "number"), Column("carrier", "category"), Column("at", "timestamp"))
SIGNATURE = Signature(
    problem="flight-delays", task="regression", target="delay", metric="rmse", recipe="plain",
    candidate="linear", columns=tuple(Field(name=c.name, kind=c.kind) for c in COLUMNS),
)  # fmt: skip


@pytest.fixture
def dataset() -> Dataset:
    noon = 1357041600  # 2013-01-01T12:00:00Z
    return Dataset(
        columns=COLUMNS,
        data={
            "distance": np.array([1.0, 1400.0, 0.5, np.nan], dtype=np.float32),
            "carrier": np.array(["AA", "UA", "", "B6"]),
            "at": np.array([0, noon, noon + 90, MISSING_TIMESTAMP]),
        },
        target=np.zeros(4), classes=(), holdout=np.zeros(4, dtype=bool),
    )  # fmt: skip


def test_the_last_rows_become_requests(dataset: Dataset) -> None:
    assert sample_rows(dataset, SIGNATURE) == [
        {"distance": 1400, "carrier": "UA", "at": "2013-01-01T12:00:00Z"},
        {"distance": 0.5, "carrier": None, "at": "2013-01-01T12:01:30Z"},
        {"distance": None, "carrier": "B6", "at": None},
    ]


def test_requests_are_json(dataset: Dataset) -> None:
    rows = sample_rows(dataset, SIGNATURE, rows=4)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


@pytest.mark.parametrize(("wanted", "given"), [(0, 0), (1, 1), (4, 4), (99, 4)])
def test_there_are_never_more_rows_than_the_dataset_has(
    dataset: Dataset, wanted: int, given: int
) -> None:
    assert len(sample_rows(dataset, SIGNATURE, rows=wanted)) == given


def test_only_fields_of_the_signature_are_shown(dataset: Dataset) -> None:
    fewer = SIGNATURE.model_copy(update={"columns": SIGNATURE.columns[:1]})
    assert sample_rows(dataset, fewer, rows=1) == [{"distance": None}]
