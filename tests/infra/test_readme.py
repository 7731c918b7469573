"""The README's contracts and commands are true."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from infra.cli.main import app
from noria.contracts import Analysis, Baseline, ColumnRule, Problem, Quality, Scaling
from noria.core.column_types.contract_checks import impossible

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", README, re.S)
WHOLE: dict[str, Any] = {
    "name": "orders", "statement": "Will this order be returned by its buyer?", "task": "binary",
    "target": "returned", "sources": [{"name": "orders", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.7},
}  # fmt: skip


@pytest.mark.parametrize("text", SNIPPETS, ids=lambda text: text.split(":")[0])
def test_every_contract_shown_is_valid(text: str) -> None:
    document = yaml.safe_load(text)
    problem = Problem.parse(document if "sources" in document else WHOLE | document)
    assert impossible(problem) == []


def test_every_command_shown_exists() -> None:
    runner = CliRunner()
    groups = {group.name for group in app.registered_groups}
    shown = set(re.findall(r"\.venv/bin/noria ([a-z]+)(?: ([a-z]+))?", README))
    assert len(shown) > 5
    for first, second in shown:
        words = [first, second] if first in groups else [first]
        assert runner.invoke(app, [*words, "--help"]).exit_code == 0, words


@pytest.mark.parametrize("section", [Quality, ColumnRule, Analysis, Scaling, Baseline])
def test_every_field_of_cleansing_and_analysis_is_described(section: type[BaseModel]) -> None:
    told = f"{section.__doc__} {README}"
    unknown = [
        name
        for name, field in section.model_fields.items()
        if not field.description and not re.search(rf"\b{name}\b", told)
    ]
    assert unknown == []
