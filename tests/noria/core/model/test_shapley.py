"""Shapley values: exact by their definition, sampled within their error, fair by their axioms."""

from collections.abc import Mapping
from itertools import pairwise, permutations
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.model.shapley import (
    EVALUATIONS,
    exact_values,
    sampled_values,
    shapley_values,
)
from tests.support.examples import examples, repeats

Table = Mapping[str, Any]


def table(columns: int, rows: int, seed: int) -> dict[str, Any]:
    draws = np.random.default_rng(seed)
    return {f"x{i}": draws.normal(size=rows) for i in range(columns)}


def bent(data: Table) -> Any:
    """Products and steps of neighbours: no column's part is that of a straight line."""
    values = list(data.values())
    found = np.zeros(len(values[0]))
    for one, other in pairwise(values):
        found += one * other + (one > other)
    return found + np.sin(3 * values[0])


def of_three(data: Table) -> Any:
    """Products of three: an order and its reverse tell of two columns all, of three not."""
    values = list(data.values())
    triples = zip(values, values[1:], values[2:], strict=False)
    return sum(one * other * third + (one > other * third) for one, other, third in triples)


def by_definition(score: Any, row: Table, background: Table) -> dict[str, float]:
    """The mean over all orders of what a column adds, each order walked from each row."""
    names, total = list(row), dict.fromkeys(row, 0.0)
    rows = len(background[names[0]])
    for order in permutations(names):
        mixed = {name: np.array(background[name]) for name in names}
        before = score(mixed).mean()
        for name in order:
            mixed[name] = np.full(rows, row[name][0])
            after = score(mixed).mean()
            total[name] += (after - before) / factorial(len(names))
            before = after
    return total


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 10_000))
@examples(100, quick=20)
def test_exact_values_are_those_of_the_definition(columns: int, rows: int, seed: int) -> None:
    row, background = table(columns, 1, seed), table(columns, rows, seed + 1)
    found = exact_values(bent, row, background)
    assert found.values == pytest.approx(by_definition(bent, row, background), abs=1e-9)
    assert found.base == pytest.approx(bent(background).mean())
    assert found.errors is None


@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 10_000))
@examples(50, quick=10)
def test_values_add_up_to_the_answer(columns: int, rows: int, seed: int) -> None:
    row, background = table(columns, 1, seed), table(columns, rows, seed + 1)
    for found in (
        shapley_values(bent, row, background), sampled_values(bent, row, background, 2),
    ):  # fmt: skip
        total = found.base + sum(found.values.values())
        assert total == pytest.approx(bent(row)[0], abs=1e-8)


def test_sampled_values_are_within_their_error() -> None:
    """GIVEN many draws THEN the exact value is within two standard errors as often as it ought."""
    row, background = table(6, 1, 3), table(6, 10, 4)
    exact = np.array([*exact_values(of_three, row, background).values.values()])
    apart = []
    for seed in range(repeats(400, 60)):
        found = sampled_values(of_three, row, background, 6, seed)
        assert found.errors is not None
        errors = np.array([*found.errors.values()])
        apart.append((np.array([*found.values.values()]) - exact) / errors)
    within = np.abs(apart) < 2
    assert 0.9 < within.mean() < 0.99
    assert abs(np.mean(apart)) < 0.2


def test_columns_that_are_not_read_add_nothing() -> None:
    row, background = table(8, 1, 0), table(8, 30, 1)
    found = sampled_values(lambda data: data["x0"] * data["x1"], row, background, 3)
    assert found.errors is not None
    others = [found.values[name] or found.errors[name] for name in [*row][2:]]
    assert others == [0] * 6


def test_pairs_of_columns_are_explained_without_error() -> None:
    row, background = table(7, 1, 0), table(7, 12, 1)
    exact, found = exact_values(bent, row, background), sampled_values(bent, row, background, 2)
    assert found.errors is not None
    assert max(found.errors.values()) < 1e-12
    assert found.values == pytest.approx(exact.values, abs=1e-9)


def test_a_sum_is_explained_without_error() -> None:
    """Of parts that do not depend on each other, any order tells all."""
    row, background = table(30, 1, 0), table(30, 40, 1)
    found = shapley_values(lambda data: sum(data.values()), row, background)
    assert found.errors is not None
    assert max(found.errors.values()) < 1e-12
    expected = {name: row[name][0] - values.mean() for name, values in background.items()}
    assert found.values == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("columns", [3, 10, 11, 33, 200, 900])
def test_answers_asked_for_are_bounded(columns: int) -> None:
    asked, largest = 0, 0

    def count(data: Table) -> Any:
        nonlocal asked, largest
        asked += len(data["x0"])
        largest = max(largest, len(data["x0"]))
        return data["x0"] + data["x1"]

    found = shapley_values(count, table(columns, 1, 0), table(columns, 64, 1))
    assert (found.errors is None) == (columns <= 10)
    assert asked <= EVALUATIONS * 1.01
    assert largest <= 8_192
    assert found.rows == (64 if columns < 256 else EVALUATIONS // (4 * (columns + 1)))


def test_the_same_request_has_the_same_explanation() -> None:
    row, background = table(20, 1, 0), table(20, 10, 1)
    assert shapley_values(bent, row, background) == shapley_values(bent, row, background)
