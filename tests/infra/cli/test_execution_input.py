"""An execution's input: mistakes are told before anything is deployed or started."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions import admit
from noria.aws import clients
from noria.errors import ContractError
from noria.lifecycle.execution_input import check_input
from tests.infra.cli.stack import made_stack, noria

CONTRACT: dict[str, Any] = {
    "name": "penguins", "statement": "Which species is this penguin?", "task": "multiclass",
    "target": "species", "sources": [{"name": "penguins", "kind": "s3", "primary": True}],
    "objective": {"metric": "accuracy", "threshold": 0.9},
}  # fmt: skip
WRONG = [
    ('{"bad"', "--input is not JSON: line 1, column 7: expecting ':' delimiter"),
    ("{'only': 'features'}", "line 1, column 2: expecting property name enclosed in double quotes; "
     "JSON takes double quotes"),
    ('[{"only": "features"}]', '--input is a list; write a JSON object such as {"only": "feature'),
    ('{"onyl": "features"}', "--input: onyl: is not known; did you mean 'only'?"),
    ('{"only": "training"}', "--input: only: 'training' is not known; the only part"),
    ('{"as_of": "2013-04-01T00:00:00"}', "as_of: '2013-04-01T00:00:00' has no zone; write "
     "2013-04-01T00:00:00Z for UTC"),
    ('{"as_of": "April"}', "--input: as_of: 'April' is not a time; write for example 2026-"),
    ('{"as_of": "2999-01-01T00:00:00Z"}', "as_of: '2999-01-01T00:00:00Z' lies ahead"),
    ('{"problem": 0.7}', '--input: problem: is a mapping of contract fields, not 0.7; write for '),
    ('{"problem": {"objective": {"threshold": 90}}}',
     "--input: problem.objective.threshold: 90 cannot be: accuracy goes from 0 to 1; did you"),
    ('{"problem": {"objective": {"treshold": 0.9}}}',
     "--input: problem.objective.treshold: is not a field of the contract; did you mean 'thres"),
    ('{"problem": {"name": "walrus"}}', "--input: problem.name 'walrus' differs from the deployed"),
]  # fmt: skip


@pytest.fixture
def contract(tmp_path: Path) -> list[str]:
    """The arguments of a local run that would go well."""
    data, file = tmp_path / "penguins.csv", tmp_path / "penguins.yaml"
    data.write_text("species,mass\nadelie,3700\n")
    file.write_text(json.dumps(CONTRACT))
    return [str(file), "--data", f"penguins={data}"]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_local_run_deploys_nothing_for_a_wrong_input(
    contract: list[str], text: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = noria("local", "run", *contract, "--input", text)
    assert done.exit_code == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""  # it says so before it builds anything


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_run_of_a_stack_starts_nothing_for_a_wrong_input(text: str, told: str) -> None:
    with made_stack(CONTRACT):
        done = noria("run", "penguins", "--input", text)
    assert done.exit_code == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_every_mistake_of_an_input_is_told() -> None:
    text = '{"only": "x", "cause": "me", "as_of": "soon", "problm": {}}'
    told = noria("run", "penguins", "--input", text).stderr.splitlines()
    assert [line.split(": ")[1] for line in told] == ["problm", "only", "as_of", "cause"]


def test_every_mistake_of_a_variation_is_told(contract: list[str]) -> None:
    changes = {"task": "binary", "positive_class": True, "objective": {"metric": "rmse"},
               "monitoring": {"every": "often"}}  # fmt: skip
    done = noria("local", "run", *contract, "--input", json.dumps({"problem": changes}))
    fields = [line.split(": ")[1] for line in done.stderr.splitlines()]
    assert fields == ["problem.monitoring.every", "problem.objective.metric"]


def test_an_input_file_is_named(contract: list[str], tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('{\n  "only": \n}')
    told = noria("local", "run", *contract, "--input", f"@{file}").stderr
    assert f"--input '{file}' is not JSON: line 3, column 1: expecting value" in told
    file.write_bytes(b"\xff\xfe\x00")
    assert "is no text in UTF-8" in noria("local", "run", *contract, "--input", f"@{file}").stderr
    assert "is a folder" in noria("local", "run", *contract, "--input", f"@{tmp_path}").stderr


@pytest.mark.parametrize(
    "given",
    [{}, {"problem": {}}, {"only": "features"}, {"as_of": "2013-04-01T00:00:00Z"},
     {"as_of": "2013-04-01T02:00:00+02:00", "cause": {"kind": "schedule"}}],
)  # fmt: skip
def test_inputs_that_machines_are_started_with(given: dict[str, Any]) -> None:
    check_input(given, datetime.now(UTC))


@pytest.mark.parametrize(
    "given",
    [{"onyl": 1}, {"only": "x"}, {"as_of": "soon"}, {"as_of": 5}, {"as_of": None}, {"cause": "me"},
     {"as_of": "2999-01-01T00:00:00Z"}, {"problem": {"name": "walrus"}}, {"problem": 3}],
)  # fmt: skip
def test_what_the_command_refuses_the_machine_refuses(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN an input that the command refuses THEN Admit, started otherwise, refuses it too."""
    with made_stack(CONTRACT) as stack:
        monkeypatch.setenv("NORIA_BUCKET", stack.bucket)
        monkeypatch.setenv("NORIA_PROBLEM", json.dumps(CONTRACT))
        clients.client.cache_clear()
        event = {"state": "Admit", "execution": "r", "started_at": "2026-11-24T07:59:00Z",
                 "input": given}  # fmt: skip
        with pytest.raises(ContractError):
            admit.handler(event, SimpleNamespace())
        assert noria("run", "penguins", "--input", json.dumps(given)).exit_code == 2
    clients.client.cache_clear()


def test_a_revision_that_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "changes.yaml"
    file.write_text("objective:\n  threshold: 0.7\n  threshold: 0.8\n")
    done = noria("problem", "revise", "penguins", "--input", str(file))
    assert done.exit_code == 2
    assert "line 3: 'threshold' is given twice, first in line 2; keep one" in done.stderr
