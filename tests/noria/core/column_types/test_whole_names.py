"""Whole texts of the contract that name a column of the data exactly."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.contracts import Problem
from noria.core.cleansing.cleanse import cleanse
from noria.core.column_types.whole_names import with_whole_names

ROWS = 60
FRAME = pd.DataFrame(
    {
        "Order-Date": pd.date_range("2024-01-01", periods=ROWS, freq="h").astype("str"),
        "Order": range(ROWS),
        "Date": range(ROWS),
        "Late or lost": [True, False] * (ROWS // 2),
        "Churn/month": np.arange(ROWS) % 5 / 2,
        "ok and paid": True,
    }
)


def problem_with(**fields: Any) -> Problem:
    return Problem.parse(
        {
            "name": "orders", "statement": "Will this order be late?", "task": "binary",
            "target": "Late or lost",
            "sources": [{"name": "orders", "kind": "s3", "primary": True}],
            "objective": {"metric": "accuracy", "threshold": 0.6}, "quality": {"minimum_rows": 20},
            **fields,
        }
    )  # fmt: skip


def test_a_text_that_names_a_column_is_that_column() -> None:
    """GIVEN names that can be read as expressions WHEN the data have them THEN they are names."""
    given = problem_with(
        event_time="Order-Date", target={"name": "y", "expression": "Churn/month"},
        baseline={"rule": "Late or lost"}, quality={"checks": ["ok and paid", "Order >= 0"]},
    )  # fmt: skip
    read = with_whole_names(given, FRAME.columns)
    assert read.event_time_column == "Order-Date"
    assert read.target.expression == '"Churn/month"'
    assert read.baseline.rule == '"Late or lost"'
    assert read.quality.checks == ['"ok and paid"', "Order >= 0"]
    assert with_whole_names(read, FRAME.columns) == read
    assert Problem.parse(read.to_document()) == read


def test_what_a_column_is_compared_with_may_stand_in_double_quotes() -> None:
    """GIVEN a text in double quotes WHEN no column is called so THEN it is a text."""
    columns = ["status", "Order Date", "paid by"]
    given = problem_with(
        target={"name": "y", "expression": 'status == "paid" or status != "it\'s"'},
        baseline={"rule": '"Order Date" == "a ""b"""'},
        quality={"checks": ['status == "paid by"', '"unknown" == "paid"', 'status > "paid"']},
    )
    read = with_whole_names(given, columns)
    assert read.target.expression == r"status == 'paid' or status != 'it\'s'"
    assert read.baseline.rule == """"Order Date" == 'a "b"'"""
    assert read.quality.checks == given.quality.checks


def test_without_such_a_column_it_stays_an_expression() -> None:
    given = problem_with(event_time="Order-Date")
    assert with_whole_names(given, ["Order", "Date"]) == given
    assert given.event_time_column == "event_time"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"event_time": "Order Dat"}, "event_time names column 'Order Dat', which is in no source: "
         "did you mean 'Order-Date'?"),
        ({"quality": {"checks": ['Order == "open"']}}, "A text goes in single quotes: 'open'."),
    ],
)  # fmt: skip
def test_a_name_that_is_no_column_is_told(fields: dict[str, Any], told: str) -> None:
    reasons = cleanse(FRAME, problem_with(**fields)).verdict.reasons
    assert any(told in reason for reason in reasons)
