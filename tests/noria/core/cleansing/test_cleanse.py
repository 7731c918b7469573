"""Cleansing: every row is accepted or quarantined, and every verdict says why."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.contracts import Problem
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.cleansing.joins import join_sources
from noria.core.cleansing.row_rules import DUPLICATE, UNLABELLED
from noria.core.reporting.report import render_report
from noria.errors import ContractError, DataError
from tests.support.data_frames import FLIGHTS, adds_up, bundled, flights, numbers, problem
from tests.support.examples import examples


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
    assert "the same who and at but" in cleansing.quarantined["broken_rule"].iloc[0]
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
    assert "price: 1 value is no number ('12O'), counted as missing" in reasons


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
        ("regression", [datetime(2026, 5, 1, tzinfo=UTC)], {}, "as a span since another one"),
        ("regression", [3], {}, "3 in every row"),
        ("binary", [0, 1], {"target": "z"}, "column 'z', which is in no source"),
        ("binary", [0, 1], {"target": "nois"}, "did you mean 'noise'?"),
        ("binary", [0, 1], {"target": "\uff4eoise"}, "looks the same and is written in other"),
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
@examples(250, quick=40)
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
@examples(100, quick=40)
def test_typed_tables_add_up(rows: list[tuple[int, str | None, bool]]) -> None:
    frame = pd.DataFrame(rows, columns=["x", "kind", "y"])
    rules = {"x": {"minimum": -2, "type": "int"}, "kind": {"allowed": ["u"]}}
    cleansing = cleanse(frame, problem(quality={"minimum_rows": 10, "columns": rules}))
    assert adds_up(cleansing, len(frame))
    bad = (frame["x"] < -2) | (frame["kind"] == "v")
    if "y" in cleansing.columns:
        assert len(cleansing.quarantined) == int(bad.sum())


def ruled(columns: dict[str, Any], **quality: Any) -> Problem:
    settings = {"minimum_rows": 10, "maximum_quarantined": 1, "columns": columns, **quality}
    return problem(quality=settings)


def test_columns_are_read_as_the_contract_says() -> None:
    frame = numbers(60).assign(
        sold=["31/12/2023", "03/04/2024"] * 30,
        length=["5 mi", "8 km", "6 mi"] * 20,
        city=["NY", " boston"] * 30,
        level=["-999", "3"] * 30,
        ok=["ja", "nein"] * 30,
    )
    columns = {
        "sold": {"format": "%d/%m/%Y", "timezone": "America/New_York"},
        "length": {"unit": "km", "minimum": 8.02},
        "city": {"aliases": {"New York": ["NY"]}, "allowed": ["New York", "Boston"]},
        "level": {"missing_values": [-999], "type": "int"},
        "ok": {"type": "bool", "aliases": {"true": ["ja"], "false": ["nein"]}},
    }
    cleansing = cleanse(frame, ruled(columns, maximum_missing=0.9))
    accepted = cleansing.accepted
    assert cleansing.verdict.decision == "usable"
    assert accepted["sold"].iloc[0].isoformat() == "2023-12-31T05:00:00+00:00"
    assert accepted["length"].iloc[0] == pytest.approx(8.04672)
    assert accepted["city"].tolist() == ["New York", "New York", "Boston", "Boston"] * 10
    assert accepted["level"].isna().tolist() == [True, True, False, False] * 10
    assert accepted["ok"].tolist() == [1.0, 1.0, 0.0, 0.0] * 10
    assert cleansing.verdict.evidence["units"] == {"length": {"mi": 40}}
    assert cleansing.verdict.evidence["spellings"] == {
        "city": {"NY": "New York", "boston": "Boston"}
    }
    assert "20 rows: length is below the minimum 8.02 km (row 2, 5, 8, ...: '8 km')" in (
        "\n".join(cleansing.verdict.reasons)
    )


@pytest.mark.parametrize(
    ("column", "rule", "broken"),
    [
        ("code", {"pattern": "[A-Z]{2}-\\d+"}, "code does not match"),
        ("length", {"unit": "km"}, "length is no km, nor of a unit that converts to it"),
        ("sold", {"format": ["%d.%m.%Y", "%Y"]}, "sold is no time written as %d.%m.%Y, %Y"),
        ("level", {"missing": "quarantine"}, "level is missing but required"),
        ("level", {"missing_values": [7], "required": True}, "level is missing but required"),
        ("sold", {"type": "timestamp", "timezone": "UTC"}, "sold is not of type timestamp"),
    ],
)
def test_each_rule_finds_its_rows(column: str, rule: dict[str, Any], broken: str) -> None:
    frame = numbers(40).assign(
        code=["AB-1"] * 39 + ["ab-1"],
        length=["5 km"] * 39 + ["5 kg"],
        sold=["13.02.2024"] * 39 + ["soon"],
        level=[7.0] * 39 + [None],
    )
    if rule.get("missing_values"):
        frame["level"] = [8.0] * 39 + [7.0]
    cleansing = cleanse(frame, ruled({column: {"case": "keep", **rule}}))
    assert len(cleansing.quarantined) == 1
    assert cleansing.quarantined["broken_rule"].iloc[0].startswith(broken)
    assert any("row 40" in reason for reason in cleansing.verdict.reasons)


def test_checks_hold_between_columns_where_both_are_known() -> None:
    frame = numbers(30).assign(start=1.0, end=2.0)
    frame.loc[3, "end"] = 0.5
    frame.loc[4, "end"] = None
    cleansing = cleanse(frame, ruled({}, checks=["start <= end"]))
    assert cleansing.quarantined["broken_rule"].tolist() == ["not start <= end"]
    decision, reasons = decided(frame, ruled({}, checks=["start <= stop"]))
    assert decision == "unusable"
    assert "quality.checks names column 'stop'" in reasons


def test_a_key_without_time_names_rows() -> None:
    frame = numbers(30).assign(id=[f"k{n}" for n in range(30)])
    repeated = pd.concat([frame, frame.head(2), frame.tail(1).assign(x=9.0)], ignore_index=True)
    cleansing = cleanse(repeated, ruled({}, unique=["id"]))
    assert cleansing.verdict.evidence["rules"] == {
        "another row has the same id but other values": 2,
        DUPLICATE: 2,
    }


def test_spellings_are_merged_unless_they_are_kept() -> None:
    frame = numbers(90).assign(city=["Boston", "Boston", "BOSTON "] * 30)
    frame["town"] = ["Rome", "Oslo", "Bern"] * 30
    merged = cleanse(frame.assign(city=frame["city"].where(frame.index > 0, "Rome")), problem())
    assert merged.accepted["city"].unique().tolist() == ["Rome", "Boston"]
    assert any("'BOSTON' is 'Boston'" in reason for reason in merged.verdict.reasons)
    kept = cleanse(frame, ruled({"city": {"case": "keep"}}))
    assert kept.accepted["city"].unique().tolist() == ["Boston", "BOSTON"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [(["Yes", "yes", "NO"], ("NO", "Yes")), (["Good", "good ", "bad"], ("bad", "Good"))],
)
def test_labels_have_one_spelling(labels: list[str], classes: tuple[str, str]) -> None:
    contract = problem(positive_class=classes[1].upper())
    cleansing = cleanse(with_target(labels), contract)
    assert cleansing.verdict.decision == "usable", cleansing.verdict.reasons
    assert to_dataset(cleansing.accepted, contract, cleansing.columns).classes == classes


def test_a_target_follows_its_rule() -> None:
    frame = numbers(60).assign(y=["5 mi", "8 km", "fast"] * 20)
    contract = problem("regression", quality={
        "minimum_rows": 10, "maximum_quarantined": 1, "columns": {"y": {"unit": "km"}},
    })  # fmt: skip
    cleansing = cleanse(frame, contract)
    assert cleansing.verdict.evidence["unlabelled"] == 20
    assert cleansing.accepted["y"].tolist()[:2] == pytest.approx([8.04672, 8.0])


def test_day_and_month_that_could_be_either_are_asked_for() -> None:
    frame = numbers(60).assign(sold=["03/04/2024", "05/06/2024"] * 30)
    decision, reasons = decided(frame, problem())
    assert decision == "usable"
    assert "declare quality.columns.sold.format" in reasons
    decision, reasons = decided(frame, problem(event_time="sold"))
    assert decision == "unusable"
    assert "declare quality.columns.sold.format" in reasons


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"unit": "parsec2"}, "quality.columns.x.unit: 'parsec2' is no unit"),
        ({"timezone": "Mars/Base"}, "quality.columns.x.timezone: 'Mars/Base' is no IANA"),
        ({"format": "dd.mm"}, "quality.columns.x.format: 'dd.mm' is no format"),
        ({"pattern": "(?=a)"}, "quality.columns.x.pattern: '(?=a)' is no RE2"),
    ],
)
def test_rules_without_meaning_are_unusable(rule: dict[str, Any], told: str) -> None:
    decision, reasons = decided(numbers(30), ruled({"x": rule}))
    assert decision == "unusable"
    assert told in reasons


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"aliases": {"A": ["B"], "B": ["A"]}}, "aliases make 'B' mean 'A', and keep 'B' as a"),
        ({"aliases": {"A": ["b"], "B": ["c"]}}, "aliases make 'b' mean 'A', and keep 'B' as a"),
        ({"aliases": {"A": ["x"], "B": [" X"]}}, "aliases give ' X' two meanings"),
        ({"type": "text", "minimum": 0}, "minimum is for type int or float, not 'text'"),
        ({"type": "bool", "maximum": 1}, "maximum is for type int or float, not 'bool'"),
        ({"timezone": "UTC", "minimum": 0}, "timezone is for type timestamp, minimum for type int"),
        (
            {"unit": "km", "pattern": "a"},
            "unit is for type int or float, pattern for",
        ),
        ({"type": "timestamp", "decimal": ","}, "decimal is for type int or float"),
    ],
)
def test_rules_that_mean_two_things_are_refused(rule: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError, match=r"quality\.columns\.c") as caught:
        ruled({"c": rule})
    assert told in str(caught.value)


def test_aliases_whose_case_counts_are_other_spellings() -> None:
    frame = numbers(60).assign(c=["A", "b", "B", "c"] * 15)
    rule = {"aliases": {"A": ["b"], "B": ["c"]}, "case": "keep"}
    assert cleanse(frame, ruled({"c": rule})).accepted["c"].tolist() == ["A", "A", "B", "B"] * 15
    own = {"aliases": {"A": ["a", "A "], "B": ["b", "C", "c"]}}
    assert cleanse(frame, ruled({"c": own})).accepted["c"].tolist() == ["A", "B", "B", "B"] * 15


def test_what_becomes_of_missing_values_is_recorded() -> None:
    frame = numbers(100)
    frame.loc[:9, "x"] = None
    frame.loc[:4, "noise"] = None
    cleansing = cleanse(frame, ruled({"noise": {"missing": "median"}}))
    assert cleansing.verdict.evidence["missing_rules"] == {
        "x": "10 missing (10.0%), kept as missing: the model's graph handles them",
        "noise": "5 missing (5.0%), filled with the median of the training rows",
    }


def test_columns_written_with_the_outcome_are_named() -> None:
    joined = join_sources(flights(8000), Problem.parse(FLIGHTS))
    late = cleanse(joined, Problem.parse({**FLIGHTS, "features": {"exclude": []}}))
    found = set(late.verdict.evidence["known_afterwards"])
    assert {"dep_time", "dep_delay", "arr_time", "air_time"} <= found
    assert not found & {"distance", "carrier", "temp", "hour", "sched_dep_time"}
    excluded = cleanse(joined, Problem.parse(FLIGHTS))
    assert excluded.verdict.evidence["known_afterwards"] == []


def test_allowed_truths_and_missing_keys_refuse_nobody() -> None:
    frame = numbers(60).assign(b=["yes", "No"] * 30, u=[f"k{n}" for n in range(60)])
    frame.loc[:7, "u"] = None
    cleansing = cleanse(frame, ruled({"b": {"allowed": ["yes", "no"]}}, unique=["u"]))
    assert cleansing.verdict.evidence["rules"] == {}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"minimum": 0}, "quality.columns.w.minimum is for type int or float"),
        ({"unit": "km"}, "quality.columns.w.unit is for type int or float"),
        ({"pattern": "2024.*"}, "quality.columns.w.pattern is for type category or text"),
    ],
)
@pytest.mark.parametrize("event_time", [None, "w"])
def test_times_have_no_limits(rule: dict[str, Any], told: str, event_time: str | None) -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=60, freq="D", tz="UTC"))
    frame = numbers(60).assign(w=times.astype(str) if event_time else times)
    contract = problem(event_time=event_time, quality={"minimum_rows": 10, "columns": {"w": rule}})
    decision, reasons = decided(frame, contract)
    assert decision == "unusable"
    assert f"{told}, and the column holds times: leave it out" in reasons


def test_limits_declare_a_number() -> None:
    """Texts that no limit could be compared with are set aside, rather than let through."""
    frame = numbers(60).assign(level=["n/v", "5", "7", "12"] * 15)
    for rule in ({"minimum": 0}, {"maximum": 100}):
        cleansing = cleanse(frame, ruled({"level": rule}))
        assert cleansing.verdict.evidence["rules"] == {"level is not a number": 15}
        assert set(cleansing.quarantined["level"]) == {"n/v"}
        assert set(cleansing.accepted["level"]) == {5, 7, 12}
    both = cleanse(frame, ruled({"level": {"minimum": 6, "maximum": 10}}))
    assert both.verdict.evidence["rules"] == {
        "level is not a number": 15,
        "level is below the minimum 6": 15,
        "level is above the maximum 10": 15,
    }


@pytest.mark.parametrize(("check", "shown"), [("x + 1", "1.1257"), ("word", "'p'"), ("y", "1")])
def test_a_check_that_is_no_condition_is_refused(check: str, shown: str) -> None:
    frame = numbers(60).assign(word=["p", "q"] * 30)
    decision, reasons = decided(frame, ruled({}, checks=[check]))
    assert decision == "unusable"
    assert f"quality.checks {check!r} is no condition, true or false, but {shown}" in (
        reasons.replace('"', "'")
    )


def test_a_check_may_be_a_column_of_truths() -> None:
    frame = numbers(60).assign(ok=[True, False, None] * 20)
    cleansing = cleanse(frame, ruled({}, checks=["ok", "not ok or x > -99"]))
    assert cleansing.verdict.evidence["rules"] == {"not ok": 20}
    assert len(cleansing.accepted) == 40


@pytest.mark.parametrize("fill", ["median", "mean", {"value": 0}])
def test_a_column_that_is_filled_is_wanted(fill: Any) -> None:
    """Six of ten of the real glucose values are missing, more than quality.maximum_missing."""
    frame = bundled("diabetes")
    frame.loc[frame.index % 5 < 3, "s6"] = None
    frame["empty"] = None
    left = cleanse(frame, problem("regression"))
    assert left.verdict.evidence["dropped_columns"]["s6"].startswith("60.2% missing")
    columns = {"s6": {"missing": fill}, "empty": {"missing": {"value": 0}}}
    contract = problem("regression", quality={"minimum_rows": 10, "columns": columns})
    kept = cleanse(frame, contract)
    assert kept.verdict.evidence["dropped_columns"] == {"empty": "all values are missing"}
    dataset = to_dataset(kept.accepted, contract, kept.columns, kept.spellings)
    known = frame["s6"].notna().to_numpy()
    np.testing.assert_array_equal(dataset.data["s6"][known], frame["s6"][known].astype(np.float32))
    assert len(np.unique(dataset.data["s6"][~known])) == 1


def test_a_column_named_like_the_quarantines_own_is_kept() -> None:
    frame = numbers(60).assign(broken_rule=["old", "older", "oldest"] * 20)
    frame.loc[4, "x"] = 99.0
    cleansing = cleanse(frame, ruled({"x": {"maximum": 50}}))
    assert cleansing.quarantined.iloc[0, -2:].to_dict() == {
        "broken_rule": "older", "broken_rule_2": "x is above the maximum 50",
    }  # fmt: skip
    assert set(cleansing.accepted["broken_rule"]) == {"old", "older", "oldest"}
    assert any("the quarantine's own is 'broken_rule_2'" in r for r in cleansing.verdict.reasons)


@pytest.mark.parametrize(
    ("zone", "mark", "missing"),
    [
        (None, "1900-01-01", 6), ("UTC", "1900-01-01", 6), ("UTC", "1900-01-01T00:00:00Z", 6),
        ("America/New_York", "1900-01-01", 6), ("America/New_York", "1900-01-01T00:00:00Z", 0),
        ("UTC", "1.1.1900", 6), ("UTC", -2208988800, 6), ("UTC", "unknown", 0),
    ],
)  # fmt: skip
def test_marks_of_missing_times(zone: str | None, mark: str | int, missing: int) -> None:
    """A mark is the time that the column shows, or with a zone the moment."""
    days = ["1900-01-01", *(f"2024-01-0{n}" for n in range(1, 10))] * 6
    frame = numbers(60).assign(w=pd.Series(pd.to_datetime(days)).dt.tz_localize(zone))
    marks = {"w": {"missing_values": ["2", mark]}}
    assert cleanse(frame, ruled(marks)).accepted["w"].isna().sum() == missing
    contract = problem(event_time="w", quality={
        "minimum_rows": 10, "maximum_quarantined": 1, "columns": marks,
    })  # fmt: skip
    assert len(cleanse(frame, contract).quarantined) == missing


def test_an_event_time_beyond_the_calendar_says_what_to_do() -> None:
    frame = numbers(60).assign(day="2024-01-01", n=[float(n) for n in range(60)])
    frame.loc[3, "n"] = 1e11
    contract = problem(event_time="day + days(n)")
    decision, reasons = decided(frame, contract)
    assert decision == "unusable"
    assert "event_time 'day + days(n)' goes beyond the calendar" in reasons
    assert "give its columns a minimum and a maximum in quality.columns" in reasons
    followed = problem(event_time="day + days(n)", quality={
        "minimum_rows": 10, "columns": {"n": {"maximum": 1000}},
    })  # fmt: skip
    cleansing = cleanse(frame, followed)
    assert cleansing.verdict.decision == "usable"
    assert cleansing.verdict.evidence["rules"] == {
        "n is above the maximum 1000": 1,
        "event time 'event_time' is missing or not a timestamp": 1,
    }


def test_marks_hold_for_the_columns_of_an_event_time() -> None:
    frame = numbers(60).assign(day="2024-01-01", minute=[float(n) for n in range(60)])
    frame.loc[:4, "minute"] = -1
    contract = problem(event_time="day + minutes(minute)", quality={
        "minimum_rows": 10, "maximum_quarantined": 1,
        "columns": {"minute": {"missing_values": [-1]}},
    })  # fmt: skip
    assert len(cleanse(frame, contract).quarantined) == 5


def test_what_is_no_feature_is_named_with_the_remedy() -> None:
    """In the verdict and in the report, also where the column is a key."""
    frame = events(code=[f"c{n}" for n in range(60)], who=[f"p{n}" for n in range(60)])
    contract = problem(entity_key=["who"], event_time="at", features={"exclude": ["noise"]})
    cleansing = cleanse(frame, contract)
    assert set(cleansing.verdict.evidence["left_out"]) == {"code", "who"}
    reasons = "\n".join(cleansing.verdict.reasons)
    assert "No feature, as nearly every row has its own value: 'code'" in reasons
    assert "declare quality.columns.<name>.type: category, text or float" in reasons
    verdict = {"state": "Transform", **cleansing.verdict.model_dump(mode="json")}
    page = render_report({"verdicts": [verdict]})
    assert "code: names single rows (60 values in 60 rows); where it is a feature, declare" in page
    assert "who: an entity key with 60 values, which a model would memorize" in page


@pytest.mark.parametrize(("kind", "expected"), [("category", "category"), ("text", "text")])
def test_a_declared_type_makes_a_feature_of_names(kind: str, expected: str) -> None:
    frame = numbers(60).assign(code=[f"c{n}" for n in range(60)])
    contract = ruled({"code": {"type": kind}})
    cleansing = cleanse(frame, contract)
    assert cleansing.columns["code"] == expected
    assert cleansing.verdict.evidence["left_out"] == {}
    dataset = to_dataset(cleansing.accepted, contract, cleansing.columns, cleansing.spellings)
    assert "code" in dataset.data


@pytest.mark.parametrize(
    ("quality", "kind"),
    [
        ({}, "identifier"), ({"identifier_rows": 60}, "category"), ({"identifier_rows": 59},
         "identifier"), ({"identifier_share": 1}, "category"), ({"prose_words": 1}, "text"),
    ],
)  # fmt: skip
def test_the_contract_decides_what_names_single_rows(quality: dict[str, Any], kind: str) -> None:
    frame = numbers(60).assign(code=[f"c{n}" for n in range(60)])
    assert cleanse(frame, ruled({}, **quality)).columns["code"] == kind


def test_the_contract_decides_how_many_must_agree() -> None:
    dates = ["2024-01-02"] * 27 + ["soon"] * 33
    frame = numbers(60).assign(w=dates, town=["Rome", "ROME", "Oslo"] * 20)
    read = {"w": {"type": "timestamp", "timezone": "UTC"}}
    german = frame.assign(w=["31.12.2023"] * 27 + ["soon"] * 33)
    assert len(cleanse(german, ruled(read)).quarantined) == 60
    assert len(cleanse(german, ruled(read, declared_share=0.4)).quarantined) == 33
    kept = cleanse(frame, ruled({}, merged_spellings=2))
    assert set(kept.accepted["town"]) == {"Rome", "ROME", "Oslo"}
    assert set(cleanse(frame, ruled({}, merged_spellings=3)).accepted["town"]) == {"ROME", "Oslo"}


def test_dates_in_two_orders_are_asked_for() -> None:
    either = [f"{day:02d}/{month:02d}/2024" for day in range(1, 13) for month in range(1, 13)]
    frame = numbers(300).assign(w=[*(either * 3)[:297], "25/12/2024", "26/12/2024", "12/25/2024"])
    decision, reasons = decided(frame, problem(event_time="w"))
    assert decision == "unusable"
    assert "w: '25/12/2024' is day before month and '12/25/2024' month before day" in reasons
    assert "declare quality.columns.w.format, such as %d/%m/%Y" in reasons
    frame.loc[299, "w"] = "99/99/2024"
    decision, reasons = decided(frame, problem(event_time="w"))
    assert decision == "usable"
    assert "w: dates read as day before month, as '25/12/2024' tells" in reasons
    declared = {"w": {"format": ["%m/%d/%Y"]}}
    contract = problem(event_time="w", quality={"minimum_rows": 10, "columns": declared})
    assert len(cleanse(frame, contract).quarantined) == 3


def test_one_endless_cell_takes_no_time() -> None:
    endless = "2024-01-01T10:00" + " " * 100_000 + "x"
    at = [endless, *pd.date_range("2024-01-01", periods=59, freq="h", tz="UTC").astype(str)]
    far = [f"5{' ' * 100_000}x", *["5 km"] * 59]
    frame = numbers(60).assign(at=at, far=far)
    cleansing = cleanse(frame, problem(event_time="at", quality={
        "minimum_rows": 10, "columns": {"far": {"unit": "km"}},
    }))  # fmt: skip
    assert len(cleansing.quarantined) == 1


def test_a_text_of_a_megabyte_is_quarantined_and_told() -> None:
    """One such cell would make the whole column so wide."""
    frame = numbers(200).assign(note="fine")
    frame.loc[3, "note"] = "word " * 200_000
    decision, said = decided(frame, problem())
    assert decision == "usable"
    assert "1 row: note has more than 32,767 characters (quality.maximum_text) (row 4" in said
    longer = problem(quality={"maximum_text": 1_000_000, "minimum_rows": 50})
    assert "more than" not in decided(frame, longer)[1]
    left_out = problem(features={"exclude": ["note"]})
    assert "more than 32,767" not in decided(frame, left_out)[1]
