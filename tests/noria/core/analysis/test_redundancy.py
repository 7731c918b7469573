"""Pairs of redundant columns: planted ones are found, chance ones are not."""

from typing import Any

import numpy as np
import pytest

from noria.contracts import Analysis
from noria.core.analysis.redundancy import Redundant, redundant_pairs
from tests.support.planted_columns import made, noise, with_missing

LIMITS = Analysis()
ROWS = 3000


def pairs(**columns: Any) -> dict[tuple[str, str], Redundant]:
    found = redundant_pairs(made(np.arange(ROWS) % 2, **columns), LIMITS)
    return {(pair.first, pair.second): pair for pair in found}


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def test_numbers_that_follow_each_other(generator: np.random.Generator) -> None:
    x = generator.normal(size=ROWS)
    found = pairs(x=x, cube=-(x**3), alike=x + generator.normal(size=ROWS) / 10, half=x + 1 * generator.normal(size=ROWS))  # fmt: skip  # noqa: E501
    assert set(found) == {("x", "cube"), ("x", "alike"), ("cube", "alike")}
    assert found["x", "cube"].value == pytest.approx(-1)
    assert found["x", "cube"].mutual
    assert found["x", "cube"].sentence == "x and cube are redundant (Spearman's rho -1.00)"


def test_missing_values_hide_no_twin_and_make_none(generator: np.random.Generator) -> None:
    x, other = generator.normal(size=ROWS), generator.normal(size=ROWS)
    gone = generator.random(ROWS) < 0.3
    assert set(pairs(x=x, twin=with_missing(2 * x, gone))) == {("x", "twin")}
    assert not pairs(x=with_missing(x, gone), other=with_missing(other, gone))
    nearly_gone = np.arange(ROWS) > 40
    assert not pairs(x=x, twin=with_missing(2 * x, nearly_gone))


def test_codes_and_names_say_the_same(generator: np.random.Generator) -> None:
    code = generator.integers(0, 12, ROWS).astype(str)
    name = np.char.add("carrier ", code)
    slips = np.where(np.arange(ROWS) % 200 == 0, "mistyped", name)
    assert pairs(code=code, name=name)["code", "name"].mutual
    assert pairs(code=code, name=slips)["code", "name"].value > LIMITS.redundancy


def test_an_airport_tells_its_city_and_not_the_other_way_round(
    generator: np.random.Generator,
) -> None:
    airport = generator.integers(0, 40, ROWS)
    found = pairs(airport=airport.astype(str), city=(airport // 4).astype(str))
    assert set(found) == {("airport", "city")}
    assert not found["airport", "city"].mutual
    assert found["airport", "city"].sentence.startswith("airport almost determines city")
    shuffled = generator.permutation(40)[airport].astype(np.float64)
    code = pairs(code=shuffled, city=(airport // 4).astype(str))
    assert set(code) == {("code", "city")}


def test_a_category_tells_a_number(generator: np.random.Generator) -> None:
    place = generator.integers(0, 30, ROWS)
    distance = generator.permutation(3000)[place] + generator.normal(size=ROWS)
    found = pairs(place=place.astype(str), distance=distance)
    assert set(found) == {("place", "distance")}
    assert found["place", "distance"].measure == "correlation ratio of ranks"
    assert not pairs(place=place.astype(str), other=generator.normal(size=ROWS))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rows", [40, 300, 2000])
def test_noise_has_no_pairs(seed: int, rows: int) -> None:
    assert redundant_pairs(noise(seed, rows), LIMITS) == []


def test_an_identifier_tells_nothing(generator: np.random.Generator) -> None:
    name = np.array([f"row {i}" for i in range(ROWS)])
    assert not pairs(name=name, group=generator.integers(0, 3, ROWS).astype(str), x=generator.normal(size=ROWS))  # fmt: skip  # noqa: E501


def test_a_name_that_hardly_repeats_tells_no_number(generator: np.random.Generator) -> None:
    name = np.array([f"row {place}" for place in range(ROWS)])
    name[:12] = [f"pair {place // 2}" for place in range(12)]
    numbers = {f"n{place}": generator.normal(size=ROWS) for place in range(400)}
    assert not pairs(name=name, **numbers)
