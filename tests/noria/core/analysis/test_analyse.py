"""Analysis: relations to the target, drift, what is missing; on real sets and on the flights."""

import json

import numpy as np
import pytest

from noria.contracts import Problem
from noria.core.analysis.analyse import AnalysisResult, analyse
from noria.core.cleansing.joins import join_sources
from noria.core.data.dataset import Dataset
from noria.core.statistics.association import category_to_target, holm, number_to_target
from tests.support.data_frames import FLIGHTS, bundled, dataset_of, flights, numbers, problem
from tests.support.examples import most_by_chance, repeats
from tests.support.planted_columns import DAY, HOUR, START, made, noise, with_missing

SETS = {
    "breast_cancer": ("binary", {"metric": "roc_auc", "threshold": 0.95}),
    "diabetes": ("regression", {"metric": "r2", "threshold": 0.3}),
    "wine": ("multiclass", {"metric": "accuracy", "threshold": 0.9}),
}


@pytest.mark.parametrize("name", SETS)
def test_real_sets_have_columns_that_bear(name: str) -> None:
    task, objective = SETS[name]
    contract = problem(task, objective=objective)
    analysis = analyse(dataset_of(bundled(name), contract), contract)
    assert any(column.related.significant for column in analysis.columns)
    assert analysis.leakage == []
    assert (analysis.time, analysis.seasons, analysis.heat_map) == (None, [], None)
    assert analysis.shifts.columns == []
    json.dumps(analysis.model_dump(mode="json"), allow_nan=False)


def test_sizes_of_one_tumour_say_the_same() -> None:
    contract = problem(objective={"metric": "roc_auc", "threshold": 0.95})
    analysis = analyse(dataset_of(bundled("breast_cancer"), contract), contract)
    pairs = {frozenset((pair.first, pair.second)) for pair in analysis.redundant}
    assert frozenset(("mean radius", "mean area")) in pairs
    assert not any("texture" in name for pair in pairs for name in pair)


def test_relations_measure_what_they_say() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 500)
    assert number_to_target(y + 0.1 * generator.normal(size=500), y, 2).value > 0.99
    assert number_to_target(generator.normal(size=500), y, 2).strength < 0.15
    words = np.where(y == 1, "a", "b")
    assert category_to_target(words, y, 2).value == pytest.approx(1, abs=0.01)
    assert category_to_target(words, y * 2.5, 0).strength > 0.99
    assert number_to_target(np.full(500, 3.0), y, 2).p_value == 1
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize(
    "shares", [[0.97, 0.03], [0.99, 0.01], [0.3] + [0.7 / 19] * 19], ids=["3 %", "1 %", "20"]
)
def test_rare_categories_and_classes_are_found_as_seldom_as_chance_allows(
    shares: list[float],
) -> None:
    """GIVEN tables of nothing but chance THEN p is 0.05 or less in about five of a hundred."""
    random = np.random.default_rng(5)
    tables, found = repeats(100, 30), 0
    for _ in range(tables):
        groups = np.array([f"c{n}" for n in random.geometric(0.08, 1_000)])
        target = random.choice(len(shares), 1_000, p=shares).astype(float)
        found += category_to_target(groups, target, len(shares)).p_value <= 0.05
    # Of 100 nine, by a chance of 3 %; the approximation alone has 11 to 19.
    assert found <= most_by_chance(tables, 0.05, 0.03)
    helped = np.where(random.random(1_000) < 0.5, target, 0).astype(int).astype(str)
    assert category_to_target(helped, target, len(shares)).p_value < 1e-3


def test_leaks_and_twins_are_suspected() -> None:
    frame = numbers(500).assign(leak=lambda rows: rows["y"] * 10 + rows["noise"] / 100)
    frame["twin"] = frame["x"] * 3 + 1
    frame["code"] = np.where(frame["x"] > 0, "a", "b")
    frame["name"] = np.where(frame["x"] > 0, "Alpha", "Beta")
    analysis = analyse(dataset_of(frame, problem()), problem())
    assert analysis.leakage_suspects == ["leak"]
    pairs = {frozenset((item.first, item.second)) for item in analysis.redundant}
    assert {frozenset(("x", "twin")), frozenset(("code", "name"))} <= pairs


@pytest.fixture(scope="module")
def departures() -> Dataset:
    contract = Problem.parse(FLIGHTS)
    return dataset_of(join_sources(flights(20_000), contract), contract)


@pytest.fixture(scope="module")
def of_flights(departures: Dataset) -> AnalysisResult:
    return analyse(departures, Problem.parse(FLIGHTS), ["air_time"])


def test_delays_go_with_the_hour_and_not_with_the_day_of_the_week(
    of_flights: AnalysisResult,
) -> None:
    found = {season.name: season for season in of_flights.seasons}
    assert set(found) == {"hour of day", "day of week"}, "one year has no second January"
    assert found["hour of day"].named
    assert not found["day of week"].named
    evening, morning = (found["hour of day"].series["true"][hour] for hour in (0, 12))
    assert evening is not None and morning is not None  # noqa: PT018
    assert evening > morning + 0.1, "midnight UTC is the evening in New York"
    assert of_flights.heat_map is not None


def test_flights_have_known_pairs_and_no_leak(of_flights: AnalysisResult) -> None:
    pairs = {(pair.first, pair.second): pair for pair in of_flights.redundant}
    assert pairs["carrier", "name"].mutual
    assert not pairs["tailnum", "manufacturer"].mutual
    assert not pairs["dest", "distance"].mutual
    assert of_flights.leakage_suspects == [], "air_time is excluded, so it is no feature"
    assert not {"air_time", "arr_time", "dep_delay"} & {c.name for c in of_flights.columns}


def test_the_blizzard_of_february_is_the_gap_and_nights_are_none(
    of_flights: AnalysisResult,
) -> None:
    assert of_flights.time is not None
    assert of_flights.time.usual_pause == pytest.approx(7 * HOUR, abs=2 * HOUR)
    days = [np.datetime64(gap.start, "s").astype("datetime64[D]") for gap in of_flights.time.gaps]
    assert days == [np.datetime64("2013-02-08")]


def test_the_seasons_move_the_temperature_and_months_only_tell_the_time(
    of_flights: AnalysisResult,
) -> None:
    assert of_flights.drifted[0] in ("temp", "dewp")
    assert "month" not in of_flights.drifted
    shift = {shift.column: shift for shift in of_flights.shifts.columns}
    assert shift["month"].tells_time
    assert shift["month"].psi > 1
    assert [item.column for item in of_flights.shifts.distributions] == of_flights.drifted[:3]


def test_planes_without_a_record_lack_all_of_it(of_flights: AnalysisResult) -> None:
    together = [set(group.columns) for group in of_flights.missing.groups]
    assert any({"type", "manufacturer", "model", "seats", "engine"} <= names for names in together)
    assert not any({"pressure", "model"} <= names for names in together)


def test_patterns_count_the_rows_in_which_exactly_these_are_missing() -> None:
    rows = np.arange(1000)
    x = np.random.default_rng(0).normal(size=1000)
    dataset = made(
        rows % 2,
        a=with_missing(x, rows < 200),
        b=with_missing(x, rows < 100),
        c=with_missing(x, (rows >= 100) & (rows < 200)),
        whole=x,
    )
    missing = analyse(dataset, problem()).missing
    patterns = {tuple(pattern.columns): pattern.share for pattern in missing.patterns}
    assert patterns == {("a", "b"): 0.1, ("a", "c"): 0.1}
    assert missing.groups == []
    assert missing.columns == ["a", "b", "c"]


@pytest.mark.parametrize("rows", [120, 3000])
def test_only_what_moved_has_drifted(rows: int) -> None:
    generator = np.random.default_rng(1)
    times = START + HOUR * np.arange(rows)
    moved = generator.normal(size=rows) + 2 * (np.arange(rows) > rows / 2)
    dataset = made(
        generator.integers(0, 2, rows),
        times=times,
        still=generator.normal(size=rows),
        word=generator.choice(["a", "b"], rows),
        moved=moved,
        week=(times // DAY).astype(np.float64),
    )
    analysis = analyse(dataset, problem())
    assert analysis.drifted == ["moved"]
    assert analysis.shifts.distributions[0].series.keys() == {"first third", "last third"}


def test_chance_is_no_drift() -> None:
    """Of many columns in few rows some differ much; of many names each third has its own."""
    generator = np.random.default_rng(0)
    columns = {f"n{place}": generator.normal(size=100) for place in range(60)}
    few = made(np.arange(100) % 2, times=START + HOUR * np.arange(100), **columns)
    analysis = analyse(few, problem())
    assert max(shift.psi for shift in analysis.shifts.columns) > 0.2
    assert analysis.drifted == []
    strict = problem(monitoring={"drift": 0.01})
    for names in (400, 1000, 3000):
        name = generator.integers(0, names, 6000).astype(str)
        many = made(np.arange(6000) % 2, times=START + HOUR * np.arange(6000), name=name)
        assert analyse(many, strict).drifted == []


@pytest.mark.parametrize("seed", range(4))
def test_noise_drifts_nowhere(seed: int) -> None:
    for rows in (90, 300, 3000):
        assert analyse(noise(seed, rows), problem()).drifted == []


def test_thresholds_come_from_the_contract(departures: Dataset) -> None:
    loose = Problem.parse({**FLIGHTS, "analysis": {
        "sample_rows": 500, "significance": 1e-12, "redundancy": 0.9999, "seasonality": 0.5,
        "gap": 1000}})  # fmt: skip
    analysis = analyse(departures, loose)
    assert analysis.sampled_rows == 500
    assert not any(season.named for season in analysis.seasons)
    assert analysis.time is not None
    assert analysis.time.gaps == []
    strict = sum(column.related.significant for column in analysis.columns)
    usual = analyse(departures, Problem.parse({**FLIGHTS, "analysis": {"sample_rows": 500}}))
    assert strict < sum(column.related.significant for column in usual.columns)
    assert len(analysis.redundant) < len(usual.redundant)


@pytest.mark.parametrize("rows", [1, 2, 5, 29])
@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_a_handful_of_rows_is_described_without_findings(
    rows: int, task: str, classes: int
) -> None:
    analysis = analyse(noise(0, rows, classes), problem(task))
    assert analysis.rows == rows
    assert (analysis.redundant, analysis.leakage, analysis.drifted) == ([], [], [])
    json.dumps(analysis.model_dump(mode="json"), allow_nan=False)
