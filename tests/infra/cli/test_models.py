"""`noria models`: which version served when, how each was judged, and what became of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.cli import models
from tests.infra.cli.stack import Made, lines, made_stack, noria

CONTRACT: dict[str, Any] = {
    "name": "parcels", "statement": "Will this parcel be late?", "task": "binary",
    "target": "late", "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
}  # fmt: skip
# Two turns of the first run, a run by an alarm that replaced its model, one that did not.
TRAINED = {
    "v1": ("first", 1, "basic", 0.58), "v2": ("first", 2, "text", 0.66),
    "v3": ("second", 1, "times", 0.71), "v10": ("third", 1, "basic", 0.69),
}  # fmt: skip
LOG = [
    {"run_id": "first", "ending": "Promote", "automatic": False, "as_of": "2026-01-01"},
    {"run_id": "second", "ending": "Promote", "automatic": True, "as_of": "2026-02-01"},
    {"run_id": "third", "ending": "KeepChampion", "automatic": True, "as_of": "2026-03-01"},
]
PROMOTED = {"v2": "2026-01-01T08:30:12Z", "v3": "2026-02-01T09:00:00Z"}
KEPT = "gain -0.02 on the same 400 rows, lower bound -0.03: not better than the champion"


def promotion(version: str) -> dict[str, Any]:
    return {"version": version, "run_id": TRAINED[version][0], "promoted_at": PROMOTED[version]}


def put_version(made: Made, name: str) -> None:
    _, turn, recipe, score = TRAINED[name]
    columns = [{"name": "weight"}, {"name": f"{recipe}_column"}]
    made.put(
        f"models/{name}/signature.json",
        {"candidate": "random_forest", "recipe": recipe, "rows": 1_600, "columns": columns,
         "iteration": turn, "importances": {"weight": 0.1, f"{recipe}_column": 0.4}},
    )  # fmt: skip
    comparison = {"reason": KEPT} if name == "v10" else None
    made.put(
        f"models/{name}/evaluation.json",
        {"metric": "roc_auc", "value": score, "threshold": 0.6, "rows": 400,
         "interval": {"low": score - 0.03, "high": score + 0.03, "confidence": 0.9},
         "metrics": {"roc_auc": score, "log_loss": 0.5}, "baselines": {"class shares": 0.5},
         "comparison": comparison, "weaknesses": [f"roc_auc {score} is below 0.6"]},
    )  # fmt: skip
    made.put(f"models/{name}/manifest.json", {"sha256": {"model.onnx": "ab12"}})


@pytest.fixture
def stack() -> Iterator[Made]:
    with made_stack(CONTRACT) as made:
        made.put("registry/runs.json", LOG)
        named = {name: {"run_id": one[0], "iteration": one[1]} for name, one in TRAINED.items()}
        made.put("registry/versions.json", named)
        for name in TRAINED:
            put_version(made, name)
        made.put("registry/history/v2.json", promotion("v2"))
        made.put("registry/champion.json", promotion("v3"))  # whose own entry was not yet written
        for entry in LOG:
            reasons = [f"why {entry['run_id']} ended"]
            ended = {"ending": entry["ending"], "reasons": reasons}
            made.put(f"runs/{entry['run_id']}/ending.json", ended)
        yield made


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(models, "REPORTS", tmp_path)
    return tmp_path


def test_versions_are_listed_with_what_became_of_them(stack: Made) -> None:
    told = json.loads(noria("models", "list", "parcels", "--json").stdout)
    assert [(one["version"], one["status"]) for one in told] == [
        ("v1", "not good enough"), ("v2", "served until 2026-02-01 09:00"),
        ("v3", "champion"), ("v10", "KeepChampion"),
    ]  # fmt: skip
    assert [one["started_by"] for one in told] == ["person", "person", "alarm", "alarm"]
    assert [one["promoted_at"] for one in told] == [None, *PROMOTED.values(), None]
    shown = [line for line in lines(noria("models", "list", "parcels", width=200)) if "│" in line]
    assert "roc_auc 0.7100" in shown[2]
    assert "2026-02-01 09:00" in shown[2]


def test_the_champion_is_shown_with_reasons_and_card(stack: Made, reports: Path) -> None:
    boto3.client("s3").put_object(
        Bucket=stack.bucket, Key="models/v3/model_card.html", Body=b"<h1>v3</h1>"
    )
    shown = noria("models", "show", "parcels").stdout
    assert "v3: champion" in shown
    assert "trained by run second, turn 1, started by an alarm" in shown
    assert "roc_auc 0.7100 (interval 0.6800 to 0.7400) on 400 rows; objective 0.6" in shown
    assert "most important: times_column, weight" in shown
    assert "why: why second ended" in shown
    assert (reports / "parcels" / "models" / "v3.html").read_bytes() == b"<h1>v3</h1>"


def test_a_challenger_that_lost_tells_by_how_much(stack: Made) -> None:
    shown = noria("models", "show", "parcels", "v10").stdout
    assert f"against the champion of its time: {KEPT}" in shown
    assert "model card: none" in shown
    earlier = json.loads(noria("models", "show", "parcels", "v1", "--json").stdout)
    assert earlier["reasons"] == ["roc_auc 0.58 is below 0.6"]
    assert earlier["sha256"] == {"model.onnx": "ab12"}


def test_a_version_whose_run_failed_before_it_was_judged(stack: Made) -> None:
    stack.put(
        "registry/versions.json",
        {**{n: {"run_id": o[0], "iteration": o[1]} for n, o in TRAINED.items()},
         "v11": {"run_id": "fourth", "iteration": 1}},
    )  # fmt: skip
    shown = noria("models", "show", "parcels", "v11").stdout
    assert "v11: running" in shown
    assert "not evaluated" in shown
    assert noria("models", "list", "parcels", width=60).exit_code == 0


def test_versions_are_compared_side_by_side(stack: Made) -> None:
    shown = noria("models", "compare", "parcels", "v2", "v3", width=100)
    table = {
        cells[1].strip(): [cell.strip() for cell in cells[2:4]]
        for cells in (line.split("│") for line in lines(shown))
        if len(cells) == 5
    }
    assert table["recipe"] == ["text", "times"]
    assert table["roc_auc"] == ["0.6600", "0.7100"]
    assert "not read by all, by v3: times_column" in shown.output
    refused = noria("models", "compare", "parcels", "v2", "v2")
    assert refused.exit_code == 2
    assert "name two versions" in refused.output


def test_an_unknown_version_is_refused(stack: Made) -> None:
    refused = noria("models", "show", "parcels", "v7")
    assert refused.exit_code == 2
    assert "no model version 'v7'; its versions: v1, v2, v3, v10" in " ".join(
        refused.output.split()
    )


def test_a_stack_without_models_says_so() -> None:
    with made_stack(CONTRACT):
        assert "no model yet" in noria("models", "list", "parcels").stdout
        refused = noria("models", "show", "parcels")
        assert refused.exit_code == 2
        assert "has no champion; its versions: none" in " ".join(refused.output.split())
