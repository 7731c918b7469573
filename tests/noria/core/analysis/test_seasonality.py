"""Seasons of the target: planted ones are named, trends and single storms are not."""

from typing import Any

import numpy as np
import pytest

from noria.contracts import Analysis
from noria.core.analysis.seasonality import Season, heat_map, seasons
from noria.core.data.dataset import Dataset
from tests.support.planted_columns import DAY, HOUR, START, made, noise

LIMITS = Analysis()
YEAR = 365 * DAY


def found(dataset: Dataset, limits: Analysis = LIMITS) -> dict[str, Season]:
    return {season.name: season for season in seasons(dataset, limits)}


def named(dataset: Dataset) -> set[str]:
    return {name for name, season in found(dataset).items() if season.named}


def drawn(times: Any, share: Any, seed: int = 0) -> Dataset:
    """Positives with the given probability per row."""
    generator = np.random.default_rng(seed)
    y = (generator.random(len(times)) < share).astype(int)
    return made(y, times=times, x=generator.normal(size=len(times)))


def test_an_hour_of_the_day_is_found() -> None:
    times = START + HOUR // 4 * np.arange(4 * 24 * 20)
    evening = (times // HOUR) % 24 >= 17
    dataset = drawn(times, np.where(evening, 0.6, 0.2))
    assert named(dataset) == {"hour of day"}
    season = found(dataset)["hour of day"]
    means = season.series["yes"]
    assert min(m for m in means[17:] if m is not None) > max(m for m in means[:17] if m is not None)
    assert season.rows == [80] * 24
    assert sum(season.rows) == len(dataset)


def test_a_weekday_is_found_and_carries_its_name() -> None:
    times = START + HOUR * np.arange(24 * 7 * 12)
    friday = ((times - START) // DAY) % 7 == 4
    dataset = drawn(times, np.where(friday, 0.7, 0.2))
    assert named(dataset) == {"day of week"}
    season = found(dataset)["day of week"]
    means = [mean for mean in season.series["yes"] if mean is not None]
    assert season.labels[means.index(max(means))] == "Fri"


def test_a_month_is_found_over_two_years_and_not_asked_of_one() -> None:
    times = START + 6 * HOUR * np.arange(4 * 365 * 3)
    month = times.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12
    share = np.where(month == 6, 0.7, 0.2)
    dataset = drawn(times, share)
    assert named(dataset) == {"month"}
    first = dataset.take(times < START + YEAR)
    assert set(found(first)) == {"hour of day", "day of week"}
    two = dataset.take(times < START + 2 * YEAR + DAY)
    assert "month" in found(two)


def test_two_cycles_are_needed() -> None:
    times = START + HOUR * np.arange(24 * 14)
    assert set(found(drawn(times[:24], 0.5))) == set()
    assert set(found(drawn(times[:48], 0.5))) == {"hour of day"}
    assert set(found(drawn(times, 0.5))) == {"hour of day", "day of week"}


def test_daily_rows_have_no_hours() -> None:
    dataset = drawn(START + DAY * np.arange(60), 0.5)
    assert set(found(dataset)) == {"day of week"}


def test_a_storm_on_some_days_is_no_season() -> None:
    """Rows of a day share its weather: forty rows of a stormy Friday are one witness."""
    alarms = by_rows = 0
    for seed in range(60):
        weather = np.repeat(np.random.default_rng(seed).random(28), 40)
        times = np.repeat(START + DAY * np.arange(28), 40) + HOUR * np.tile(np.arange(40) // 2, 28)
        dataset = drawn(times, weather, seed)
        by_rows += found(dataset)["day of week"].effect >= LIMITS.seasonality
        alarms += "day of week" in named(dataset)
    assert by_rows > 40, "the rows alone would have it a season nearly every time"
    assert alarms <= 5, "at a significance of 0.05 three of sixty are expected"


def test_a_trend_is_no_season() -> None:
    times = START + HOUR * np.arange(24 * 28)
    dataset = drawn(times, np.linspace(0.05, 0.95, len(times)))
    assert named(dataset) == set()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("classes", [2, 4, 0])
def test_noise_has_no_season(seed: int, classes: int) -> None:
    assert named(noise(seed, 3000, classes)) == set()


def test_numbers_and_many_classes_have_seasons() -> None:
    times = START + HOUR * np.arange(24 * 30)
    hour = (times // HOUR) % 24
    generator = np.random.default_rng(1)
    warm = made(10 * np.sin(hour / 24 * 2 * np.pi) + generator.normal(size=len(times)), (), times=times, x=hour * 1.0)  # fmt: skip  # noqa: E501
    assert found(warm)["hour of day"].effect > 0.8
    assert named(warm) == {"hour of day"}
    y = np.where(hour < 8, 0, generator.integers(0, 3, len(times)))
    many = made(y, ("a", "b", "c"), times=times, x=hour * 1.0)
    assert named(many) == {"hour of day"}
    assert set(found(many)["hour of day"].series) == {"a", "b", "c"}


def test_the_thresholds_are_the_contracts() -> None:
    times = START + HOUR // 4 * np.arange(4 * 24 * 20)
    dataset = drawn(times, np.where((times // HOUR) % 24 >= 17, 0.6, 0.2))
    strict = Analysis(seasonality=0.5)
    assert not found(dataset, strict)["hour of day"].named
    assert found(dataset, strict)["hour of day"].effect == found(dataset)["hour of day"].effect


def test_rows_without_a_time_are_left_out() -> None:
    assert seasons(made([0, 1] * 50, x=[0.0, 1.0] * 50), LIMITS) == []
    unknown = np.full(100, np.iinfo(np.int64).min)
    assert seasons(made([0, 1] * 50, x=[0.0, 1.0] * 50, times=unknown), LIMITS) == []
    assert seasons(made([0] * 100, x=[0.0, 1.0] * 50, times=START + DAY * np.arange(100)), LIMITS) == []  # fmt: skip  # noqa: E501


def test_a_heat_map_puts_days_and_hours_where_they_belong() -> None:
    times = START + HOUR // 4 * np.arange(4 * 24 * 7 * 6)
    weekday, hour = ((times - START) // DAY) % 7, ((times - START) // HOUR) % 24
    dataset = drawn(times, np.where((weekday == 2) & (hour == 13), 1.0, 0.1))
    found = heat_map(dataset, LIMITS)
    assert found is not None
    assert found.values[2][13] == 1.0
    assert (found.rows[2], found.columns[13]) == ("Wed", "13")
    others = [v for d, line in enumerate(found.values) for h, v in enumerate(line) if (d, h) != (2, 13)]  # fmt: skip  # noqa: E501
    assert max(v for v in others if v is not None) < 0.6


def test_a_heat_map_needs_rows_and_one_series() -> None:
    four_rows_a_cell = drawn(START + HOUR * np.arange(24 * 28), 0.5)
    assert heat_map(four_rows_a_cell, LIMITS) is None
    found = heat_map(four_rows_a_cell, Analysis(cell_rows=4))
    assert found is not None
    assert None not in found.values[0]
    assert heat_map(drawn(START + HOUR // 10 * np.arange(240 * 6), 0.5), LIMITS) is None, "one week"
    assert heat_map(noise(0, 3000, 4), LIMITS) is None, "many classes"
    assert heat_map(made([0, 1], x=[0.0, 1.0]), LIMITS) is None
