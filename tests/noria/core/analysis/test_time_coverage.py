"""Time coverage: planted gaps are found, nights and weekends are the data's rhythm."""

from typing import Any

import numpy as np
import pytest

from noria.contracts import Analysis
from noria.core.analysis.time_coverage import TimeProfile, profile_time
from tests.support.planted_columns import DAY, HOUR, START, made, with_missing


def profile(times: Any, gap: float = 20, target: Any = None) -> TimeProfile:
    times = np.asarray(times, dtype=np.int64)
    y = np.arange(len(times)) % 2 if target is None else target
    found = profile_time(made(y, x=np.zeros(len(times)), times=times), Analysis(gap=gap))
    assert found is not None
    return found


def hourly(days: int, hours: range = range(24), weekdays: int = 7) -> Any:
    slots = [
        START + day * DAY + hour * HOUR
        for day in range(days)
        for hour in hours
        if day % 7 < weekdays
    ]
    return np.array(slots)


def test_a_planted_gap_is_found_with_its_ends() -> None:
    times = hourly(30)
    kept = times[(times <= START + 10 * DAY) | (times >= START + 13 * DAY)]
    found = profile(kept)
    assert [(gap.start, gap.end) for gap in found.gaps] == [(START + 10 * DAY, START + 13 * DAY)]
    assert found.gaps[0].seconds == 3 * DAY == found.longest_gap
    assert found.gaps[0].times == 72
    assert (found.usual_step, found.usual_pause) == (HOUR, None)


def test_gaps_come_largest_first_and_ten_at_most() -> None:
    sizes = np.array([30, 25, 60, 40, 22, 35, 28, 50, 45, 33, 70, 80])
    steps = np.ones(2000, dtype=np.int64)
    steps[np.random.default_rng(0).choice(2000, len(sizes), replace=False)] = sizes
    found = profile(START + HOUR * np.cumsum(steps))
    assert [gap.times for gap in found.gaps] == sorted(map(float, sizes), reverse=True)[:10]


@pytest.mark.parametrize(("gap", "count"), [(20, 0), (2, 1)])
def test_the_limit_is_the_contracts(gap: float, count: int) -> None:
    times = np.delete(hourly(5), range(30, 39))
    assert len(profile(times, gap).gaps) == count


def test_nights_are_a_rhythm_and_a_missing_day_is_a_gap() -> None:
    times = START + np.concatenate(
        [day * DAY + 6 * HOUR + np.arange(0, 17 * HOUR, 300) for day in range(60)]
    )
    assert profile(times).gaps == []
    assert profile(times).usual_pause == pytest.approx(7 * HOUR, abs=600)
    day = (times - START) // DAY
    found = profile(times[day != 31])
    assert len(found.gaps) == 1
    assert found.gaps[0].seconds > DAY


def test_nights_of_different_lengths_are_one_rhythm() -> None:
    generator = np.random.default_rng(0)
    days = [
        START + day * DAY + np.arange(generator.integers(5, 8) * HOUR, 22 * HOUR, 300)
        for day in range(60)
    ]
    found = profile(np.concatenate(days))
    assert found.gaps == []
    assert found.usual_pause == pytest.approx(8 * HOUR, abs=HOUR / 2), "7, 8 or 9 hours"


def test_weekends_are_a_rhythm_and_a_missing_week_is_a_gap() -> None:
    times = np.concatenate([start + np.arange(0, HOUR, 120) for start in hourly(140, range(9, 17), 5)])  # fmt: skip  # noqa: E501
    assert profile(times).gaps == []
    week = (times - START) // (7 * DAY)
    found = profile(times[week != 9])
    assert [gap.seconds > 8 * DAY for gap in found.gaps] == [True]


def test_periods_hold_all_rows_and_the_targets_mean() -> None:
    times = START + HOUR * np.arange(300)
    found = profile(times, target=(np.arange(300) >= 150).astype(int))
    assert sum(period.rows for period in found.periods) == 300
    assert [period.series["yes"] for period in found.periods] == [0.0] * 15 + [1.0] * 15


def test_one_moment_and_missing_times() -> None:
    found = profile([START] * 5)
    assert (found.days, found.gaps, found.usual_step, found.longest_gap) == (0, [], 0, 0)
    times = with_missing(START + HOUR * np.arange(50), np.arange(50) % 5 == 0)
    assert profile(times).missing == 10
    assert profile_time(made([0, 1], x=[0.0, 1.0]), Analysis()) is None
    unknown = np.full(2, np.iinfo(np.int64).min)
    assert profile_time(made([0, 1], x=[0.0, 1.0], times=unknown), Analysis()) is None
