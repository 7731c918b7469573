"""The sample data, and traffic made from it."""

import json
from pathlib import Path

import pytest

from infra.cli.demo_data import write_flights, write_months
from infra.cli.demo_traffic import DemoTraffic, make_traffic
from noria.contracts import Problem

CONTRACT = Path(__file__).parents[3] / "infra" / "problems" / "flight_delays.yaml"
FIELDS = [
    {"name": "distance", "type": "number"},
    {"name": "origin", "type": "category"},
    {"name": "time_hour", "type": "timestamp"},
    {"name": "temp", "type": "number"},
    {"name": "planes_year", "type": "number"},
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """January of the sample."""
    return write_flights(tmp_path_factory.mktemp("sample"), [1])


@pytest.fixture(scope="module")
def traffic(files: dict[str, list[Path]]) -> DemoTraffic:
    """A little of January as requests."""
    paths = {name: found[0] for name, found in files.items()}
    return make_traffic(Problem.load(CONTRACT), paths, FIELDS, most=200, seed=1)


def test_the_sample_has_the_contracts_sources(files: dict[str, list[Path]]) -> None:
    assert set(files) == {source.name for source in Problem.load(CONTRACT).sources}
    assert files["flights"][0].name == "flights-2013-01.csv"
    assert len(files["flights"][0].read_text().splitlines()) == 27_004 + 1


def test_nobody_has_tomorrows_weather(files: dict[str, list[Path]]) -> None:
    months = {line.split(",")[2] for line in files["weather"][0].read_text().splitlines()[1:]}
    assert months == {"1"}


def test_months_are_whole_and_apart(tmp_path: Path) -> None:
    first, second = write_months(tmp_path, [2, 3])
    assert {line.split(",")[1] for line in first.read_text().splitlines()[1:]} == {"2"}
    assert {line.split(",")[1] for line in second.read_text().splitlines()[1:]} == {"3"}


def test_requests_hold_the_models_fields_and_nothing_else(traffic: DemoTraffic) -> None:
    assert len(traffic.rows) == len(traffic.labels) == 200
    for row in traffic.rows:
        assert list(row) == [field["name"] for field in FIELDS]
    json.dumps(traffic.rows, allow_nan=False)


def test_requests_come_in_time_order_and_are_joined(traffic: DemoTraffic) -> None:
    times = [row["time_hour"] for row in traffic.rows]
    assert times == sorted(times)
    assert times[0].startswith("2013-01-0")
    assert sum(row["temp"] is not None for row in traffic.rows) > 190
    assert sum(row["planes_year"] is not None for row in traffic.rows) > 100


def test_labels_are_known_where_the_flight_arrived(traffic: DemoTraffic) -> None:
    assert set(traffic.labels) <= {"true", "false", None}
    assert 10 < traffic.labels.count("true") < 100
