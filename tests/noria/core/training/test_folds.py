"""Folds that can be scored, whatever the season of a class or its share of the rows."""

from dataclasses import replace

import numpy as np
import pytest

from noria.core.data.dataset import Column, Dataset
from noria.core.training.folds import folds_of
from noria.errors import DataError

DAY = 86_400


def rows_of(
    target: np.ndarray, times: np.ndarray | None = None, classes: tuple[str, ...] = ("no", "yes")
) -> Dataset:
    rows = len(target)
    return Dataset(
        (Column("n", "number"),), {"n": np.zeros(rows)}, target, classes,
        np.zeros(rows, dtype=bool), times,
    )  # fmt: skip


def in_winter(days: int = 320, sites: int = 4, last: int = 46) -> tuple[np.ndarray, np.ndarray]:
    """Positives of the first weeks only, several rows a day."""
    day = np.repeat(np.arange(days), sites)
    return np.where((day < last) & (np.arange(len(day)) % 3 == 0), 1, 0), day * DAY


def both(target: np.ndarray, rows: np.ndarray) -> bool:
    return len(np.unique(target[rows])) > 1


def test_a_season_of_the_positives_moves_the_borders() -> None:
    target, times = in_winter()
    found = folds_of(rows_of(target, times), 5, 0)
    assert len(found.splits) == 5
    assert "borders moved" in found.note
    for train, test in found.splits:
        assert both(target, train)
        assert both(target, test)
        assert times[train].max() < times[test].min()
        assert np.bincount(target[test])[1] >= 5
    assert found.splits[-1][1][-1] == len(target) - 1


def test_equal_folds_stay_where_they_can_be_scored() -> None:
    target = np.arange(600) % 2
    found = folds_of(rows_of(target, np.arange(600) * DAY), 5, 0)
    assert [len(test) for _, test in found.splits] == [100] * 5
    assert found.note == ""


@pytest.mark.parametrize(("positives", "folds"), [(2, 1), (3, 2), (4, 3), (12, 5)])
def test_a_rare_class_has_as_many_folds_as_it_allows(positives: int, folds: int) -> None:
    target = np.zeros(400, dtype=int)
    target[np.linspace(3, 60, positives).astype(int)] = 1
    found = folds_of(rows_of(target, np.arange(400) * DAY), 5, 0)
    assert 1 <= len(found.splits) <= folds
    assert all(both(target, train) and both(target, test) for train, test in found.splits)
    assert "borders moved" in found.note


@pytest.mark.parametrize("seed", range(30))
def test_every_class_that_can_is_in_every_part(seed: int) -> None:
    """Seasons of several classes, many rows an instant: what is found can always be scored."""
    generator = np.random.default_rng(seed)
    count = int(generator.integers(2, 5))
    times = np.sort(generator.integers(0, generator.integers(20, 300), 500)) * DAY
    start = generator.integers(0, 250, count) * DAY
    open_now = (times[:, None] >= start) & (times[:, None] < start + 120 * DAY)
    open_now[:, 0] = True
    chance = open_now * generator.random((500, count))
    target = chance.argmax(axis=1)
    classes = tuple("abcd"[:count])
    try:
        found = folds_of(rows_of(target, times, classes), 4, 0)
    except DataError as error:
        assert "collect more" in str(error)
        return
    assert found.splits
    for train, test in found.splits:
        assert times[train].max() < times[test].min()
    scored = [both(target, train) and both(target, test) for train, test in found.splits]
    assert all(scored) or (any(scored) and "cannot be scored" in found.note)


def test_positives_of_one_instant_are_named_with_the_remedy() -> None:
    target = np.zeros(300, dtype=int)
    target[20:24] = 1
    times = np.where(target == 1, 20, np.arange(300)) * DAY
    with pytest.raises(DataError, match=r"4 training rows with 'yes', from 1970-01-21T00:00:00"):
        folds_of(rows_of(target, times), 5, 0)
    with pytest.raises(DataError, match="collect more of them at other times"):
        folds_of(rows_of(np.repeat([0, 1], 150), np.arange(300) * DAY), 5, 0)


def test_without_time_a_rare_class_lowers_the_folds() -> None:
    target = np.where(np.arange(200) < 3, 1, 0)
    found = folds_of(rows_of(target), 5, 0)
    assert len(found.splits) == 3
    assert all(both(target, test) for _, test in found.splits)
    assert "3 folds in place of 5: 3 training rows with 'yes'" in found.note
    with pytest.raises(DataError, match="1 training row with 'yes'"):
        folds_of(rows_of(np.where(np.arange(200) < 1, 1, 0)), 5, 0)


def test_a_class_of_one_row_does_not_lower_the_folds_of_the_others() -> None:
    target = np.where(np.arange(200) < 1, 2, np.arange(200) % 2)
    found = folds_of(rows_of(target, classes=("a", "b", "c")), 5, 0)
    assert len(found.splits) == 5
    assert all(both(target, test) for _, test in found.splits)


def test_numbers_that_rest_for_a_season_move_the_borders() -> None:
    wet, times = in_winter()
    target = wet * np.linspace(1, 2, len(wet))
    found = folds_of(rows_of(target, times, classes=()), 5, 0)
    assert found.splits
    assert all(np.ptp(target[test]) > 0 for _, test in found.splits)
    with pytest.raises(DataError, match="the target changes at one time only"):
        folds_of(rows_of(np.repeat([0.0, 1.0], [101, 99]), np.arange(200) * DAY, classes=()), 5, 0)


def test_rows_whose_outcome_is_not_known_yet_are_left_out() -> None:
    """GIVEN outcomes that come after five days THEN no model learns what it could not know."""
    target, times = np.arange(600) % 2, np.arange(600) * DAY
    found = folds_of(rows_of(target, times), 5, 0, gap=5 * DAY)
    assert (len(found.splits), found.note) == (5, "")
    for train, test in found.splits:
        assert times[train].max() == times[test].min() - 6 * DAY


def test_a_gap_that_takes_half_of_the_rows_is_told_and_not_kept() -> None:
    target, times = np.arange(600) % 2, np.arange(600) * DAY
    found = folds_of(rows_of(target, times), 5, 0, gap=60 * DAY)
    left = [times[test].min() - times[train].max() for train, test in found.splits]
    assert left[:1] == [DAY]
    assert left[1:] == [61 * DAY] * 4
    assert found.note.startswith("1 fold of 5 without the gap of monitoring.label_delay")


@pytest.mark.parametrize("classes", [("no", "yes"), ()])
def test_the_rows_of_an_entity_stay_on_one_side(classes: tuple[str, ...]) -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 10)
    target = np.arange(600) % 2 if classes else generator.normal(size=600)
    rows = replace(rows_of(target, classes=classes), groups=generator.permutation(groups))
    found = folds_of(rows, 5, 0)
    assert len(found.splits) == 5
    assert sorted(np.concatenate([test for _, test in found.splits])) == list(range(600))
    for train, test in found.splits:
        assert rows.groups is not None
        assert not set(rows.groups[train]) & set(rows.groups[test])


def test_entities_of_one_class_each_are_dealt_out_or_told() -> None:
    groups = np.repeat([0, 1, 2, 3], 50)
    rows = replace(rows_of((groups == 3).astype(int)), groups=groups)
    with pytest.raises(DataError, match="folds of whole entities can be scored"):
        folds_of(rows, 5, 0)
