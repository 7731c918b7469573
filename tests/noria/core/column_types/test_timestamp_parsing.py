"""Times as people write them: formats, zones, epochs, and what cannot be told apart."""

from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.column_types.timestamp_parsing import TimeReading, guess, read_times, zone_problem
from tests.support.examples import examples


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


EITHER = [f"{day:02d}/{month:02d}/2024" for day in range(1, 13) for month in range(1, 13)]


def test_one_impossible_reading_decides_the_order() -> None:
    asked = guess(EITHER)
    assert asked.reading is None
    assert "of '01/02/2024' could be either way round" in str(asked.question)
    assert utc(EITHER) == [None] * len(EITHER)
    told = guess([*EITHER, "13/01/2024"])
    assert (told.question, told.order) == (None, "day before month, as '13/01/2024' tells")
    assert utc([*EITHER, "13/01/2024"])[1] == "2024-02-01T00:00:00"
    assert utc([*EITHER, "01/13/2024"])[1] == "2024-01-02T00:00:00"


def test_two_orders_in_one_column_are_asked_for() -> None:
    """Both orders read nearly all, and the one that reads more would be a guess."""
    mixed = [*EITHER * 3, "25/12/2024", "26/12/2024", "12/25/2024"]
    asked = guess(sorted(set(mixed)), [mixed.count(text) for text in sorted(set(mixed))])
    assert asked.reading is None
    assert "'25/12/2024' is day before month" in str(asked.question)
    assert "'12/25/2024' month before day" in str(asked.question)
    assert utc(mixed) == [None] * len(mixed)


@pytest.mark.parametrize("share", [0.98, 0.5])
def test_rubbish_does_not_hide_the_order(share: float) -> None:
    """Two in a hundred values that neither order reads speak for neither."""
    rubbish = ["99/99/2024", "31/31/2024", "00/00/2024", "soon", "12/12/12024", "30.02.2024"]
    texts = [f"{day:02d}/{month:02d}/2023" for day in range(1, 29) for month in range(1, 13)]
    found = guess([*texts, *rubbish], share=share)
    assert found.question is None
    read = utc([*texts, *rubbish], found.reading)
    assert read[: len(texts)] == [f"2023-{text[3:5]}-{text[:2]}T00:00:00" for text in texts]
    assert read[len(texts) :] == [None] * len(rubbish)


@pytest.mark.parametrize("weight", [1, 1000])
def test_an_order_that_most_values_do_not_fit_is_no_question(weight: int) -> None:
    """A slip among dates that are plainly in one order is one unreadable value."""
    texts = [f"{day:02d}/01/2024" for day in range(1, 32)] + ["01/31/2024"]
    found = guess(texts, [*[weight] * 31, 1], share=0.9)
    assert found.question is None
    assert utc(texts, found.reading)[-1] is None


@pytest.mark.parametrize("text", ["03/03/2024", "1/1/2024"])
def test_a_day_that_is_its_month_is_no_question(text: str) -> None:
    assert guess([text]).question is None
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


@pytest.mark.parametrize(
    ("unit", "values", "microseconds"),
    [
        ("epoch_s", [1.0000006, -1.0000006, 1364774400.1234567], [1_000_001, -1_000_001,
                                                                   1364774400_123457]),
        ("epoch_ms", [0.0016, 2.9996, 1364774400123.9996], [2, 3000, 1364774400_124000]),
        ("epoch_us", [0.6, 1.4, -0.6, 1364774400000003.75], [1, 1, -1, 1364774400_000004]),
        ("epoch_ns", [600, 1400, 1364774400_000003_900], [1, 1, 1364774400_000004]),
    ],
)  # fmt: skip
def test_epochs_are_rounded_to_the_microsecond(
    unit: str, values: list[float], microseconds: list[int]
) -> None:
    """Doubles of whole microseconds lie a little below them, so cutting would lose one."""
    times = read_times(pd.Series(values), TimeReading((unit,)))
    assert times.astype("int64").tolist() == microseconds
    texts = read_times(pd.Series(list(map(repr, values))), TimeReading((unit,)))
    assert texts.equals(times)


FORMS = ["%d/%m/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S.%f", "%d.%m.%Y", "%m-%d-%Y %H:%M",
         "%Y-%m-%dT%H:%M:%S.%f", "%d %b %Y"]  # fmt: skip
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001
early = moments.map(lambda moment: moment.replace(day=moment.day % 12 + 1))


@examples(10_000)
@given(st.lists(moments | early, min_size=1, max_size=4) | st.lists(early, min_size=1, max_size=4),
       st.sampled_from(FORMS))  # fmt: skip
def test_times_are_read_as_they_were_written_or_asked_for(
    moments: list[datetime], form: str
) -> None:
    """Never in another order, and always where a day can be no month."""
    texts = [moment.strftime(form) for moment in moments]
    written = [pd.Timestamp(datetime.strptime(text, form), tz="UTC") for text in texts]  # noqa: DTZ007
    assert read_times(pd.Series(texts), TimeReading((form,))).tolist() == written
    found = guess(list(dict.fromkeys(texts)))
    assert (found.reading is None) == (found.question is not None)
    read = read_times(pd.Series(texts), found.reading)
    assert read.isna().all() if found.question else read.tolist() == written
    clear = form in FORMS[-2:] or any(moment.day > 12 for moment in written)
    alike = all(moment.day == moment.month for moment in written)
    assert (found.question is None) == (clear or alike)
