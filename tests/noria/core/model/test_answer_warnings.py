"""Warnings name what of a request is unlike training, and stay few and fast."""

import time
from typing import Any

import numpy as np

from noria.core.data.dataset import Column, Dataset
from noria.core.model.answer_warnings import AnswerWarning, TrainingLimits
from noria.core.model.row_reader import RowReader
from noria.core.model.signature import Field, Signature
from noria.core.training.signatures import field_of

FIELDS = (
    Field(name="distance", kind="number", minimum=-3, maximum=4.5, missing=0.1),
    Field(name="carrier", kind="category", values=("AA", "UA"), further=("DL",), distinct=3,
          spellings={"American": "AA"}, missing=0.2),
    Field(name="city", kind="category", values=("Rome",), distinct=5_000, missing=0.5),
    Field(name="seats", kind="number", minimum=1, maximum=400, data_type="integer"),
    Field(name="age", kind="number", minimum=0, maximum=90, fill=30.0),
    Field(name="departure", kind="timestamp", minimum=0, maximum=1e9),
    Field(name="note", kind="text"),
)  # fmt: skip
USUAL = {"distance": 1, "carrier": "AA", "city": "Rome", "seats": 2, "departure": 5, "note": "a"}


def signature_with(*fields: Field) -> Signature:
    return Signature(
        problem="p", task="regression", target="y", metric="rmse", recipe="basic",
        candidate="ridge", columns=fields,
    )  # fmt: skip


def warned(*changes: dict[str, Any], fields: tuple[Field, ...] = FIELDS) -> list[AnswerWarning]:
    signature = signature_with(*fields)
    usual = {one.name: USUAL[one.name] for one in fields if one.name in USUAL}
    rows = [usual | change for change in changes]
    return TrainingLimits(signature).warnings(inputs_of(signature, rows))


def inputs_of(signature: Signature, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return RowReader(signature).inputs(rows)


def test_what_training_saw_is_no_warning() -> None:
    assert warned({}) == []
    seen = {"carrier": "American", "distance": -3, "seats": 400}
    assert warned(seen, {"carrier": "DL", "distance": 4.5}, {"carrier": None}) == []


def test_a_value_outside_the_range_is_told_with_its_end() -> None:
    [found] = warned({}, {"distance": 4.75}, {"distance": -9})
    assert found == {
        "field": "distance", "warning": "out_of_range", "count": 2, "rows": [1, 2],
        "message": "row 1, field 'distance': 4.75 is above 4.5, the largest that training saw "
                   "(2 rows such)",
    }  # fmt: skip
    rounded = Field(name="distance", kind="number", minimum=0, maximum=float(np.float32(86.3)))
    [found] = warned({"distance": 90.1}, fields=(rounded,))
    assert found["message"].startswith("row 0, field 'distance': 90.1 is above 86.3, the largest")
    [found] = warned({"seats": 0})
    assert found["message"] == "row 0, field 'seats': 0 is below 1, the smallest that training saw"


def test_an_unseen_category_is_told_where_all_that_were_seen_are_known() -> None:
    [found] = warned({}, {"carrier": "ZZ", "city": "Oslo"})
    assert (found["field"], found["warning"], found["rows"]) == ("carrier", "unseen_category", [1])
    assert found["message"] == "row 1, field 'carrier': 'ZZ' was not seen in training"


def test_what_training_always_had_is_missed() -> None:
    absent = dict.fromkeys(("seats", "age", "departure", "note", "distance"))
    found = {one["field"]: one for one in warned(absent, {})}
    assert set(found) == {"seats", "departure", "note"}  # a fill stands in for the age
    assert found["seats"]["warning"] == "missing"
    assert found["seats"]["count"] == 1
    assert "missing, which it never was in training" in found["seats"]["message"]


def test_warnings_are_few_however_many_fields_and_rows() -> None:
    wide = tuple(Field(name=f"n{i}", kind="number", minimum=0, maximum=1) for i in range(50))
    signature = signature_with(*wide)
    rows = [{one.name: 7 for one in wide}] * 1000
    found = TrainingLimits(signature).warnings(inputs_of(signature, rows))
    assert len(found) == 20
    assert all(one["count"] == 1000 for one in found[:19])
    assert all(len(one["rows"]) == 5 for one in found[:19])
    assert found[-1]["warning"] == "more"
    assert found[-1]["count"] == 31


def test_training_says_which_categories_there_are() -> None:
    texts = np.array([f"k{i % 90}" for i in range(900)])
    codes = np.array([f"id{i}" for i in range(900)] * 3)
    few = Dataset((Column("x", "category"),), {"x": texts}, np.zeros(900), (), np.zeros(900))
    many = Dataset((Column("x", "category"),), {"x": codes}, np.zeros(2700), (), np.zeros(2700))
    field = field_of(few, "x")
    assert (len(field.values), len(field.further), field.distinct) == (50, 40, 90)
    assert field.seen_texts == {"", *texts.tolist()}
    assert field_of(many, "x").seen_texts == {"", *codes.tolist()}
    beyond = np.array([f"id{i}" for i in range(2_001)])
    unknown = Dataset(
        (Column("x", "category"),), {"x": beyond}, np.zeros(2_001), (), np.zeros(2_001)
    )
    assert field_of(unknown, "x").seen_texts is None


def test_a_thousand_rows_take_milliseconds() -> None:
    """GIVEN 33 fields THEN looking at 1,000 rows takes less than scoring them does."""
    numbers = [Field(name=f"n{i}", kind="number", minimum=-9, maximum=9) for i in range(20)]
    texts = [
        Field(name=f"c{i}", kind="category", values=tuple("abcdef"), distinct=6) for i in range(13)
    ]
    signature = signature_with(*numbers, *texts)
    draws = np.random.default_rng(0)
    columns: dict[str, Any] = {one.name: draws.normal(size=1000).tolist() for one in numbers}
    columns |= {one.name: draws.choice(list("abcdef"), 1000).tolist() for one in texts}
    columns["c0"][7] = "z"
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    inputs, limits = inputs_of(signature, rows), TrainingLimits(signature)
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        found = limits.warnings(inputs)
        taken.append(time.perf_counter() - start)
    assert [one["field"] for one in found] == ["c0"]
    assert min(taken) < 0.01
