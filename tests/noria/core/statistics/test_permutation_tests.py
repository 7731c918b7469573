"""Chance is not called signal, whatever neighbours in time share; signal is still found."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.statistics.autocorrelation import time_blocks
from noria.core.statistics.permutation_tests import PermutationTest, permutation_test
from tests.support.examples import examples, most_by_chance, repeats
from tests.support.random_walks import remembering, walk

Array = Any
Drawn = Callable[[np.random.Generator], tuple[Array, Array, Array]]
ROWS, DRAWS = 400, 200


def judged(drawn: tuple[Array, Array, Array], seed: int) -> PermutationTest:
    y, prediction, times = drawn
    return permutation_test(y, prediction, DRAWS, np.random.default_rng(seed), times)


def share_below(limit: float, drawn: Drawn, seeds: int = 400) -> float:
    found = [judged(drawn(np.random.default_rng(seed)), seed).p_value for seed in range(seeds)]
    return float(np.mean(np.array(found) <= limit))


def halves(values: Array) -> Array:
    return (values > np.median(values)).astype(np.int64)


def panel(generator: np.random.Generator, entities: int = 20, each: int = 40) -> Any:
    """All entities of a time share what moved target and feature then; neither knows the other."""
    y, x = np.repeat(walk(generator, each), entities), np.repeat(walk(generator, each), entities)
    own = generator.normal(size=(2, entities * each))
    return y + own[0], x + own[1] / 4, np.repeat(np.arange(each), entities)


def few_times(generator: np.random.Generator) -> Any:
    y, x = (np.repeat(generator.normal(size=5), 80) for _ in range(2))
    return y + generator.normal(size=400), x + generator.normal(size=400), np.arange(400) // 80


UNRELATED: dict[str, Drawn] = {
    "random walks": lambda g: (walk(g, ROWS), walk(g, ROWS), np.arange(ROWS)),
    "random walks, two classes": lambda g: (halves(walk(g, ROWS)), walk(g, ROWS), np.arange(ROWS)),
    "random walks, 40 rows": lambda g: (walk(g, 40), walk(g, 40), np.arange(40)),
    "random walks, 12 rows": lambda g: (walk(g, 12), walk(g, 12), np.arange(12)),
    "long memory": lambda g: (
        remembering(g, 0.9, ROWS),
        remembering(g, 0.9, ROWS),
        np.arange(ROWS),
    ),
    "no memory": lambda g: (g.normal(size=ROWS), g.normal(size=ROWS), np.arange(ROWS)),
    "few positives": lambda g: ((g.random(ROWS) < 0.05) * 1, g.random(ROWS), np.arange(ROWS)),
    "three classes": lambda g: (
        np.digitize(walk(g, ROWS), [-5, 5]),
        np.column_stack([walk(g, ROWS) for _ in range(3)]),
        np.arange(ROWS),
    ),
    "a panel": panel,
    "five times": few_times,
}


@pytest.mark.parametrize("name", UNRELATED)
def test_the_unrelated_is_called_signal_as_seldom_as_asked(name: str) -> None:
    """Of 400 draws 20 are below 0.05 on average, 34 or more once in 1,000 times."""
    count = repeats(400, 120)
    for limit in (0.05, 0.01):
        most = most_by_chance(count, limit, 1e-3)
        assert share_below(limit, UNRELATED[name], count) <= most / count


def test_it_is_no_rarer_than_asked_either() -> None:
    """A test that never calls would pass the one above: walks are called at the rate asked for."""
    assert share_below(0.2, UNRELATED["random walks"]) == pytest.approx(0.2, abs=0.06)


def test_shuffled_rows_would_call_walks_signal() -> None:
    """What the stretches are for: without times the same walks are called in half of the cases."""
    assert share_below(0.05, lambda g: (walk(g, ROWS), walk(g, ROWS), None), 100) > 0.3


def test_a_relation_is_found_among_rows_that_are_alike() -> None:
    def follows(generator: np.random.Generator) -> Any:
        x = walk(generator, ROWS)
        return x + 3 * generator.normal(size=ROWS), x, np.arange(ROWS)

    def follows_among_walks(generator: np.random.Generator) -> Any:
        x = walk(generator, ROWS)
        return x + walk(generator, ROWS), x, np.arange(ROWS)

    def follows_with_memory(generator: np.random.Generator) -> Any:
        x = remembering(generator, 0.9, ROWS)
        return (x + 5 * generator.normal(size=ROWS) > 0) * 1, x, np.arange(ROWS)

    def in_a_panel(generator: np.random.Generator) -> Any:
        y, x, times = panel(generator)
        return y + 3 * x, x, times

    for relation in (follows, follows_among_walks, follows_with_memory, in_a_panel):
        assert share_below(0.01, relation, 50) >= 0.8, relation.__name__


def test_rows_without_memory_lose_little() -> None:
    def weak(generator: np.random.Generator, timed: bool) -> Any:
        x = generator.normal(size=ROWS)
        times = np.arange(ROWS) if timed else None
        return 0.2 * x + generator.normal(size=ROWS), x, times

    with_times = share_below(0.05, lambda g: weak(g, True), 200)
    assert with_times > share_below(0.05, lambda g: weak(g, False), 200) - 0.1


def test_the_order_of_the_rows_does_not_matter() -> None:
    y, x, times = panel(np.random.default_rng(3))
    mixed = np.random.default_rng(4).permutation(len(y))
    assert judged((y[mixed], x[mixed], times[mixed]), 0) == judged((y, x, times), 0)


def test_equal_answers_are_no_signal() -> None:
    y = np.random.default_rng(0).integers(0, 2, ROWS)
    for times in (None, np.arange(ROWS), np.arange(ROWS) // 100):
        assert judged((y, np.full(ROWS, 0.3), times), 0).p_value == 1


def test_what_was_drawn_is_said() -> None:
    y = np.random.default_rng(0).normal(size=80)
    rows = judged((y, y, None), 0)
    assert (rows.drawn, rows.blocks, rows.p_value) == ("rows", 0, 1 / (1 + DRAWS))
    assert "permutation test, p = 0.005" in rows.sentence
    timed = judged((y, y, np.arange(80)), 0)
    assert (timed.drawn, timed.blocks) == ("signs of time blocks", 16)
    assert "sign-flip test over 16 time blocks, p = " in timed.sentence
    few = judged((y, y, np.arange(80) // 20), 0)
    assert (few.drawn, few.blocks) == ("rows within time blocks", 4)
    assert "permutation test within 4 time blocks, p = " in few.sentence


@examples(300)
@given(times=st.lists(st.integers(0, 60), min_size=1, max_size=200), most=st.integers(8, 40))
def test_stretches_keep_a_time_together_and_the_order(times: list[int], most: int) -> None:
    values = np.array(times)
    found = time_blocks(values, most)
    assert set(found.tolist()) == set(range(found.max() + 1))
    assert found.max() < most
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert len(set(zip(times, found.tolist(), strict=True))) == len(set(times))


def test_stretches_are_about_equal_and_fewer_for_few_rows() -> None:
    assert np.bincount(time_blocks(np.arange(1600), 16)).tolist() == [100] * 16
    assert time_blocks(np.arange(40), 16).max() + 1 == 10
    assert time_blocks(np.arange(20), 16).max() + 1 == 8
    assert time_blocks(np.arange(6), 16).max() + 1 == 3
