"""`noria lineage` against a running stack: what every stage of the machine really recorded."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli import deployed_stack as stack_access
from infra.cli.main import app
from infra.packaging.assets import code_version
from tests.e2e.stack import Stack

pytestmark = pytest.mark.slow


@pytest.fixture
def reached(wine: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack with a champion, where commands with --local find it."""
    if not wine.keys("registry/champion.json"):
        assert wine.run().ending == "Promote"
    monkeypatch.setattr(stack_access, "LOCAL_FILE", wine.noted_in(tmp_path))
    return wine


def lineage(stack: Stack, *arguments: str) -> dict[str, Any]:
    return {step["kind"]: step for step in stack.lineage(*arguments)}


def test_a_prediction_leads_back_to_the_file_that_was_dropped(reached: Stack) -> None:
    champion = json.loads(reached.champion())
    sample = reached.json(f"models/{champion['version']}/sample.json")
    [answer] = reached.ask("POST", "/predict", {"rows": sample[:1]}).json()["predictions"]
    told = {"id": answer["id"], "value": answer["prediction"]}
    assert reached.ask("POST", "/labels", {"labels": [told]}).status == 200
    found = lineage(reached, answer["id"])
    prediction = found["prediction"]["facts"]
    assert (prediction["prediction"], prediction["label"]) == (answer["prediction"],) * 2
    assert prediction["inputs"] == sample[0]
    assert found["model"]["name"] == champion["version"]
    assert found["run"]["name"] == champion["run_id"]
    assert found["run"]["facts"]["ending"] == "Promote"
    [dropped, _] = found["raw"]["objects"]
    assert dropped["where"] == f"s3://{reached.bucket}/incoming/wine/rows.csv"
    assert (dropped["rows"], dropped["state"]) == (178, "same")
    hashed = [o for step in found.values() for o in step["objects"] if o["sha256"]]
    assert {o["state"] for o in hashed} == {"same"}
    assert {"features", "clean", "contract", "model"} <= {
        kind for kind, step in found.items() if any(o["sha256"] for o in step["objects"])
    }
    assert found["code"]["facts"]["code_version"] == code_version()
    assert found["code"]["facts"]["deployed"] == code_version()


def test_a_refused_challenger_is_traced_to_its_own_contract(reached: Stack) -> None:
    before = json.loads(reached.champion())["version"]
    tried = {"exploration": {"candidates": ["logistic_regression"]}}
    ended = reached.run(problem=tried)
    assert ended.ending == "KeepChampion", ended.reasons
    found = lineage(reached, ended.name)
    assert found["model"]["name"] == ended.versions[-1] != before
    model = found["model"]["facts"]
    assert (model["candidate"], model["is_champion"]) == ("logistic_regression", False)
    assert "champion" in model["against_champion"]
    [differs] = found["contract"]["facts"]["differs_from_deployed"]
    assert differs.startswith("exploration.candidates: ['logistic_regression'] in the run")
    assert json.loads(reached.champion())["version"] == before


def decided(stack: Stack, *arguments: str) -> dict[str, Any]:
    command = ["models", arguments[0], stack.name, *arguments[1:]]
    command += ["--reason", "tried in a test", "--local", "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, (result.output, result.exception)
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_a_person_promotes_a_refused_challenger_and_goes_back(reached: Stack) -> None:
    before = json.loads(reached.champion())["version"]
    other = reached.run(problem={"exploration": {"candidates": ["decision_tree"]}}).versions[-1]
    assert decided(reached, "promote", other)["previous"] == before
    sample = reached.json(f"models/{other}/sample.json")[:1]
    assert reached.ask("POST", "/predict", {"rows": sample}).json()["model"] == other
    assert decided(reached, "rollback")["version"] == before
    assert reached.ask("POST", "/predict", {"rows": sample}).json()["model"] == before
    decided(reached, "retire", other)
    listed = CliRunner().invoke(app, ["models", "list", reached.name, "--local", "--json"])
    known = {one["version"]: one for one in json.loads(listed.stdout)}
    assert (known[before]["status"], known[other]["status"]) == ("champion", "retired")
    assert known[before]["by_hand"]["reason"] == "tried in a test"
