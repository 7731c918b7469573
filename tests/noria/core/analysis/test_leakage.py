"""Leakage suspects: one planted for each reason, and none where there is nothing to suspect."""

from typing import Any

import numpy as np
import pytest

from noria.core.analysis.analyse import analyse
from tests.support.data_frames import problem
from tests.support.planted_columns import DAY, HOUR, START, made, noise, with_missing

ROWS = 1000


def reasons(task: str = "binary", known_afterwards: Any = (), **parts: Any) -> dict[str, str]:
    dataset = made(parts.pop("target"), parts.pop("classes", ("no", "yes")), **parts)
    analysis = analyse(dataset, problem(task), known_afterwards)
    assert analysis.leakage_suspects == [suspect.column for suspect in analysis.leakage]
    return {suspect.column: suspect.reason for suspect in analysis.leakage}


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def y(generator: np.random.Generator) -> Any:
    return (generator.random(ROWS) < 0.3).astype(int)


def test_too_good_to_be_true(generator: np.random.Generator, y: Any) -> None:
    score = y * 10 + generator.normal(size=ROWS)
    good = y + generator.normal(size=ROWS)
    found = reasons(target=y, score=score, good=good, verdict=np.where(y == 1, "late", "fine"))
    assert set(found) == {"score", "verdict"}
    assert found["score"] == "nearly determines the target alone (ROC AUC 1)"


def test_a_perfect_match_of_few_rows_is_chance() -> None:
    few = made([0, 1, 0, 1], x=[1.0, 2.0, 1.0, 2.0])
    assert analyse(few, problem()).leakage == []


def test_a_time_after_the_event(generator: np.random.Generator, y: Any) -> None:
    times = START + HOUR * np.arange(ROWS)
    landed = times + generator.integers(1, DAY, ROWS)
    booked = times - generator.integers(1, DAY, ROWS)
    rarely = np.where(np.arange(ROWS) % 4 == 0, landed, booked)
    found = reasons(target=y, times=times, same=times, landed=landed, booked=booked, rarely=rarely)
    assert set(found) == {"landed"}
    assert found["landed"].startswith("lies after the event time in 100% of the rows")


def test_missing_times_are_not_late(y: Any) -> None:
    times = START + HOUR * np.arange(ROWS)
    landed = with_missing(times + HOUR, np.arange(ROWS) % 3 > 0)
    found = reasons(target=y, times=with_missing(times, np.arange(ROWS) % 5 == 0), landed=landed)
    assert "landed" in found


def test_filled_only_for_one_class(generator: np.random.Generator, y: Any) -> None:
    reason = generator.integers(0, 3, ROWS).astype(str)
    sometimes = (y == 1) & (generator.random(ROWS) < 0.5)  # half of the positives have one
    innocent = generator.random(ROWS) < 0.5
    found = reasons(
        target=y, refund=with_missing(reason, ~sometimes), other=with_missing(reason, innocent)
    )
    assert set(found) == {"refund"}
    count, base = int(sometimes.sum()), np.mean(y)
    assert found["refund"] == (
        f"is filled in {count} rows, of which 100.0% have the target 'yes' ({base:.1%} of all rows)"
    )


def test_empty_only_for_one_class_of_many(generator: np.random.Generator) -> None:
    y = generator.integers(0, 4, ROWS)
    arrived = with_missing(generator.normal(size=ROWS), y == 2)
    found = reasons("multiclass", target=y, classes=("a", "b", "c", "d"), arrived=arrived)
    assert "is empty in" in found["arrived"]
    assert "target 'c'" in found["arrived"]


def test_filled_only_for_high_targets(generator: np.random.Generator) -> None:
    cost = np.round(np.maximum(generator.normal(size=ROWS), 0), 3)
    repair = with_missing(generator.integers(0, 5, ROWS).astype(str), cost == 0)
    other = with_missing(generator.normal(size=ROWS), generator.random(ROWS) < 0.5)
    found = reasons("regression", target=cost, classes=(), repair=repair, other=other)
    assert set(found) == {"repair"}
    assert "whether the target is high or low" in found["repair"]


def test_known_afterwards_by_transform(generator: np.random.Generator, y: Any) -> None:
    x = generator.normal(size=ROWS)
    leak = y * 10 + x
    found = reasons(
        target=y, x=x, air_time=x[::-1], leak=leak, known_afterwards=["leak", "air_time", "gone"]
    )
    assert set(found) == {"air_time", "leak"}, "columns that are no features are not suspected"
    assert found["air_time"] == (
        "is filled where the outcome is known and empty where it is still to come"
    )
    assert found["leak"].startswith("nearly determines the target alone")
    assert found["leak"].endswith(found["air_time"])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 5), ("regression", 0)])
def test_noise_is_not_suspected(seed: int, task: str, classes: int) -> None:
    for rows in (30, 300, 2000):
        assert analyse(noise(seed, rows, classes), problem(task)).leakage == []


def test_the_limit_is_the_contracts(generator: np.random.Generator, y: Any) -> None:
    dataset = made(y, good=y * 3 + generator.normal(size=ROWS))
    assert analyse(dataset, problem()).leakage == []
    strict = problem(analysis={"leakage": 0.8})
    assert analyse(dataset, strict).leakage_suspects == ["good"]
