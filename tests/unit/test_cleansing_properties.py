"""Cleansing under 10,000 generated frames per function: nothing is lost, nothing crashes."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.contracts import ColumnRule, Problem
from noria.core.afterwards import known_afterwards
from noria.core.cleansing import cleanse
from noria.core.dataset import is_missing
from noria.core.filling import fill_of, filled
from noria.core.inference import missing, typed_column, without_marks
from noria.core.outliers import outliers
from noria.core.schemas import schema_drift
from noria.core.spelling import tidy
from noria.core.tabulating import to_dataset
from noria.core.times import TimeReading, guess, read_times
from noria.core.units import in_unit
from noria.errors import DataError
from tests.unit.data_frames import adds_up, problem

many = settings(max_examples=10_000, deadline=None)
TEXTS = [
    "1", "2", " 3 ", "1,5", "1.5e3", "1e400", "99999999999999999999", "-0", "0x1f", "١٢", "½",
    "yes", "No", "TRUE", "t", "NA", "null", "", " ", "None", "\u200b", "n/a", "-999",
    "2024-01-01", "2024-13-45", "01/02/2024", "31.12.1999 23:59", "24:00", "0000-00-00",
    "9999-12-31T23:59:59.999999999Z", "2024-02-30", "1 Jan 0001", "Jan", "5 km", "5 mi", "3 kg",
    "70 °F", "km", "9^9 m", "EWR", "ewr", "Éa", "E\u0301a", "ß", "SS", "\x00", "🙂", "a" * 60,
    "=1+1", "';--", "<b>", "\ud7ff", "Ǆ", "İ", "\uff11\uff12",
]  # fmt: skip
cells = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.integers(-3, 3)
    | st.floats() | st.floats(-5, 5) | st.text(max_size=5) | st.sampled_from(TEXTS)
    | st.datetimes() | st.dates() | st.decimals(allow_nan=False)
)  # fmt: skip
one_type = st.sampled_from([
    st.sampled_from(TEXTS), st.integers(-3, 3), st.floats(), st.booleans() | st.none(),
    st.datetimes(), cells, st.none() | st.sampled_from(["a", "A", "b", "B "]),
]).flatmap(lambda cell: st.lists(cell, min_size=1, max_size=14))  # fmt: skip
rules = st.fixed_dictionaries(
    {},
    optional={
        "minimum": st.sampled_from([-1, 0, 1e300]),
        "allowed": st.lists(st.sampled_from(["a", "EWR", 1, 2.5, True]), max_size=3),
        "missing_values": st.lists(st.sampled_from([-999, 0, "n/a", "a", "x"]), max_size=2),
        "case": st.sampled_from(["merge", "keep"]),
    },
) | st.sampled_from(
    [
        {"type": "int"}, {"type": "float", "maximum": 3}, {"type": "bool"}, {"type": "text"},
        {"type": "category", "pattern": "[A-Z]+"}, {"type": "timestamp"}, {"required": True},
        {"format": ["%d/%m/%Y", "epoch_ms"]}, {"timezone": "Europe/Berlin"}, {"unit": "km"},
        {"unit": "degC", "source_unit": "degF"}, {"aliases": {"EWR": ["Newark", "ewr"]}},
        {"type": "bool", "aliases": {"true": ["ja"]}}, {"missing": "quarantine"},
    ]
)  # fmt: skip


def series(values: list[Any]) -> pd.Series:
    return pd.Series(values, name="c")


@many
@given(one_type.map(series), rules)
def test_any_column_has_a_type(values: pd.Series, rule: dict[str, Any]) -> None:
    column = typed_column(values, ColumnRule.model_validate(rule))
    assert len(column.values) == len(column.unreadable) == len(values)
    assert column.unreadable.dtype == bool
    assert column.values[column.unreadable].isna().all()
    readable = ~column.unreadable & ~missing(without_marks(values, rule.get("missing_values", ())))
    assert column.values[readable].notna().all()
    if column.kind == "number":
        present = column.values.dropna().astype("float64")
        assert np.isfinite(present.astype(np.float32)).all()
    if column.kind == "timestamp":
        assert str(column.values.dtype) == "datetime64[us, UTC]"


@many
@given(one_type.map(series), st.sampled_from([None, TimeReading(zone="America/New_York"),
       TimeReading(("%d/%m/%Y %H:%M", "epoch_s", "ISO8601"), "Asia/Kolkata")]))  # fmt: skip
def test_any_values_are_times_or_none(values: pd.Series, reading: TimeReading | None) -> None:
    times = read_times(values, reading)
    assert str(times.dtype) == "datetime64[us, UTC]"
    assert times.index.equals(values.index)
    assert times[values.isna()].isna().all()


@many
@given(st.lists(st.sampled_from(TEXTS) | st.text(max_size=12), max_size=8))
def test_any_texts_are_guessed_or_not(texts: list[str]) -> None:
    found = guess(texts)
    if found.reading is not None:
        read = read_times(pd.Series(texts, dtype="object"), found.reading)
        assert read.notna().mean() >= 0.98


@many
@given(one_type.map(series), st.sampled_from([("km", None), ("degC", "degF"), ("kg", "lb")]))
def test_any_values_are_measures_or_unreadable(
    values: pd.Series, units: tuple[str, str | None]
) -> None:
    measured = in_unit(values, *units)
    assert measured.numbers.dtype == np.float64
    assert (measured.numbers.notna() | measured.unreadable | values.isna()).all()
    assert not (measured.unreadable & measured.numbers.notna()).any()


@many
@given(one_type.map(series), st.lists(st.sampled_from([-999, 0, 1.5, "a", "n/a"]), max_size=3))
def test_marks_only_ever_blank_values(values: pd.Series, marks: list[Any]) -> None:
    blanked = without_marks(values, marks)
    kept = blanked.notna()
    assert blanked[kept].astype("object").tolist() == values[kept].astype("object").tolist()
    texts = {str(mark) for mark in marks}
    present = blanked[~missing(blanked)]
    assert not any(tidy(value) in texts for value in present if isinstance(value, str))


@many
@given(
    st.lists(st.floats(-1e30, 1e30) | st.just(np.nan), min_size=1, max_size=40),
    st.floats(0.1, 50),
)
def test_outliers_lie_beyond_their_fences(values: list[float], limit: float) -> None:
    frame = pd.DataFrame({"x": np.array(values, dtype=np.float64)})
    table, found = outliers(frame, {"x": "number"}, limit)
    assert len(table) == sum(item["flagged"] for item in found)
    if found:
        low, high = found[0]["low"], found[0]["high"]
        beyond = (frame["x"] < low) | (frame["x"] > high)
        assert table["row"].tolist() == np.flatnonzero(beyond).tolist()


schema = st.dictionaries(st.text(max_size=4), st.sampled_from(["int64", "double", "string"]))


@many
@given(schema, schema)
def test_a_schema_differs_from_another_by_what_is_told(
    before: dict[str, str], now: dict[str, str]
) -> None:
    told = schema_drift({"s": before}, {"s": now})
    assert (told == []) == (before == now)
    assert len(told) == len(before.items() ^ now.items()) - sum(
        name in now and now[name] != kind for name, kind in before.items()
    )


@many
@given(
    st.sampled_from(["number", "category", "timestamp"]),
    st.sampled_from(["keep", "median", "mean", "most_frequent", {"value": 0}, {"value": "x"}]),
    st.lists(st.sampled_from([0, 1, 2, None]), min_size=1, max_size=9),
)
def test_filling_leaves_what_is_known(kind: Any, rule: Any, values: list[int | None]) -> None:
    contract = problem(quality={"columns": {"c": {"missing": rule}}})
    empty = {"number": np.nan, "category": "", "timestamp": np.iinfo(np.int64).min}[kind]
    plain = {"number": np.float32, "category": np.str_, "timestamp": np.int64}[kind]
    array = np.array([empty if v is None else v for v in values]).astype(plain)
    try:
        fill = fill_of("c", kind, array, contract)
    except DataError as error:
        assert "quality.columns.c.missing" in str(error)
        return
    known = ~is_missing(kind, array)
    assert (filled(array, kind, fill)[known] == array[known]).all()
    assert fill is None or not is_missing(kind, filled(array, kind, fill)).any()


@many
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_columns_known_afterwards_are_fuller_with_a_target(rows: list[tuple[bool, bool]]) -> None:
    values = pd.DataFrame({"c": [1.0 if filled_in else None for filled_in, _ in rows]}, dtype=float)
    target = pd.Series([1.0 if known else None for _, known in rows], dtype=float)
    if known_afterwards(values, target, ["c"], 0.5):
        present = values["c"].notna()
        assert present[target.notna()].mean() > present[target.isna()].mean()


TABLE_ROWS = 11
columns = st.sampled_from(
    [cells, st.sampled_from(TEXTS), st.integers(0, 2), st.floats(-3, 3), st.sampled_from("ab")]
).flatmap(lambda cell: st.lists(cell, min_size=TABLE_ROWS, max_size=TABLE_ROWS))
tables = st.fixed_dictionaries({"y": columns, "a": columns, "b": columns, "t": columns})


@st.composite
def contracts(draw: st.DrawFn) -> Problem:
    quality = {
        "minimum_rows": 10,
        "maximum_quarantined": draw(st.sampled_from([0.05, 1])),
        "columns": {"a": draw(rules)} if draw(st.booleans()) else {},
        "unique": draw(st.sampled_from([[], ["b"], ["a", "t"]])),
        "checks": draw(st.sampled_from([[], ["a <= b"], ["a == 'a' or b > 1"], ["a + b < 3"]])),
        "outliers": draw(st.sampled_from([None, 3.5])),
    }
    time = draw(st.sampled_from([None, "t", "t + hours(1)"]))
    return problem(
        draw(st.sampled_from(["binary", "multiclass", "regression"])),
        quality=quality, event_time=time, entity_key=["b"] if draw(st.booleans()) else [],
    )  # fmt: skip


@many
@given(tables, contracts())
def test_rows_in_are_rows_out_and_rows_quarantined(
    table: dict[str, list[Any]], contract: Problem
) -> None:
    frame = pd.DataFrame(table)
    cleansing = cleanse(frame, contract)
    assert adds_up(cleansing, TABLE_ROWS)
    assert (cleansing.quarantined["broken_rule"] != "").all()
    verdict = json.loads(cleansing.verdict.model_dump_json())
    assert verdict["reasons"]
    if cleansing.verdict.decision == "usable":
        assert verdict["evidence"]["accepted"] == len(cleansing.accepted) >= 10
        try:
            dataset = to_dataset(
                cleansing.accepted, contract, cleansing.columns, cleansing.spellings
            )
        except DataError as error:
            assert "no feature is left" in str(error)
            return
        assert len(dataset) == len(cleansing.accepted)


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_almost_nothing(rows: int) -> None:
    frame = pd.DataFrame({"y": [1] * rows, "a": ["x"] * rows})
    cleansing = cleanse(frame, problem())
    assert cleansing.verdict.decision == "unusable"
    assert adds_up(cleansing, rows)
