"""Cleansing: every row is accepted or quarantined, and every verdict says why."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.contracts import Problem
from noria.core.cleansing import cleanse
from noria.core.joining import join_sources
from noria.core.quality import DUPLICATE, UNLABELLED
from noria.core.tabulating import to_dataset
from noria.errors import DataError
from tests.unit.data_frames import FLIGHTS, adds_up, bundled, flights, numbers, problem


def decided(frame: pd.DataFrame, contract: Problem) -> tuple[str, str]:
    """The decision and all reasons as one text; the counts always add up."""
    cleansing = cleanse(frame, contract)
    assert adds_up(cleansing, len(frame))
    assert list(cleansing.quarantined.columns) == [*frame.columns, "broken_rule"]
    cleansing.verdict.model_dump_json()
    return cleansing.verdict.decision, "\n".join(cleansing.verdict.reasons)


@pytest.mark.parametrize(
    ("name", "task"),
    [("breast_cancer", "binary"), ("diabetes", "regression"), ("wine", "multiclass")],
)
def test_real_sets_are_usable_as_they_are(name: str, task: str) -> None:
    frame = bundled(name)
    cleansing = cleanse(frame, problem(task))
    assert cleansing.verdict.decision == "usable"
    assert len(cleansing.accepted) == len(frame)
    assert cleansing.columns["y"] == "target"


def test_the_flights_lose_only_cancelled_ones() -> None:
    joined = join_sources(flights(8000), Problem.parse(FLIGHTS))
    cleansing = cleanse(joined, Problem.parse(FLIGHTS))
    assert cleansing.verdict.decision == "usable"
    assert adds_up(cleansing, len(joined))
    assert set(cleansing.quarantined["broken_rule"]) == {UNLABELLED}
    assert cleansing.quarantined["arr_delay"].isna().all()
    assert {"year", "wind_gust", "speed"} <= set(cleansing.verdict.evidence["dropped_columns"])


def test_rules_quarantine_rows_and_name_themselves() -> None:
    frame = numbers(200).assign(origin="EWR", level="1")
    frame["origin"] = np.where(frame.index % 2 == 0, "EWR", "JFK")
    frame["level"] = (frame.index % 3).astype(str)
    frame.loc[0, "origin"] = "LHR"
    frame.loc[1, "x"] = -99
    frame.loc[2, "level"] = "high"
    frame.loc[3, "noise"] = None
    columns = {
        "origin": {"allowed": ["EWR", "JFK"]},
        "x": {"minimum": -50, "maximum": 50},
        "level": {"type": "int"},
        "noise": {"required": True},
    }
    contract = problem(quality={"minimum_rows": 10, "columns": columns})
    cleansing = cleanse(frame, contract)
    assert cleansing.verdict.decision == "usable"
    assert cleansing.quarantined["broken_rule"].tolist() == [
        "origin is not one of EWR, JFK",
        "x is below the minimum -50",
        "level is not of type int",
        "noise is missing but required",
    ]
    assert cleansing.quarantined["level"].iloc[2] == "high"
    strict = problem(quality={"minimum_rows": 10, "columns": columns, "on_violation": "fail"})
    assert decided(frame, strict)[0] == "unusable"


def test_too_many_broken_rows_are_unusable_but_unlabelled_ones_are_not() -> None:
    frame = numbers(100)
    frame.loc[:9, "x"] = 1e6
    contract = problem(quality={"minimum_rows": 10, "columns": {"x": {"maximum": 100}}})
    decision, reasons = decided(frame, contract)
    assert decision == "unusable"
    assert "10.0% of the 100 rows break a rule" in reasons
    unlabelled = numbers(100).astype({"y": "float64"})
    unlabelled.loc[:49, "y"] = None
    assert decided(unlabelled, problem())[0] == "usable"


def events(**changes: list[Any]) -> pd.DataFrame:
    frame = numbers(60).assign(who=[f"e{n % 7}" for n in range(60)])
    frame["at"] = pd.date_range("2024-01-01", periods=60, freq="h", tz="UTC").astype(str)
    return frame.assign(**changes)


def test_duplicates_by_key_and_time() -> None:
    contract = problem(entity_key=["who"], event_time="at")
    frame = pd.concat([events(), events().head(20)], ignore_index=True)
    cleansing = cleanse(frame, contract)
    assert cleansing.verdict.decision == "usable"
    assert cleansing.verdict.evidence["rules"] == {DUPLICATE: 20}
    clash = events().head(1).assign(x=99.0)
    cleansing = cleanse(pd.concat([events(), clash], ignore_index=True), contract)
    assert len(cleansing.quarantined) == 2
    assert "same key and time" in cleansing.quarantined["broken_rule"].iloc[0]
    corrected = pd.concat([events().head(1).assign(y=None), events()], ignore_index=True)
    assert cleanse(corrected, contract).verdict.evidence["rules"] == {UNLABELLED: 1}


def test_event_times_that_cannot_be_read_are_quarantined() -> None:
    frame = events()
    frame.loc[0, "at"] = "yesterday"
    frame.loc[1, "at"] = None
    cleansing = cleanse(frame, problem(event_time="at"))
    assert set(cleansing.quarantined["broken_rule"]) == {
        "event time 'at' is missing or not a timestamp"
    }
    assert cleansing.columns["at"] == "timestamp"


def test_columns_that_cannot_help_are_dropped_and_named() -> None:
    frame = numbers(100).assign(
        empty=None, same="k", sparse=[1.0] * 10 + [None] * 90, name=[f"n{i}" for i in range(100)]
    )
    cleansing = cleanse(frame, problem())
    dropped = cleansing.verdict.evidence["dropped_columns"]
    assert dropped["empty"] == "all values are missing"
    assert dropped["same"] == "the same value in every row"
    assert dropped["sparse"].startswith("90.0% missing")
    assert cleansing.columns["name"] == "identifier"
    assert cleansing.verdict.evidence["identifiers"] == ["name"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", " 3 "], "number"),
        (["1", "2"] * 60 + ["n/a"], "number"),
        (["1"] * 120 + ["oops"], "number"),
        (["02134", "10001"], "category"),
        (["yes", "No"], "bool"),
        ([True, None], "bool"),
        (["2024-01-02", "2024-01-02T03:04:05+02:00"], "timestamp"),
        (["2024-01-02", "soon"], "category"),
        ([1, "b"], "category"),
        ([1, 2], "number"),
    ],
)
def test_types_are_inferred(values: list[Any], kind: str) -> None:
    column = (values * 200)[:240]
    cleansing = cleanse(numbers(240).assign(c=column), problem())
    assert cleansing.verdict.evidence["types"]["c"] == kind


def test_stray_text_among_numbers_is_named() -> None:
    frame = numbers(200).assign(price=["7", "8.5"] * 99 + ["12O", "9"])
    decision, reasons = decided(frame, problem())
    assert decision == "usable"
    assert "price: 1 values are no number ('12O') and count as missing" in reasons


def with_target(values: list[Any]) -> pd.DataFrame:
    return numbers(120).assign(y=(values * 120)[:120])


@pytest.mark.parametrize(
    ("task", "values", "changes", "words"),
    [
        ("binary", ["a"], {}, "only class 'a'"),
        ("binary", [None], {}, "0 rows are left"),
        ("binary", ["a", "b", "c"], {}, "has 3 classes"),
        ("multiclass", [f"c{i}" for i in range(120)], {}, "120 classes in 120 rows"),
        ("multiclass", [i + 0.5 for i in range(120)], {}, "continuous"),
        ("binary", ["a", "b"], {"positive_class": "yes"}, "positive_class 'yes' is not among"),
        ("regression", ["a", "b"], {}, "target 'y' is not numeric"),
        ("regression", [3], {}, "3 in every row"),
        ("binary", [0, 1], {"target": "z"}, "column 'z', which is in no source"),
        ("binary", [0, 1], {"target": "nois"}, "did you mean 'noise'?"),
        (
            "binary",
            [0, 1],
            {"features": {"exclude": ["nose"]}},
            "features.exclude names column 'nose'",
        ),
        ("binary", [0, 1], {"baseline": {"rule": "xx > 1"}}, "baseline.rule"),
        ("binary", [0, 1], {"event_time": "at"}, "event_time"),
        ("binary", [0, 1], {"entity_key": ["id"]}, "entity_key"),
        ("binary", [0, 1], {"target": {"name": "t", "expression": "word > 3"}}, "word > 3"),
        ("binary", [0, 1], {"quality": {"minimum_rows": 500}}, "quality.minimum_rows is 500"),
    ],
)
def test_what_cannot_be_learnt_is_unusable(
    task: str, values: list[Any], changes: dict[str, Any], words: str
) -> None:
    frame = with_target(values).assign(word=["p", "q"] * 60)
    decision, reasons = decided(frame, problem(task, **changes))
    assert decision == "unusable"
    assert words in reasons


@pytest.mark.parametrize(
    ("values", "positive", "classes"),
    [
        ([True, False], True, ("false", "true")),
        (["yes", "no"], True, ("no", "yes")),
        (["yes", "no"], "no", ("yes", "no")),
        ([0, 1], 1, ("0", "1")),
        ([0.0, 1.0], 0, ("1", "0")),
        (["M", "B"], "M", ("B", "M")),
        ([10, 9], None, ("9", "10")),
    ],
)
def test_the_positive_class_comes_last(
    values: list[Any], positive: Any, classes: tuple[str, ...]
) -> None:
    contract = problem(positive_class=positive)
    frame = with_target(values)
    cleansing = cleanse(frame, contract)
    assert cleansing.verdict.decision == "usable"
    assert to_dataset(cleansing.accepted, contract, cleansing.columns).classes == classes


cells = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["1", "2", "yes", "no", "2024-01-01", "NA", "1e400", "99999999999999999999"])
    | st.datetimes()
)  # fmt: skip
columns = st.lists(cells, min_size=12, max_size=12)


@given(
    st.fixed_dictionaries({"y": columns, "a": columns, "b": columns, "t": columns}),
    st.sampled_from(["binary", "multiclass", "regression"]),
    st.sampled_from([None, "int", "float", "bool", "timestamp", "category", "text"]),
    st.sampled_from([None, "t", "t + hours(1)"]),
)
@settings(max_examples=250, deadline=None)
def test_any_table_adds_up_and_has_a_verdict(
    table: dict[str, list[Any]], task: str, declared: str | None, time: str | None
) -> None:
    rule = {"type": declared} if declared else {"minimum": 0}
    quality = {"minimum_rows": 10, "maximum_quarantined": 1, "columns": {"a": rule}}
    contract = problem(task, quality=quality, event_time=time, entity_key=["b"] if time else [])
    frame = pd.DataFrame(table)
    cleansing = cleanse(frame, contract)
    assert adds_up(cleansing, len(frame))
    cleansing.verdict.model_dump_json()
    if cleansing.verdict.decision == "usable":
        try:
            dataset = to_dataset(cleansing.accepted, contract, cleansing.columns)
        except DataError as error:
            assert "no feature is left" in str(error)
            return
        assert len(dataset) == len(cleansing.accepted)
        assert 0 < dataset.holdout.sum() < len(dataset) or len(np.unique(dataset.target)) < 2


@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.sampled_from(["u", "v", None]), st.booleans()),
        min_size=20, max_size=60,
    )
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_typed_tables_add_up(rows: list[tuple[int, str | None, bool]]) -> None:
    frame = pd.DataFrame(rows, columns=["x", "kind", "y"])
    rules = {"x": {"minimum": -2, "type": "int"}, "kind": {"allowed": ["u"]}}
    cleansing = cleanse(frame, problem(quality={"minimum_rows": 10, "columns": rules}))
    assert adds_up(cleansing, len(frame))
    bad = (frame["x"] < -2) | (frame["kind"] == "v")
    if "y" in cleansing.columns:
        assert len(cleansing.quarantined) == int(bad.sum())
