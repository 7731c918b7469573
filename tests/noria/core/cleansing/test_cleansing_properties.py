"""What each function of cleansing keeps to, under 10,000 generated columns each."""

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from noria.common.categories import tidy, without_case
from noria.contracts import ColumnRule, Quality
from noria.core.cleansing.imputation import fill_value, impute
from noria.core.cleansing.outliers import outliers
from noria.core.cleansing.post_outcome_columns import post_outcome_columns
from noria.core.cleansing.schema_drift import schema_drift
from noria.core.column_types.cell_values import missing_cells
from noria.core.column_types.timestamp_parsing import TimeReading, read_times
from noria.core.column_types.type_inference import typed_column, without_marks
from noria.core.column_types.units import in_unit
from noria.core.data.dataset import is_missing
from noria.errors import DataError
from tests.support.data_frames import problem
from tests.support.examples import examples

many = examples(10_000, quick=60)
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
]).flatmap(lambda cell: st.lists(cell, min_size=1, max_size=6))  # fmt: skip
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
        {"type": "bool", "aliases": {"true": ["ja"]}}, {"missing": "quarantine"}, {"decimal": ","},
        {"unit": "km", "decimal": ","},
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
    unmarked = without_marks(values, rule.get("missing_values", ()))
    missing = missing_cells(unmarked, column.marks)
    readable = ~column.unreadable & ~missing
    assert column.values[readable].notna().all()
    assert column.values[missing].isna().all()
    for was, now in zip(values[readable], column.values[readable], strict=True):
        assert is_the_same(was, now, column.kind, rule)


def is_the_same(was: Any, now: Any, kind: str, rule: dict[str, Any]) -> bool:
    """Whether a value was read as what it says, where that can be said without reading it."""
    if kind == "number":
        plain = isinstance(was, int | float) and not isinstance(was, bool) and "unit" not in rule
        return bool(np.isfinite(np.float64(now))) and (not plain or float(now) == float(was))
    if kind == "bool":
        return now in (0, 1) and (not isinstance(was, bool) or now == was)
    if kind in ("category", "text") and isinstance(was, str) and "aliases" not in rule:
        return without_case(now) == without_case(tidy(was))
    if kind == "timestamp":
        return str(now.tz) == "UTC"
    return True


@many
@given(one_type.map(series), st.sampled_from([None, TimeReading(zone="America/New_York"),
       TimeReading(("%d/%m/%Y %H:%M", "epoch_s", "ISO8601"), "Asia/Kolkata")]))  # fmt: skip
def test_any_values_are_times_or_none(values: pd.Series, reading: TimeReading | None) -> None:
    times = read_times(values, reading)
    assert str(times.dtype) == "datetime64[us, UTC]"
    assert times.index.equals(values.index)
    assert times[values.isna()].isna().all()


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
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=6),
    st.sampled_from([("km", "mi"), ("degC", "degF"), ("kg", "lb"), ("m/s", "km/h"), ("l", "gal")]),
)
def test_units_are_converted_there_and_back(values: list[float], units: tuple[str, str]) -> None:
    """And a number with its unit written behind it is that number in that unit."""
    mine, theirs = units
    there = in_unit(pd.Series(values), mine, theirs).numbers
    back = in_unit(there, theirs, mine).numbers
    np.testing.assert_allclose(back, values, rtol=1e-12, atol=1e-9)
    written = pd.Series([f"{value!r} {theirs}" for value in values])
    np.testing.assert_array_equal(in_unit(written, mine).numbers, there)
    np.testing.assert_allclose(in_unit(written, theirs).numbers, values, rtol=1e-12, atol=1e-9)


@many
@given(one_type.map(series), st.lists(st.sampled_from([-999, 0, 1.5, "a", "n/a"]), max_size=3))
def test_marks_blank_what_they_name_and_nothing_else(values: pd.Series, marks: list[Any]) -> None:
    blanked = without_marks(values, marks)
    kept = blanked.notna()
    assert blanked[kept].astype("object").tolist() == values[kept].astype("object").tolist()
    texts, numbers = {str(mark) for mark in marks}, {m for m in marks if not isinstance(m, str)}
    present = blanked[~missing_cells(blanked)]
    assert not any(tidy(value) in texts for value in present if isinstance(value, str))
    for value in values[~kept & values.notna()]:
        plain = tidy(str(value))
        assert plain in texts or float(plain) in numbers


SPELLED = ["Rome", "ROME", " rome", "Roma", "ROMA", "RM", "Oslo", "oslo", "OSL", "Kristiania", "x"]


@many
@given(
    st.lists(st.sampled_from(SPELLED), min_size=1, max_size=8),
    st.dictionaries(st.sampled_from(["Roma", "RM", "OSL", "Kristiania"]),
                    st.sampled_from(["Rome", "Oslo"])),
    st.sampled_from(["merge", "keep"]),
)  # fmt: skip
def test_aliases_mean_exactly_what_they_say(
    texts: list[str], meanings: dict[str, str], case: str
) -> None:
    key = without_case if case == "merge" else str
    aliases = {kept: [other for other, mine in meanings.items() if mine == kept]
               for kept in set(meanings.values())}  # fmt: skip
    rule = ColumnRule.model_validate({"type": "category", "aliases": aliases, "case": case})
    column = typed_column(pd.Series(texts), rule)
    meant = {key(other): kept for other, kept in meanings.items()} | {key(k): k for k in aliases}
    for was, now in zip(texts, column.values, strict=True):
        plain = tidy(was)
        assert now == meant[key(plain)] if key(plain) in meant else key(now) == key(plain)
        assert now == plain or column.merged[plain] == now
    if case == "merge":
        assert len(set(column.values)) == len({without_case(text) for text in column.values})


@many
@given(
    st.lists(st.floats(-1e30, 1e30) | st.just(np.nan), min_size=1, max_size=24),
    st.floats(0.1, 50),
)
def test_outliers_lie_beyond_their_fences(values: list[float], limit: float) -> None:
    frame = pd.DataFrame({"x": np.array(values, dtype=np.float64)})
    table, found = outliers(frame, {"x": "number"}, Quality(outliers=limit))
    assert len(table) == sum(item["flagged"] for item in found)
    if found:
        low, high = found[0]["low"], found[0]["high"]
        assert low <= np.nanmedian(values) <= high
        beyond = (frame["x"] < low) | (frame["x"] > high)
        assert table["row"].tolist() == np.flatnonzero(beyond).tolist()


schema = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["int64", "double", "string"]))


@many
@given(schema, schema)
def test_a_schema_differs_from_another_by_what_is_told(
    before: dict[str, str], now: dict[str, str]
) -> None:
    told = schema_drift({"s": before}, {"s": now})
    for name in "abcde":
        mine = [sentence for sentence in told if f"source 's': column {name!r}" in sentence]
        was, is_now = before.get(name), now.get(name)
        assert len(mine) == (was != is_now)
        assert all(kind in mine[0] for kind in (was, is_now) if mine and kind is not None)
    assert len(told) == sum(before.get(name) != now.get(name) for name in "abcde")


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
    known = ~is_missing(kind, array)
    try:
        fill = fill_value("c", kind, array, contract)
    except DataError as error:
        assert "quality.columns.c.missing" in str(error)
        return
    after = impute(array, kind, fill)
    assert (after[known] == array[known]).all()
    assert fill is None or (after[~known] == np.array(fill).astype(plain)).all()
    present = [value for value in values if value is not None]
    if kind == "number" and present and isinstance(rule, str) and rule != "keep":
        expected = {"median": np.median, "mean": np.mean,
                    "most_frequent": lambda some: max(sorted(some), key=some.count)}  # fmt: skip
        assert fill == expected[rule](present)


@many
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20))
def test_columns_known_afterwards_are_fuller_with_a_target(rows: list[tuple[bool, bool]]) -> None:
    values = pd.DataFrame({"c": [1.0 if filled_in else None for filled_in, _ in rows]}, dtype=float)
    target = pd.Series([1.0 if known else None for _, known in rows], dtype=float)
    enough = min(target.isna().sum(), target.notna().sum()) >= 3
    present = values["c"].notna()
    gap = present[target.notna()].mean() - present[target.isna()].mean() if enough else 0.0
    found = post_outcome_columns(values, target, ["c"], late=0.5, fewest=3)
    assert found == (["c"] if gap >= 0.5 else [])
