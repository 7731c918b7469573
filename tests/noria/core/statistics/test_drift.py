"""Drift is seen when data move, and is not an effect of the sample's size."""

import time

import numpy as np
import pytest

from noria.core.data.dataset import Column, Dataset
from noria.core.statistics.drift import DriftReference, DriftReport, build_reference, measure_drift

COLUMNS = (
    Column("size", "number"),
    Column("few", "number"),
    Column("place", "category"),
    Column("at", "timestamp"),
)


def table(rows: int, seed: int, shift: float = 0.0, place: str = "c") -> Dataset:
    generator = np.random.default_rng(seed)
    size = generator.normal(shift, size=rows)
    size[generator.random(rows) < 0.1] = np.nan
    return Dataset(
        COLUMNS,
        {
            "size": size,
            "few": generator.integers(0, 3, rows),
            "place": generator.choice(["a", "b", place, ""], rows),
            "at": np.arange(rows) + seed * 10**8,
        },
        generator.integers(0, 2, rows),
        ("0", "1"),
        np.zeros(rows, bool),
    )


def scores(rows: int, seed: int, power: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).random(rows) ** power


@pytest.fixture(scope="module")
def reference() -> DriftReference:
    made = build_reference(table(20_000, 0), scores(20_000, 0), {"size": 0.2, "place": 0.1})
    return DriftReference.model_validate_json(made.model_dump_json())


def test_timestamps_are_left_out(reference: DriftReference) -> None:
    assert set(reference.columns) == {"size", "few", "place"}


@pytest.mark.parametrize("rows", [150, 1_000, 30_000])
def test_no_drift_stays_quiet_at_any_size(reference: DriftReference, rows: int) -> None:
    found = [
        measure_drift(reference, table(rows, seed).data, scores(rows, seed)).drift
        for seed in range(1, 31)
    ]
    assert max(found) < 0.2
    assert np.mean(found) < 0.05


@pytest.mark.parametrize("rows", [150, 1_000, 30_000])
def test_a_moved_column_is_seen_at_any_size(reference: DriftReference, rows: int) -> None:
    moved = measure_drift(reference, table(rows, 5, shift=1.5).data, scores(rows, 5))
    assert moved.drift > 0.5
    assert moved.columns[0].name == "size"
    assert "size" in moved.reasons[1]
    assert DriftReport.model_validate_json(moved.model_dump_json()) == moved


def test_a_moved_prediction_alone_is_seen(reference: DriftReference) -> None:
    assert measure_drift(reference, table(2_000, 6).data, scores(2_000, 6, power=4)).drift > 0.2


def test_what_the_model_ignores_raises_no_alarm(reference: DriftReference) -> None:
    rows = table(2_000, 7).data | {"few": np.full(2_000, 2.0, dtype=np.float32)}
    found = measure_drift(reference, rows, scores(2_000, 7))
    few = next(one for one in found.columns if one.name == "few")
    assert few.psi > 1
    assert found.drift < 0.1


def test_new_categories_and_lost_columns_count(reference: DriftReference) -> None:
    new = measure_drift(reference, table(2_000, 8, place="zz").data, scores(2_000, 8))
    assert next(one for one in new.columns if one.name == "place").psi > 0.5
    rows = table(2_000, 8).data
    del rows["size"]
    lost = measure_drift(reference, rows, scores(2_000, 8))
    assert lost.columns[0].missing == 1
    assert lost.drift > 0.5


def test_expected_value_is_that_of_the_source() -> None:
    """Before the correction the mean PSI of equal populations is (bins - 1)(1/n + 1/m)."""
    one = np.mean([compare_once(seed) for seed in range(200, 320)])
    assert one == pytest.approx(9 * (1 / 2_000 + 1 / 500), rel=0.15)


def compare_once(seed: int) -> float:
    made = build_reference(table(10, 0), scores(2_000, seed + 10_000))
    report = measure_drift(made, table(500, seed).data, scores(500, seed)).predictions
    assert report is not None
    return report.raw_psi


def test_distance_runs_from_nothing_to_one(reference: DriftReference) -> None:
    same = measure_drift(reference, table(20_000, 0).data, scores(20_000, 0))
    assert {one.distance for one in same.columns} == {0}
    far = table(1_000, 1).data | {"place": np.full(1_000, "zz")}
    place = next(
        one
        for one in measure_drift(reference, far, scores(1_000, 1)).columns
        if one.name == "place"
    )
    assert place.distance == pytest.approx(1)


def test_many_classes_are_compared_by_label() -> None:
    generator = np.random.default_rng(0)
    made = build_reference(table(900, 0), generator.dirichlet(np.ones(3), 900))
    same = measure_drift(made, table(900, 1).data, generator.dirichlet(np.ones(3), 900))
    moved = measure_drift(made, table(900, 1).data, generator.dirichlet([9, 1, 1], 900))
    assert same.drift < 0.1 < 0.5 < moved.drift


def test_nothing_to_compare_is_no_drift(reference: DriftReference) -> None:
    report = measure_drift(reference, {}, np.zeros(0))
    assert report.drift == 0
    assert report.reasons == ["no rows"]


def test_a_large_sample_takes_moments(reference: DriftReference) -> None:
    rows = table(200_000, 3).data
    start = time.process_time()
    measure_drift(reference, rows, scores(200_000, 3))
    assert time.process_time() - start < 3
