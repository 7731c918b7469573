"""History windows of the first rows look back before the data: they are no drift."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.contracts import Problem
from noria.core.analysis.analyse import AnalysisResult, analyse
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.data.window_coverage import has_full_history, window_lengths
from noria.core.ingestion.readers import read_table
from noria.core.statistics.drift import build_reference, measure_drift
from noria.core.windows.run_windows import with_windows
from tests.support.data_frames import nycflights, problem
from tests.support.planted_columns import DAY, HOUR, START, made, with_missing

START_OF_FEBRUARY = 1_359_676_800
FLOWN = {"column": "dest", "function": "count", "over": "14d", "as": "flown"}
IDLE = {"column": "arr_delay", "function": "time_since", "over": "14d", "as": "idle"}


def of_windows(*windows: dict[str, str]) -> Problem:
    return problem(
        target={"name": "late", "expression": "arr_delay > 15"},
        positive_class=True,
        entity_key=["tailnum"],
        event_time="time_hour",
        features={"windows": list(windows), "exclude": ["arr_delay"]} if windows else {},
        monitoring={"label_delay": "1h"},
    )


@pytest.fixture(scope="module")
def jetblue() -> Dataset:
    """JetBlue's flights from JFK in January and February 2013, with two weeks of history."""
    flights = read_table(nycflights("flights"), "flights.csv")
    rows = flights.query("carrier == 'B6' and origin == 'JFK' and month <= 2")
    contract = of_windows(FLOWN, IDLE)
    kept: pd.DataFrame = rows[["tailnum", "dest", "arr_delay", "time_hour"]]
    cleansing = cleanse(kept.reset_index(drop=True), contract)
    plain = to_dataset(cleansing.accepted, contract, cleansing.columns)
    return with_windows(plain, cleansing.accepted, contract)


def drift_of(analysis: AnalysisResult) -> dict[str, float | None]:
    return {column.name: column.drift for column in analysis.columns}


def test_history_that_begins_with_the_data_is_no_drift(jetblue: Dataset) -> None:
    """GIVEN two weeks of flights counted THEN the first weeks, when counts grow, are left out."""
    naive = drift_of(analyse(jetblue, of_windows()))
    found = analyse(jetblue, of_windows(FLOWN, IDLE))
    limit = of_windows().monitoring.drift
    assert naive["flown"] is not None
    assert naive["flown"] > limit
    assert drift_of(found)["flown"] is not None
    assert drift_of(found)["flown"] < limit / 2  # type: ignore[operator]
    assert "flown" not in found.drifted
    [said] = [note for note in found.notes if "history" in note]
    assert jetblue.event_time is not None
    early = np.mean(jetblue.event_time < jetblue.event_time.min() + 14 * DAY)
    assert said.startswith(f"flown and idle are compared over time without {early:.0%} of the rows")
    assert "whose 14d of history begin before the data" in said
    assert drift_of(found)["dest"] == naive["dest"]


def test_the_picture_of_a_window_that_moved_shows_full_history_only() -> None:
    rows = np.arange(1_200)
    times = START + HOUR * rows
    count = np.minimum(rows, 10 * 24) - rows % 2 + 300.0 * ((rows >= 900) & (rows % 3 > 0))
    asked = problem(
        entity_key=["shop"], event_time="at",
        features={"windows": [{"column": "shop", "function": "count", "over": "10d",
                               "as": "count"}]},
    )  # fmt: skip
    dataset = made(rows % 2, times=times, count=count)
    [picture] = analyse(dataset, asked).shifts.distributions
    assert picture.column == "count"
    drawn = zip(picture.edges, picture.series["first third"], strict=False)
    assert min(left for left, shown in drawn if shown > 0) > 200, "windows that count are full"


def test_a_window_longer_than_the_data_is_not_compared(jetblue: Dataset) -> None:
    asked = of_windows({**FLOWN, "over": "45d"})
    found = analyse(jetblue, asked)
    assert drift_of(found)["flown"] is None
    assert any("flown cannot be compared over time because of" in note for note in found.notes)


def test_live_rows_are_compared_with_full_windows(jetblue: Dataset) -> None:
    """GIVEN February's flights as live rows THEN they have not moved from a full reference."""
    assert jetblue.event_time is not None
    live = jetblue.take(jetblue.event_time >= START_OF_FEBRUARY).data
    scores = np.linspace(0, 1, len(live["flown"]))
    counted = []
    for windows in ({}, window_lengths(of_windows(FLOWN, IDLE))):
        reference = build_reference(jetblue, scores, {"flown": 1.0}, windows)
        counted.append(measure_drift(reference, live, scores).drift)
    naive, full = counted
    assert full < naive / 3
    assert reference.rows == len(jetblue), "models learn from all rows"


def test_a_reference_of_few_days_is_of_the_latest_rows() -> None:
    """GIVEN data shorter than the window THEN its last third stands for what comes."""
    seen = np.arange(300.0)
    dataset = made(np.arange(300) % 2, times=START + HOUR * np.arange(300), seen=seen)
    reference = build_reference(dataset, seen / 300, windows={"seen": 90 * DAY})
    assert sum(reference.columns["seen"].counts) == 100
    assert min(reference.columns["seen"].edges) > 200


def test_rows_without_a_time_have_no_history() -> None:
    times = np.array([MISSING_TIMESTAMP, START, START + DAY, START + 2 * DAY])
    assert has_full_history(times, 2 * DAY).tolist() == [False, False, False, True]
    assert not has_full_history(times[:1], DAY).any()


@pytest.mark.parametrize("rows", [400, 3_000])
def test_shares_of_missing_values_are_the_same_everywhere(rows: int) -> None:
    """GIVEN values missing among the first rows only THEN every share is of all rows."""
    early = np.arange(rows) < rows // 4
    columns: dict[str, Any] = {
        name: with_missing(np.sin(np.arange(rows) * step), early)
        for name, step in (("a", 0.7), ("b", 1.3))
    }
    whole = made(np.arange(rows) % 2, times=START + HOUR * np.arange(rows), **columns)
    dataset = Dataset(
        tuple(Column(name, "number") for name in columns), whole.data, whole.target,
        whole.classes, np.arange(rows) >= rows // 2, whole.event_time,
    )  # fmt: skip
    found = analyse(dataset, problem())
    shares = {column.profile.missing for column in found.columns}
    shares |= {one.share for one in found.missing.groups}
    shares |= {one.share for one in found.missing.patterns}
    assert shares == {0.25}
    small = analyse(dataset, problem(analysis={"sample_rows": 200}))
    assert any("missing together are those of 200 rows" in note for note in small.notes)
