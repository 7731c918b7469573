"""`noria data push`: files go to s3 sources of the deployed contract, or nothing is uploaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from noria.contracts import Problem
from tests.infra.cli.stack import Made, made_stack, noria

FLIGHTS = Problem.load(
    Path(__file__).parents[3] / "infra" / "problems" / "flight_delays.yaml"
).to_document()
FETCHED = {"name": "holidays", "kind": "http", "url": "https://example.org/a.csv",
           "join": {"on": ["month", "day"]}}  # fmt: skip
THERE = "the s3 sources are flights, weather, planes, airlines"


@pytest.fixture
def stack() -> Iterator[Made]:
    """The flights with a source that fetches its own rows."""
    with made_stack(FLIGHTS | {"sources": [*FLIGHTS["sources"], FETCHED]}) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that could be uploaded."""
    found = tmp_path / "rows.csv"
    found.write_text("month,day\n1,1\n")
    return found


def push(*arguments: str) -> Any:
    return noria("data", "push", "flight-delays", *arguments)


def test_a_file_goes_where_the_next_run_collects_it(stack: Made, file: Path) -> None:
    done = push(f"weather={file}")
    assert (done.exit_code, done.stderr) == (0, "")
    assert stack.keys("incoming/") == ["incoming/weather/rows.csv"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("wether", f"wether: the contract has no such source; did you mean 'weather'? {THERE}"),
        ("zzz", f"zzz: the contract has no such source; {THERE}"),
        ("holidays", "holidays: is a source of kind http in contract 'flight-delays', which fetches"
         f" its rows itself; {THERE}"),
    ],
)  # fmt: skip
def test_files_for_what_is_no_s3_source(stack: Made, file: Path, source: str, told: str) -> None:
    """GIVEN one right and one wrong source THEN nothing is uploaded, not even the right one."""
    done = push(f"weather={file}", f"{source}={file}")
    assert done.exit_code == 2
    assert done.stderr.strip() == told
    assert stack.keys("incoming/") == []


def test_files_that_are_not_there(stack: Made, file: Path) -> None:
    gone = file.with_name("gone.csv")
    done = push(f"weather={file}", f"planes={gone}")
    assert done.exit_code == 2
    assert f"'planes={gone}': there is no file '{gone}'; check the path" in done.stderr
    done = push(f"weather={file}", f"planes={file.parent}")
    assert "is a folder; name a file in it" in done.stderr
    assert stack.keys("incoming/") == []


def test_files_that_would_take_each_others_place(stack: Made, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "more" / file.name
    other.parent.mkdir()
    other.write_text("month,day\n1,2\n")
    done = push(f"weather={file}", f"weather={other}")
    assert done.exit_code == 2
    assert f"'{file}' has the same name; rename one of them" in done.stderr
    assert stack.keys("incoming/") == []


def test_the_sample_is_for_a_contract_with_its_sources(tmp_path: Path) -> None:
    orders = {"name": "flight-delays", "statement": "Will this order be returned?",
              "task": "binary", "target": "returned",
              "sources": [{"name": "orders", "kind": "s3", "primary": True}],
              "objective": {"metric": "f1", "threshold": 0.5}}  # fmt: skip
    with made_stack(orders) as stack:
        done = push("--sample", "flights", "--months", "1")
        assert done.exit_code == 2
        assert "flights: the contract has no such source; the s3 sources are orders" in done.stderr
        assert stack.keys("incoming/") == []


def test_a_contract_that_cannot_be_read_is_said(stack: Made, file: Path) -> None:
    boto3.client("lambda").delete_function(FunctionName="monitor")
    done = push(f"anything={file}")
    assert done.exit_code == 0
    assert "cannot be read" in done.stderr
    assert "sources are not checked" in done.stderr
