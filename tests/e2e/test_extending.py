"""A recipe and a candidate are added as infra/docs/how-to-add.md shows it, and run in the machine.

The page's code goes into a copy of the repository; `noria local run` there builds and deploys it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from infra.packaging.assets import CACHE, NOT_SHIPPED, ROOT

pytestmark = pytest.mark.slow
PAGE = ROOT / "infra" / "docs" / "how-to-add.md"
BLOCKS = re.findall(r"```python\n# ([^\n]+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
RECIPE, CANDIDATE = "distances", "naive_bayes"
CONTRACT = f"""
name: extended
statement: Are these two measurements of one thing near each other?
task: binary
target: near
positive_class: true
sources: [{{name: pairs, kind: s3, primary: true}}]
features: {{recipes: [{RECIPE}]}}
objective: {{metric: roc_auc, threshold: 0.9}}
exploration: {{candidates: [{CANDIDATE}], folds: 2, stop: objective}}
deployment: {{canary: null}}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository to which the page's modules, rows and tests were added."""
    copy = tmp_path_factory.mktemp("repository")
    for folder in ("functions", "infra", "layers", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=NOT_SHIPPED)
    for file in ("cdk.json", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / file, copy)
    CACHE.mkdir(parents=True, exist_ok=True)
    (copy / ".noria").mkdir()
    (copy / ".noria" / "assets").symlink_to(CACHE)  # the dependency layers are the same
    for place, code in BLOCKS:
        _add(copy, place, code)
    return copy


def _add(copy: Path, place: str, code: str) -> None:
    """Write a module, or put a row at the end of the table that the comment names."""
    row = re.fullmatch(r"a row of (\w+) in (\S+)", place)
    if row is None:
        assert not (copy / place).exists(), place
        (copy / place).write_text(code, encoding="utf-8")
        return
    file = copy / row[2]
    table = re.compile(rf"^{row[1]}\b[^\n]*= {{\n.*?(?=^}})", re.S | re.M)
    text, found = table.subn(lambda match: match[0] + code, file.read_text(encoding="utf-8"))
    assert found == 1, place
    file.write_text(text, encoding="utf-8")


def python(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python as it runs in the copy, with the copy's own packages."""
    path = os.pathsep.join(map(str, (repository, repository / "layers/noria/python")))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=repository, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_the_page_touches_three_files_for_each() -> None:
    for name in (RECIPE, CANDIDATE):
        touched = [place for place, code in BLOCKS if name in place or f'"{name}":' in code]
        assert len(touched) == 3, touched


def test_the_tests_that_the_page_shows_pass(repository: Path) -> None:
    shown = [place for place, _ in BLOCKS if place.startswith("tests/")]
    assert len(shown) >= 2
    done = python(repository, "-m", "pytest", "-q", "-p", "no:cacheprovider", *shown)
    assert done.returncode == 0, done.stdout


def test_the_machine_takes_them_and_serves_them(repository: Path, tmp_path: Path) -> None:
    contract, rows = tmp_path / "extended.yaml", tmp_path / "pairs.csv"
    contract.write_text(CONTRACT, encoding="utf-8")
    one, other = np.random.default_rng(5).normal(size=(2, 400)).round(4)
    near = np.abs(one - other) < 1
    pd.DataFrame({"one": one, "other": other, "near": near}).to_csv(rows, index=False)
    done = python(
        repository, "-m", "infra.cli.main", "local", "run", str(contract),
        "--data", f"pairs={rows}", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["ending"] == "Promote", told
    assert {one["candidate"] for one in told["candidates"]} == {CANDIDATE}
    recipes = [one["decision"] for one in told["decisions"] if one["state"] == "EngineerFeatures"]
    assert recipes == ["basic", RECIPE]
    assert told["prediction"]["prediction"] in (True, False)
