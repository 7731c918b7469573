"""Block bootstrap: how long rows are alike, and that intervals of such rows cover the truth."""

from typing import Any

import numpy as np
import pytest

from noria.core.statistics import metrics
from noria.core.statistics.autocorrelation import SerialDependence, block_length, serial_dependence
from noria.core.statistics.permutation_tests import target_columns
from noria.core.statistics.resampled_scores import Bounds, drawn_counts, resampled_scores
from tests.support.random_walks import remembering, walk

ROWS = 800


def length(share: float, rows: int = 2000) -> float:
    found = [
        block_length(remembering(np.random.default_rng(seed), share, rows)) for seed in range(20)
    ]
    return float(np.median(found))


def test_the_longer_the_memory_the_longer_the_blocks() -> None:
    lengths = [length(share) for share in (0.0, 0.3, 0.7, 0.9)]
    assert lengths[0] == 1
    assert lengths == sorted(lengths)
    assert 20 < lengths[2] < 40


def test_the_length_follows_its_formula() -> None:
    """For an autoregression (2 G² n / D)^(1/3) with G = 2a / (1-a)², D = 4/3 (1+a)²/(1-a)²."""
    a = 0.7
    slope, spread = 2 * a / (1 - a) ** 2, (1 + a) / (1 - a)
    expected = (2 * slope**2 / (4 / 3 * spread**2) * 20_000) ** (1 / 3)
    assert length(a, 20_000) == pytest.approx(expected, rel=0.15)


def test_no_block_is_longer_than_its_bound() -> None:
    for rows in (1, 2, 5, 30, 400, 3000):
        series = walk(np.random.default_rng(rows), rows)
        assert 1 <= block_length(series) <= max(1, min(3 * np.sqrt(rows), rows / 3))
    assert block_length(np.ones(100)) == 1
    assert block_length(np.array([1.0, -1.0] * 200)) == 1


def test_neighbours_in_time_are_drawn_together() -> None:
    times = np.random.default_rng(0).permutation(60)
    order = np.argsort(times)
    counts = drawn_counts(60, 50, np.random.default_rng(1), SerialDependence(order, 20))
    assert (counts.sum(axis=1) == 60).all()
    in_time = counts[:, order]
    changes = (np.diff(np.column_stack([in_time, in_time[:, 0]]), axis=1) != 0).sum(axis=1)
    assert changes.max() <= 6, "three blocks have six ends"
    lone = drawn_counts(60, 50, np.random.default_rng(1), SerialDependence(order, 1))
    assert (np.diff(lone[:, order], axis=1) != 0).sum(axis=1).min() > 20


def coverage(share: float) -> tuple[float, float]:
    """How often the interval of an RMSE holds the true one: rows drawn alone, and in blocks."""

    def drawn(seed: int, rows: int) -> tuple[Any, Any]:
        generator = np.random.default_rng(seed)
        scale = np.sqrt(1 - share**2)
        x, errors = (scale * remembering(generator, share, rows) for _ in range(2))
        return x + errors, x

    hits = np.zeros((100, 2))
    for seed in range(100):
        y, answer = drawn(seed, ROWS)
        found = serial_dependence(target_columns(y, answer), np.arange(ROWS))
        for place, together in enumerate((None, found)):
            counts = drawn_counts(ROWS, 200, np.random.default_rng(seed), together)
            low, high = Bounds.of(resampled_scores("rmse", y, answer, counts), 0.95)
            hits[seed, place] = low <= 1 <= high
    alone, blocks = hits.mean(axis=0).tolist()
    return alone, blocks


def test_intervals_of_rows_with_memory_cover_the_truth() -> None:
    alone, blocks = coverage(0.9)
    assert blocks >= 0.85
    assert alone < 0.7, "drawn alone, such rows promise too much"


def test_intervals_of_rows_without_memory_stay_as_they_are() -> None:
    alone, blocks = coverage(0.0)
    assert blocks >= 0.88
    assert abs(alone - blocks) <= 0.04


def test_a_precision_that_is_asked_for_is_scored_in_every_resample() -> None:
    generator = np.random.default_rng(2)
    y, guess = generator.integers(0, 2, 60), generator.random(60).round(1)
    counts = drawn_counts(60, 20, generator)
    for measure in ("recall_at_precision", "recall_at_precision@0.5"):
        found = resampled_scores(measure, y, guess, counts)
        alone = [metrics.score(measure, y, guess, weights) for weights in counts]
        assert found == pytest.approx(alone)
