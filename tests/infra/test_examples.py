"""The examples in infra/problems: valid, tried as their comments say, and deployable."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.app import synthesize
from infra.packaging.assets import ROOT
from infra.settings import PROBLEMS, Settings, load_contract
from noria.core.ingestion.readers import read_table
from tests.infra.template import Template, as_list

EXAMPLES = sorted((PROBLEMS / "examples").glob("*.yaml"))
each = pytest.mark.parametrize("contract", EXAMPLES, ids=lambda contract: contract.stem)


@pytest.fixture(scope="module")
def assembly() -> Path:
    """The examples beside the flights, as they would be deployed."""
    return synthesize(None, [*EXAMPLES, PROBLEMS / "flight_delays.yaml"], "lambda")


def test_the_examples_are_of_each_kind() -> None:
    problems = [load_contract(contract) for contract in EXAMPLES]
    assert {problem.task for problem in problems} == {"binary", "multiclass", "regression"}
    assert {problem.primary.kind for problem in problems} == {"s3", "http", "database"}


def test_nothing_deploys_the_examples_unless_they_are_named() -> None:
    assert not {*EXAMPLES} & {*Settings().contracts}


@each
def test_the_comment_writes_the_file_that_it_hands_over(contract: Path, tmp_path: Path) -> None:
    comment = contract.read_text(encoding="utf-8")
    [code] = re.findall(r'^#   \.venv/bin/python -c "(.*)"$', comment, re.M)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    [(path, source, file)] = re.findall(
        r"^#   \.venv/bin/noria local run (\S+) --data (\w+)=(\S+)$", comment, re.M
    )
    problem = load_contract(contract)
    assert ROOT / path == contract
    assert source == problem.primary.name
    table = read_table((tmp_path / file).read_bytes(), file)
    named = {problem.target.name, *problem.entity_key, *problem.features.exclude}
    assert named | {*problem.quality.columns} <= {*table.columns}
    assert len(table) >= problem.quality.minimum_rows


@each
def test_an_example_deploys_what_the_flights_deploy(contract: Path, assembly: Path) -> None:
    made = Template.read(assembly, load_contract(contract).name)
    flights = Template.read(assembly, "flight-delays")
    kinds = {resource["Type"] for resource in made.body["Resources"].values()}
    assert kinds <= {resource["Type"] for resource in flights.body["Resources"].values()}
    assert set(made.states()) == set(flights.states())
    actions = [action for _, one in made.statements() for action in as_list(one["Action"])]
    assert actions
    assert not [action for action in actions if "*" in action]
