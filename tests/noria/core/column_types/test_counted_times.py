"""Times that were written as numbers: what they count is told by all of them, or asked for."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.cleansing.cleanse import Cleansing, cleanse
from noria.core.column_types.timestamp_parsing import read_times
from noria.core.reporting.report import render_report
from tests.support.data_frames import numbers, problem

SCALES = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}


def between(first: str, last: str, step: str) -> pd.Series:
    """Sixty times from one to the other."""
    count = 60
    gap = (pd.Timestamp(last) - pd.Timestamp(first)) / count
    times = pd.Timestamp(first, tz="UTC") + gap * pd.Series(np.arange(count))
    return times.dt.floor(step)


def counted(times: pd.Series, unit: str) -> pd.Series:
    seconds = times.dt.as_unit("s").astype("int64")
    return seconds * SCALES[unit]


def cleansed(values: Any, rule: dict[str, Any] | None = None) -> Cleansing:
    quality = {
        "minimum_rows": 10,
        "maximum_quarantined": 1,
        "columns": {"born": rule or {"type": "timestamp"}},
    }
    return cleanse(numbers(60).assign(born=values), problem(quality=quality))


RANGES = {
    "around 1970": ("1966-01-01", "1973-12-28", "D"),
    "before 1970": ("1931-05-01", "1968-02-03", "D"),
    "minutes around 1970": ("1961-01-01 10:07", "1979-05-06 11:08", "min"),
    "days of 1970": ("1969-11-02", "1970-02-14", "D"),
    "lately": ("2019-01-01", "2024-12-31 23:59", "s"),
    "one day": ("2024-05-01 00:00:01", "2024-05-01 23:59", "s"),
    "long ago": ("1861-01-01", "1908-01-01", "D"),
}


@pytest.mark.parametrize("unit", SCALES)
@pytest.mark.parametrize("when", RANGES)
def test_the_whole_column_tells_the_unit(when: str, unit: str) -> None:
    times = between(*RANGES[when])
    values = counted(times, unit)
    assert read_times(values).tolist() == times.tolist()
    assert read_times(values.astype("float64")).tolist() == times.tolist()
    if unit != "epoch_ns":  # such texts may be names, and numbers would lose their last digits
        assert read_times(values.astype("str")).tolist() == times.tolist()
    found = cleansed(values)
    assert found.accepted["born"].tolist() == times.tolist()
    told = "\n".join(found.verdict.reasons)
    assert f"since 1970 ({unit}), {times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}" in told
    assert "where that is wrong, declare quality.columns.born.format" in told
    assert cleansed(values, {"format": [unit]}).accepted["born"].tolist() == times.tolist()


@pytest.mark.parametrize("unit", ["epoch_s", "epoch_ms"])
def test_a_mark_of_no_end_does_not_hide_the_unit(unit: str) -> None:
    times = between("2019-01-01", "2024-12-31", "D")
    values = counted(times, unit)
    values[::10] = 253402214400 * SCALES[unit]
    assert read_times(values)[1] == times[1]


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m%d%H%M%S", "%Y"])
def test_digits_of_a_calendar_are_no_seconds(form: str) -> None:
    times = between("1958-01-01", "2024-12-31", "D")
    values = times.dt.strftime(form).astype("int64")
    expected = pd.to_datetime(times.dt.strftime(form), format=form, utc=True)
    assert read_times(values).tolist() == expected.tolist()
    assert f"({form})" in "\n".join(cleansed(values).verdict.reasons)


@pytest.mark.parametrize(
    ("values", "question"),
    [
        (np.arange(60) * 10 + 45_000, "as seconds since 1970, 45000 to 45590 are all the turn of"),
        (
            np.linspace(-9e9, 5e9, 60).round() + 7,
            "-8999999993 to 5000000007 could count seconds or milliseconds since 1970",
        ),
    ],
)
def test_two_readings_are_asked_for(values: Any, question: str) -> None:
    found = cleansed(values)
    reasons = "\n".join(found.verdict.reasons)
    assert f"born: {question}" in reasons
    assert "declare quality.columns.born.format, such as epoch_s, epoch_ms or %Y%m%d" in reasons
    assert len(found.accepted) == 0
    assert len(cleansed(values, {"format": ["epoch_s"]}).accepted) == 60


def test_the_report_shows_what_was_read() -> None:
    times = between("1966-01-01", "1973-12-28", "D")
    verdict = cleansed(counted(times, "epoch_ms"), {"format": ["epoch_ms"]}).verdict
    page = render_report({"verdicts": [{"state": "Transform", **verdict.model_dump(mode="json")}]})
    assert "Times as they were read" in page
    assert "born: 1966-01-01T00:00:00+00:00 to " in page
