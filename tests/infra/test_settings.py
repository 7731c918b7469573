"""What the app is asked for, and how it answers a mistake."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from infra import app
from infra.app import synthesize
from infra.constructs.stages import contract_variable
from infra.packaging import layers
from infra.packaging.assets import ROOT
from infra.packaging.layers import Platform
from infra.settings import Settings
from noria.contracts import Problem
from noria.errors import ContractError
from noria.lifecycle.environment import Environment
from tests.infra.conftest import CONTRACTS

PENGUINS = CONTRACTS / "penguins.yaml"


def test_every_contract_of_the_folder_by_default() -> None:
    settings = Settings.from_context()
    assert "flight_delays.yaml" in [path.name for path in settings.contracts]
    assert settings.platform is Platform.LAMBDA


def test_context_names_contracts_and_platform() -> None:
    settings = Settings.from_context("a.yaml, b.yaml", "host")
    assert settings.contracts == [Path("a.yaml"), Path("b.yaml")]
    assert settings.platform is Platform.HOST


def test_an_unknown_platform_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ContractError, match="'mainframe', but can only be lambda or host"):
        Settings.from_context(platform="mainframe")


def test_two_contracts_of_one_name_are_refused() -> None:
    with pytest.raises(ContractError, match="two contracts are named 'penguins'"):
        Settings(contracts=[PENGUINS, PENGUINS]).problems()


def test_no_contract_is_refused() -> None:
    with pytest.raises(ContractError, match="no contract"):
        Settings(contracts=[]).problems()


def test_a_contract_that_no_environment_holds_is_refused() -> None:
    columns = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(100)]
    problem = Problem.load(PENGUINS).merged({"features": {"exclude": columns}})
    with pytest.raises(ContractError, match=r"takes \d+ bytes as compressed JSON"):
        contract_variable(problem)


def test_a_long_contract_is_packed_into_the_environment() -> None:
    rules = {f"measurement_{n}": {"unit": "km", "minimum": 0, "missing": "median"}
             for n in range(100)}  # fmt: skip
    problem = Problem.load(PENGUINS).merged({"quality": {"columns": rules}})
    text = contract_variable(problem)
    assert len(text) < 3072 < len(json.dumps(problem.to_document()))
    read = Environment.read({"NORIA_PROBLEM": text})
    assert Problem.model_validate_json(read.problem) == problem
    short = contract_variable(Problem.load(PENGUINS))
    assert Problem.model_validate_json(short) == Problem.load(PENGUINS)


def test_what_has_not_changed_is_not_synthesized_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = synthesize(None, sorted(CONTRACTS.glob("*.yaml")), "lambda")
    monkeypatch.setattr(app, "build", None)
    assert synthesize(None, sorted(CONTRACTS.glob("*.yaml")), "lambda") == first


def test_a_changed_contract_is_synthesized_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthesize(None, sorted(CONTRACTS.glob("*.yaml")), "lambda")
    changed = tmp_path / "penguins.yaml"
    changed.write_text(PENGUINS.read_text().replace("0.9", "0.8"))
    monkeypatch.setattr(app, "build", _refuse)
    with pytest.raises(RuntimeError, match="built again"):
        synthesize(None, [changed], "lambda")


def test_the_key_covers_every_module_that_makes_a_template() -> None:
    found, waiting = set(), [ROOT / "infra" / "app.py"]
    while waiting:
        module = waiting.pop()
        if module not in found and module.exists():
            found.add(module)
            for package, names in re.findall(
                r"from (infra[\w.]*) import ([\w, ]+)", module.read_text()
            ):
                place = ROOT / package.replace(".", "/")
                waiting += [place.with_suffix(".py")]
                waiting += [place / f"{name.strip()}.py" for name in names.split(",")]
    assert len(found) > 10
    assert found <= set(app.app_modules())


def test_without_lambdas_python_the_layer_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = set()
    for python in ("/usr/bin/python3.13", None):
        monkeypatch.setattr(layers, "lambda_python", lambda python=python: python)
        tags.add(layers.platform_tag(Platform.LAMBDA))
    assert len(tags) == 2


def _refuse(*_: object, **__: object) -> None:
    raise RuntimeError("built again")
