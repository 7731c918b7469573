"""Times as people write them: formats, zones, epochs, and what cannot be told apart."""

import pandas as pd
import pytest

from noria.core.times import TimeReading, guess, read_times, zone_problem


def utc(values: list[object], reading: TimeReading | None = None) -> list[str | None]:
    times = read_times(pd.Series(values), reading)
    assert str(times.dtype) == "datetime64[us, UTC]"
    return [None if pd.isna(time) else f"{time:%Y-%m-%dT%H:%M:%S}" for time in times]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2024-03-04"], ["2024-03-04T00:00:00"]),
        (["2024-03-04 05:06", None], ["2024-03-04T05:06:00", None]),
        (["2024-03-04T05:06:07+02:00"], ["2024-03-04T03:06:07"]),
        (["25/12/2023", "03/04/2024"], ["2023-12-25T00:00:00", "2024-04-03T00:00:00"]),
        (["12/25/2023", "03/04/2024"], ["2023-12-25T00:00:00", "2024-03-04T00:00:00"]),
        (["31.12.2023 23:59", "01.02.2024 00:00"], ["2023-12-31T23:59:00", "2024-02-01T00:00:00"]),
        (["12/25/2023 5:06 PM"], ["2023-12-25T17:06:00"]),
        (["3 Mar 2024", "14 Apr 2024"], ["2024-03-03T00:00:00", "2024-04-14T00:00:00"]),
        (["March 3, 2024"], ["2024-03-03T00:00:00"]),
        (["04-Mar-2024"], ["2024-03-04T00:00:00"]),
        (["2024/03/04 05:06:07"], ["2024-03-04T05:06:07"]),
        (["Mon, 04 Mar 2024 05:06:07 +0100"], ["2024-03-04T04:06:07"]),
        (["2024-01-02", "25.12.2023", "3 Mar 2024"],
         ["2024-01-02T00:00:00", "2023-12-25T00:00:00", "2024-03-03T00:00:00"]),
        ([1_700_000_000], ["2023-11-14T22:13:20"]),
        ([1_700_000_000_000], ["2023-11-14T22:13:20"]),
        ([1_700_000_000_000_000], ["2023-11-14T22:13:20"]),
        ([True], [None]),
        ([9e307, 9e307], [None, None]),
    ],
)  # fmt: skip
def test_ways_of_writing_a_time(values: list[object], expected: list[str | None]) -> None:
    assert utc(values) == expected


def test_one_impossible_reading_decides_the_order() -> None:
    texts = [f"{day:02d}/{month:02d}/2024" for day in range(1, 13) for month in range(1, 13)]
    assert guess(texts).ambiguous
    assert guess(texts).reading is None
    assert utc(texts) == [None] * len(texts)
    assert not guess([*texts, "13/01/2024"]).ambiguous
    assert utc([*texts, "13/01/2024"])[1] == "2024-02-01T00:00:00"


@pytest.mark.parametrize("text", ["03/03/2024", "1/1/2024"])
def test_a_day_that_is_its_month_is_no_question(text: str) -> None:
    assert not guess([text]).ambiguous
    assert utc([text])[0] is not None


@pytest.mark.parametrize(
    "texts",
    [["a", "b"], ["2024", "2025"], ["02134", "10001"], ["1.5", "2.5"], ["EWR"], ["1-2-3-4"],
     ["AB12/34/5678"], ["2024-01-02", "soon"], [""], []],
)  # fmt: skip
def test_what_is_no_time_is_not_taken_for_one(texts: list[str]) -> None:
    assert guess(texts).reading is None


def test_a_few_strays_do_not_hide_the_dates() -> None:
    texts = [f"{day:02d}.{month:02d}.2023" for day in range(1, 29) for month in range(1, 13)]
    assert guess([*texts, "unknown"]).reading is not None


def test_local_times_through_a_clock_change() -> None:
    berlin = TimeReading(zone="Europe/Berlin")
    assert utc(["2024-07-01 12:00", "2024-01-01 12:00"], berlin) == [
        "2024-07-01T10:00:00", "2024-01-01T11:00:00",
    ]  # fmt: skip
    assert utc(["2024-10-27 02:30"], berlin) == ["2024-10-27T00:30:00"]  # twice: the first
    assert utc(["2024-03-31 02:30"], berlin) == [None]  # never
    assert utc(["2024-07-01T12:00:00+05:00"], berlin) == ["2024-07-01T07:00:00"]
    naive = pd.Series(pd.to_datetime(["2024-07-01 12:00"]))
    assert f"{read_times(naive, berlin).iloc[0]:%H}" == "10"


def test_formats_are_tried_in_order() -> None:
    reading = TimeReading(("%d/%m/%Y", "%m/%d/%Y", "ISO8601", "epoch_s"))
    assert utc(["01/02/2024", "01/31/2024", "2024-05-06", "86400", "never"], reading) == [
        "2024-02-01T00:00:00", "2024-01-31T00:00:00", "2024-05-06T00:00:00",
        "1970-01-02T00:00:00", None,
    ]  # fmt: skip
    assert utc([20240102], TimeReading(("%Y%m%d",))) == ["2024-01-02T00:00:00"]
    assert utc([1000], TimeReading(("epoch_ms",))) == ["1970-01-01T00:00:01"]


def test_zones_are_iana_names() -> None:
    assert zone_problem("America/New_York") is None
    assert "no IANA time zone" in str(zone_problem("Mars/Olympus"))
    assert zone_problem("../../etc/passwd") is not None
