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


def stopping(task: str = "binary", **parts: Any) -> set[str]:
    settings = {key: parts.pop(key) for key in ("features", "statement") if key in parts}
    dataset = made(parts.pop("target"), parts.pop("classes", ("no", "yes")), **parts)
    found = analyse(dataset, problem(task, **settings)).leakage
    return {suspect.column for suspect in found if suspect.stops}


def test_a_strong_column_that_errs_stops_nothing(generator: np.random.Generator, y: Any) -> None:
    """GIVEN an AUC of 0.99 that leaves errors THEN it is named, and the run goes on."""
    strong = y * 3.5 + generator.normal(size=ROWS)
    found = analyse(made(y, strong=strong), problem()).leakage
    assert [(one.column, one.stops) for one in found] == [("strong", False)]


def test_pairs_that_decide_together(generator: np.random.Generator) -> None:
    planned = generator.integers(1, 60, ROWS).astype(float)
    took = planned + generator.normal(0, 5, ROWS).round(1)
    other = generator.normal(size=ROWS)
    late = (took > planned).astype(int)
    columns = {"days_planned": planned, "days_took": took, "other": other}
    found = reasons(target=late, **columns)
    assert len(found) == 1
    assert set(found) <= {"days_planned", "days_took"}
    assert "decides the target together with days_" in next(iter(found.values()))
    known = {"known": ["days_planned"]}
    assert stopping(target=late, features=known, **columns) == {"days_took"}
    assert stopping(target=(took > 1.2 * planned).astype(int), **columns)
    assert not stopping(target=(took > planned + other * 8).astype(int), **columns)


def test_times_that_decide_together(generator: np.random.Generator) -> None:
    due = START + generator.integers(0, 300 * DAY, ROWS)
    done = due + generator.integers(-5 * DAY, 5 * DAY, ROWS)
    assert stopping(target=(done > due).astype(int), due=due, done=done)
    days = (done - due) / DAY
    assert stopping("regression", target=days, classes=(), due=due, done=done)
    grade = np.digitize(days, [-1, 1])
    assert stopping("multiclass", target=grade, classes=("early", "due", "late"), a=due, b=done)


def test_a_counter_of_sorted_rows(generator: np.random.Generator) -> None:
    y = np.repeat([0, 1, 0], [400, 300, 300])
    assert stopping(target=y, row=np.arange(ROWS) + 0.0, x=generator.normal(size=ROWS)) == {"row"}
    kinds = np.sort(generator.integers(0, 5, ROWS))
    found = stopping(
        "multiclass", target=kinds, classes=tuple("abcde"), row=generator.normal() + np.arange(ROWS)
    )
    assert found == {"row"}


def test_copies_of_the_target(generator: np.random.Generator) -> None:
    price = generator.gamma(2, 50, ROWS)
    columns = {
        "with_tax": (price * 1.19).round(2),
        "band": np.array(["low", "middle", "high"])[np.digitize(price, [60, 140])],
        "dear": (price > 100).astype(float),
        "like": price * generator.normal(1, 0.05, ROWS),
        "shop": generator.choice(["a", "b"], ROWS),
    }
    assert stopping("regression", target=price, classes=(), **columns) == {
        "with_tax", "band", "dear",
    }  # fmt: skip
    grade = generator.integers(0, 6, ROWS)
    slips = np.where(np.arange(ROWS) % 500 == 0, 0, grade)
    copies = {"code": slips + 10.0, "name": np.char.add("grade ", slips.astype(str))}
    names = tuple(f"g{k}" for k in range(6))
    assert stopping("multiclass", target=grade, classes=names, **copies) == {"code", "name"}


def test_classes_in_the_order_of_a_measure_are_no_copy(generator: np.random.Generator) -> None:
    taste = generator.uniform(0, 10, ROWS)
    stars = np.clip(np.round(taste + generator.normal(0, 0.35, ROWS)), 0, 9).astype(int)
    names = tuple(map(str, range(10)))
    assert stopping("multiclass", target=stars, classes=names, taste=taste) == set()


def test_a_measure_that_the_question_names_is_what_it_is_answered_from(
    generator: np.random.Generator,
) -> None:
    """GIVEN a rule over a known measure THEN its threshold is no leak; a code of the class is."""
    reading = generator.integers(0, 500, ROWS).astype(float)
    y = (reading >= 300).astype(int)
    asks = "Has this meter passed the reading at which it starts again?"
    assert stopping(target=y, reading=reading) == {"reading"}
    assert stopping(target=y, statement=asks, reading=reading) == set()
    assert stopping(target=y, statement=asks, reading=y + 1.0) == {"reading"}
    assert stopping(target=y, statement=asks, reading_2=reading) == {"reading_2"}
    pressure = generator.normal(3, 0.2, ROWS).round(2)
    assert stopping(target=y, statement=asks, reading=reading, pressure=pressure) == set()
    known = {"known": ["reading"]}
    assert stopping(target=y, features=known, reading=reading, pressure=pressure) == set()


@pytest.mark.parametrize(
    "confirm", [{"features": {"known": ["x"]}}, {"baseline": {"rule": "x > 0"}}]
)
def test_what_the_contract_confirms_is_no_suspect(
    generator: np.random.Generator, confirm: dict[str, Any]
) -> None:
    x = generator.normal(size=ROWS)
    assert analyse(made((x > 0).astype(int), x=x), problem(**confirm)).leakage == []


def test_the_limit_is_the_contracts(generator: np.random.Generator, y: Any) -> None:
    dataset = made(y, good=y * 3 + generator.normal(size=ROWS))
    assert analyse(dataset, problem()).leakage == []
    strict = problem(analysis={"leakage": 0.8})
    assert analyse(dataset, strict).leakage_suspects == ["good"]
