"""An example contract, tried as its comment says: from nothing to a prediction."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.packaging.assets import ROOT
from tests.support import data_sets

pytestmark = pytest.mark.slow


def test_wine_is_promoted_and_served(tmp_path: Path) -> None:
    rows = tmp_path / "wine.csv"
    data_sets.wine()["wine"].to_csv(rows, index=False)
    contract = "infra/problems/examples/wine.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli.main", "local", "run", contract,
         "--data", f"wine={rows}", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ending"] == "Promote", told
    assert {one["candidate"] for one in told["candidates"]} == {
        "logistic_regression", "extra_trees",
    }  # fmt: skip
    assert told["prediction"]["prediction"].startswith("class_")
