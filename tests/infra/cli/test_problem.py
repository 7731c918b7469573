"""`noria problem`: the schema, valid contracts, and a line per mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.main import app
from noria.contracts import Problem

ROOT = Path(__file__).parents[3]
FLIGHTS = ROOT / "infra" / "problems" / "flight_delays.yaml"
SMALL = """
name: penguins
statement: Which species is this penguin?
task: multiclass
target: species
sources:
  - {name: penguins, kind: s3, primary: true}
objective: {metric: accuracy, threshold: 0.9}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A small valid contract."""
    file = tmp_path / "penguins.yaml"
    file.write_text(SMALL)
    return file


def noria(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_schema_is_the_contracts_own() -> None:
    shown = CliRunner().invoke(app, ["problem", "schema"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout) == Problem.model_json_schema()


def test_a_valid_contract_gives_one_line_and_status_0() -> None:
    done = noria("problem", "validate", str(FLIGHTS))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "flight-delays" in done.stdout
    assert done.stderr == ""


def test_an_invalid_contract_gives_a_line_per_mistake_and_status_2(contract: Path) -> None:
    contract.write_text(SMALL.replace("target:", "traget:").replace("0.9", "high"))
    done = noria("problem", "validate", str(contract))
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert any("traget" in line and "'target'" in line for line in lines)
    assert any(line.startswith("target: is missing") for line in lines)
    assert any("objective.threshold" in line and "'high'" in line for line in lines)


@pytest.mark.parametrize("command", [["problem", "validate"], ["local", "run"]])
def test_a_contract_that_is_not_there_is_status_2(command: list[str], tmp_path: Path) -> None:
    done = noria(*command, str(tmp_path / "none.yaml"))
    assert done.returncode == 2
    assert "none.yaml" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--halt", "--input", "x.yaml"]])
def test_revise_takes_either_a_file_or_halt(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["problem", "revise", "penguins", *arguments])
    assert done.exit_code == 2
    assert "--input FILE or --halt" in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty; a contract is a mapping with name, statement"),
        (b"- name: penguins\n", "holds a list; a contract is a mapping with name, statement"),
        (b"name: penguins\ntask: [binary\n", "line 3: expected ',' or ']', but got '<stream end>'"),
        (b"name: penguins\nname: walrus\n", "line 2: 'name' is given twice, first in line 1; keep"),
        (b"\x89PNG\r\n\x1a\n\x00", "line 1 holds bytes that are no UTF-8 text; name the contract"),
        (b"name: penguins\nstatement: \x00\n", "line 2 holds the character #x00, which no text"),
        (None, "no contract at"),
    ],
)
@pytest.mark.parametrize("command", [["problem", "validate"], ["local", "run"]])
def test_a_file_that_is_no_contract_is_one_sentence(
    command: list[str], content: bytes | None, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "penguins.yaml"
    if content is not None:
        file.write_bytes(content)
    done = CliRunner().invoke(app, [*command, str(file)])
    assert done.exit_code == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert f"'{file}'" in line
    assert told in line


def test_every_mistake_of_a_contract_is_told_at_once(contract: Path) -> None:
    """GIVEN wrong fields and right ones that contradict each other THEN each has its line."""
    text = SMALL.replace("task: multiclass", "task: multi-class").replace("accuracy", "acuracy")
    text = text.replace("{name: penguins, kind: s3, primary: true}", "{name: penguins, kind: s3}")
    contract.write_text(text + "baseline: {serve: true}\nmonitoring: {every: 1}\n")
    done = CliRunner().invoke(app, ["problem", "validate", str(contract)])
    assert done.exit_code == 2
    told = done.stderr.splitlines()
    fields = ["task", "objective.metric", "monitoring.every", "baseline", "sources"]
    assert sorted(line.partition(":")[0] for line in told) == sorted(fields)
    assert "did you mean 'multiclass'?" in told[0]
    assert "did you mean 'accuracy'?" in told[1]


def test_what_a_snapshot_costs_is_told_before_it_is_deployed(contract: Path) -> None:
    """GIVEN SnapStart THEN a second line has its price for a month; without it there is none."""
    contract.write_text(SMALL + "deployment: {snap_start: true}\n")
    shown = CliRunner().invoke(app, ["problem", "validate", str(contract)])
    assert shown.exit_code == 0
    _, told = shown.stdout.splitlines()
    assert told.startswith("deployment.snap_start: a snapshot of 2,048 MB costs about 7.80 USD")
    assert "0.28 USD for 1,000 fresh processes" in told


def test_one_source_is_one_source(contract: Path) -> None:
    shown = CliRunner().invoke(app, ["problem", "validate", str(contract)]).stdout
    assert shown.endswith("accuracy 0.9, 1 source\n")


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for name in ("demo", "run", "runs", "report", "predict", "problem", "local", "data"):
        assert name in shown.stdout
