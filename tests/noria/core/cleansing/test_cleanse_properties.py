"""Cleansing whole tables: 10,000 of any kind, and some whose outcome can be told beforehand."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.categories import tidy, without_case
from noria.contracts import Problem
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.errors import DataError
from tests.noria.core.cleansing.test_cleansing_properties import TEXTS, cells, many, rules
from tests.support.data_frames import adds_up, problem
from tests.support.examples import examples

ROWS = 11
kinds = st.sampled_from(
    [cells, st.sampled_from(TEXTS), st.integers(0, 2), st.floats(-3, 3), st.sampled_from("ab")]
)
columns = kinds.flatmap(lambda cell: st.lists(cell, min_size=ROWS, max_size=ROWS))
times = st.lists(st.sampled_from(["2024-01-01", "2024-01-02T03:04Z", None, "soon"]),
                 min_size=ROWS, max_size=ROWS)  # fmt: skip
labels = st.lists(st.integers(0, 1), min_size=ROWS, max_size=ROWS)
tables = st.fixed_dictionaries({"y": labels | columns, "a": columns, "t": times | columns})


@st.composite
def contracts(draw: st.DrawFn) -> Problem:
    quality = {
        "minimum_rows": 10,
        "maximum_quarantined": draw(st.sampled_from([0.05, 1])),
        "columns": {"a": draw(rules)} if draw(st.booleans()) else {},
        "unique": draw(st.sampled_from([[], ["a"], ["a", "t"]])),
        "checks": draw(st.sampled_from([[], [], ["a <= 1"], ["a == 'a' or y > 1"], ["a"]])),
        "outliers": draw(st.sampled_from([None, 3.5])),
    }
    time = draw(st.sampled_from([None, None, "t", "t + hours(1)"]))
    return problem(
        draw(st.sampled_from(["binary", "multiclass", "regression"])),
        quality=quality, event_time=time, entity_key=["a"] if draw(st.booleans()) else [],
    )  # fmt: skip


@many
@given(tables, contracts())
def test_rows_in_are_rows_out_and_rows_quarantined(
    table: dict[str, list[Any]], contract: Problem
) -> None:
    cleansing = cleanse(pd.DataFrame(table), contract)
    assert adds_up(cleansing, ROWS)
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


NAMES = ["Rome", "Oslo", "Bern"]
cities = st.sampled_from([*NAMES, "ROME", " rome ", "oslo", None, "NA"])
sizes = st.none() | st.integers(-9, 9) | st.floats(-9, 9)
written = sizes.map(lambda size: None if size is None else repr(size)) | st.just("n/v")


@st.composite
def known_tables(draw: st.DrawFn) -> tuple[pd.DataFrame, Problem]:
    """Cities and sizes, and which of them a contract allows."""
    many_sizes = st.lists(draw(st.sampled_from([sizes, written])), min_size=ROWS, max_size=ROWS)
    frame = pd.DataFrame({
        "city": draw(st.lists(cities, min_size=ROWS, max_size=ROWS)), "size": draw(many_sizes),
        "y": [0, 1] * 5 + [0],
    })  # fmt: skip
    low, high = sorted(draw(st.tuples(st.integers(-9, 9), st.integers(-9, 9))))
    rules = {
        "city": {
            "allowed": draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)),
            "case": draw(st.sampled_from(["merge", "keep"])), "required": draw(st.booleans()),
        },
        "size": {
            "minimum": low, "maximum": high, "missing": draw(st.sampled_from(["keep", "median"])),
        },
    }  # fmt: skip
    slices = [{"column": name, "floor": 0} for name in rules]  # a slice's column is never dropped
    contract = problem(
        quality={"minimum_rows": 10, "maximum_quarantined": 1, "columns": rules},
        objective={"metric": "accuracy", "threshold": 0.5, "slices": slices},
    )
    return frame, contract


def is_good(city: Any, size: Any, contract: Problem) -> bool:
    """What the contract says of one row, read off it once more."""
    rule, bounds = contract.quality.columns["city"], contract.quality.columns["size"]
    key = without_case if rule.case == "merge" else str
    allowed = {key(str(name)) for name in rule.allowed or ()}
    known = not (pd.isna(city) or city == "NA")
    fits = key(tidy(city)) in allowed if known else not rule.required
    if pd.isna(size):
        return fits
    assert bounds.minimum is not None
    assert bounds.maximum is not None
    return fits and size != "n/v" and bounds.minimum <= float(size) <= bounds.maximum


@examples(2_500, quick=40)
@given(known_tables())
def test_exactly_the_rows_that_break_no_rule_are_accepted(
    table: tuple[pd.DataFrame, Problem],
) -> None:
    """And cleansing them again changes nothing. Each table has 11 rows, each a case."""
    frame, contract = table
    good = [is_good(city, size, contract) for city, size in frame[["city", "size"]].to_numpy()]
    cleansing = cleanse(frame, contract)
    rest = frame[[not fine for fine in good]].reset_index(drop=True)
    pd.testing.assert_frame_equal(cleansing.quarantined.drop(columns="broken_rule"), rest)
    accepted, came = cleansing.accepted, frame[good].reset_index(drop=True)
    assert len(accepted) == len(came)
    np.testing.assert_array_equal(accepted["size"].astype(float), came["size"].astype(float))
    assert set(accepted["city"].dropna()) <= {*(contract.quality.columns["city"].allowed or [])}
    assert accepted["y"].tolist() == came["y"].astype(str).tolist()
    if not accepted.empty:
        again = cleanse(accepted, contract)
        assert again.quarantined.empty
        pd.testing.assert_frame_equal(again.accepted, accepted, check_dtype=False)


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_almost_nothing(rows: int) -> None:
    frame = pd.DataFrame({"y": [1] * rows, "a": ["x"] * rows})
    cleansing = cleanse(frame, problem())
    assert cleansing.verdict.decision == "unusable"
    assert adds_up(cleansing, rows)
