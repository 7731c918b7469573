"""`noria experiments`: what was tried, why it was taken or not, and pictures of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cli import experiments
from tests.infra.cli.stack import Made, lines, made_stack, noria

CONTRACT: dict[str, Any] = {
    "name": "parcels", "statement": "Will this parcel be late?", "task": "binary",
    "target": "late", "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
}  # fmt: skip
RUN, EARLIER = "second-run", "first-run"
TRIED = [
    ("1.basic.logistic_regression", 1, 0.61, 2_000, "0.11 ± 0.01 behind random_forest"),
    ("1.text.logistic_regression", 1, 0.70, 2_000, "goes on"),
    ("1.text.random_forest", 1, 0.72, 2_000, "goes on"),
    ("1.basic.random_forest", 1, None, 2_000, "failed"),
    ("2.text.logistic_regression", 2, 0.74, 8_000, "0.02 ± 0.001 behind random_forest"),
    ("2.text.random_forest", 2, 0.76, 8_000, "chosen: the best mean roc_auc of 2 trials"),
]


def document(name: str, rung: int, score: float | None, rows: int, outcome: str) -> dict[str, Any]:
    _, recipe, candidate = name.split(".")
    larger = {"setting": "larger trees", "gain": 0.004, "folds": 5, "seconds": 1.0,
              "outcome": "no better"}  # fmt: skip
    return {
        "trial": name, "rung": rung, "recipe": recipe, "candidate": candidate, "iteration": 1,
        "metric": "roc_auc", "score": score, "std": None if score is None else 0.01,
        "seconds": rows / 1_000, "rows": rows, "outcome": outcome, "setting": "",
        "trials": [larger] if rung == 2 else [], "scores": [] if score is None else [score] * 5,
        "error": "DataError: too wide" if score is None else None, "parameters": {"max_depth": 9},
    }  # fmt: skip


@pytest.fixture
def stack() -> Iterator[Made]:
    with made_stack(CONTRACT) as made:
        log = [
            {"run_id": run, "as_of": "2026-11-01", "ending": "Promote"} for run in (EARLIER, RUN)
        ]
        made.put("registry/runs.json", [*log, {"run_id": "skipped", "ending": "HaltBadData"}])
        for trial in TRIED:
            one = document(*trial)
            made.put(f"experiments/run={RUN}/iteration=1/{one['trial']}.json", one)
        first = document(*TRIED[1])
        made.put(f"experiments/run={EARLIER}/iteration=1/{first['trial']}.json", first)
        made.put("registry/versions.json", {"v1": {"run_id": EARLIER, "iteration": 1}})
        yield made


def test_the_latest_trials_are_listed_the_chosen_one_first(stack: Made) -> None:
    shown = lines(noria("experiments", "list", "parcels", width=200))
    assert shown[0] == f"run {RUN}, roc_auc"
    named = [line for line in shown if any(trial[0] in line for trial in TRIED)]
    assert [next(t[0] for t in TRIED if t[0] in line) for line in named] == [
        "2.text.random_forest", "2.text.logistic_regression", "1.text.random_forest",
        "1.text.logistic_regression", "1.basic.logistic_regression", "1.basic.random_forest",
    ]  # fmt: skip
    assert "chosen: the best mean" in named[0]
    assert "DataError: too wide" in named[-1]
    told = json.loads(noria("experiments", "list", "parcels", "--json", "--run", "v1").stdout)
    assert [one["trial"] for one in told] == ["1.text.logistic_regression"]


def test_a_trial_tells_all(stack: Made) -> None:
    told = json.loads(noria("experiments", "show", "parcels", "2.text.random_forest").stdout)
    assert told["parameters"] == {"max_depth": 9}
    assert len(told["scores"]) == 5
    refused = noria("experiments", "show", "parcels", "2.text.ridge")
    assert refused.exit_code == 2
    assert "has no trial '2.text.ridge'" in refused.output


def test_trials_are_compared_on_a_page(
    stack: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "REPORTS", tmp_path)
    done = noria("experiments", "compare", "parcels")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "parcels" / RUN / "experiments.html").read_text(encoding="utf-8")
    for title in ("Score against cost", "Score and rows", "Settings"):
        assert f'aria-label="{title}"' in page or f">{title}<" in page
    assert page.count("<circle") >= 5 + 4  # a point for each score, and those of two lines
    assert "DataError: too wide" in page


def test_a_run_without_trials_is_told(stack: Made) -> None:
    refused = noria("experiments", "list", "parcels", "--run", "skipped")
    assert refused.exit_code == 2
    assert "no trials of run skipped" in refused.output
