"""`noria runs`: run ids can be copied at any width, and no run is in no list."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.cli.stack import Made, lines, made_stack, noria

CONTRACT: dict[str, Any] = {
    "name": "orders", "statement": "Will this order be returned?", "task": "binary",
    "target": "returned", "sources": [{"name": "orders", "kind": "s3", "primary": True}],
    "objective": {"metric": "f1", "threshold": 0.5},
}  # fmt: skip
SHORT = "first-run"
UUID = "0b7b8c1e-5f0a-4a0e-9d6f-1f6d2a3b4c5d"  # as the console names executions
EVENT = f"{UUID}_7c9e6679-7425-40de-944b-e07fc1f90ae7"  # as EventBridge does
LOG = [
    {"run_id": SHORT, "as_of": "2026-11-01T00:00:00+00:00", "ending": "Promote"},
    {"run_id": UUID, "as_of": "2026-11-03T00:00:00+00:00", "automatic": True,
     "ending": "HaltNotEffective"},
]  # fmt: skip


@pytest.fixture
def stack() -> Iterator[Made]:
    """Two turns, and a run between them that only stored features."""
    with made_stack(CONTRACT) as made:
        made.put("registry/runs.json", LOG)
        for entry in LOG:
            made.put(f"runs/{entry['run_id']}/ending.json", entry)
        yield made


def stored_features(stack: Made, run: str, ending: str, kind: str = "schedule") -> None:
    document = {"ending": ending, "as_of": "2026-11-02T06:00:00+00:00", "cause": {"kind": kind}}
    stack.put(f"runs/{run}/ending.json", document)


@pytest.mark.parametrize("width", [200, 120, 80, 60])
def test_a_run_id_is_on_one_line_and_whole(stack: Made, width: int) -> None:
    shown = lines(noria("runs", "orders", width=width))
    for run, ending in ((SHORT, "Promote"), (UUID, "HaltNotEffective")):
        [line] = [line for line in shown if run in line]
        assert ending in line or any(f"ending: {ending}" in other for other in shown)
    assert max(map(len, shown)) <= width


def test_less_important_columns_go_first_and_are_named(stack: Made) -> None:
    shown = lines(noria("runs", "orders", width=80))
    assert "started by" not in shown[1]
    assert "HaltNotEffective" in "\n".join(shown)
    assert "not shown for want of width: models, started by" in shown


def test_ids_that_fill_the_terminal(stack: Made) -> None:
    """GIVEN an id of EventBridge, 73 characters long THEN it is whole, and what it did below it."""
    entry = {"run_id": EVENT, "as_of": "2026-11-04T00:00:00+00:00", "automatic": True,
             "ending": "KeepChampion"}  # fmt: skip
    stack.put("registry/runs.json", [*LOG, entry])
    shown = lines(noria("runs", "orders", width=80))
    assert EVENT in shown
    below = shown[shown.index(EVENT) + 1]
    assert below == "  ending: KeepChampion, as of: 2026-11-04 00:00, started by: alarm"
    assert EVENT in lines(noria("runs", "orders", width=40))


def test_a_pipe_gets_every_column_on_one_line(stack: Made) -> None:
    entry = {"run_id": EVENT, "as_of": "2026-11-04T00:00:00+00:00", "ending": "KeepChampion"}
    stack.put("registry/runs.json", [*LOG, entry])
    trained = {"v10": {"run_id": EVENT, "iteration": 2}, "v2": {"run_id": EVENT, "iteration": 1}}
    stack.put("registry/versions.json", trained)
    [line] = [line for line in lines(noria("runs", "orders")) if EVENT in line]
    assert [part.strip() for part in line.split("│")[1:-1]] == [
        EVENT, "KeepChampion", "v2, v10", "2026-11-04 00:00", "person"
    ]  # fmt: skip


def test_runs_that_only_stored_features_are_listed_on_demand(stack: Made) -> None:
    stored_features(stack, "nightly", "FeaturesStored")
    stored_features(stack, "broken", "Failed", "person")
    stack.put("runs/begun/problem.json", CONTRACT)
    assert not any("nightly" in line for line in lines(noria("runs", "orders")))
    shown = {
        cells[0]: cells[1:]
        for line in lines(noria("runs", "orders", "--features"))
        if len(cells := [part.strip() for part in line.split("│")[1:-1]]) > 1
    }
    assert list(shown) == [SHORT, "broken", "nightly", UUID, "begun"]
    assert shown["nightly"] == ["FeaturesStored", "", "2026-11-02 06:00", "schedule"]
    assert shown["broken"] == ["Failed (features)", "", "2026-11-02 06:00", "person"]
    assert shown["begun"][0] == "running (features)"
    assert shown[UUID] == ["HaltNotEffective", "", "2026-11-03 00:00", "alarm"]


def test_turns_that_the_log_forgot_are_not_taken_for_others(stack: Made) -> None:
    stored_features(stack, "long-ago", "Promote", "alarm")
    assert not any("long-ago" in line for line in lines(noria("runs", "orders", "--features")))


def test_a_report_is_found_by_the_model_of_its_run(stack: Made) -> None:
    stack.put("registry/versions.json", {"v2": {"run_id": SHORT, "iteration": 1}})
    stack.put(f"runs/{SHORT}/report.html", {"any": "page"})
    assert f"{SHORT}/report.html" in noria("report", "orders", "v2").stdout
    assert "no report of run v3" in noria("report", "orders", "v3").stderr


def test_a_stack_without_runs_says_how_to_start_one() -> None:
    with made_stack(CONTRACT):
        shown = noria("runs", "orders").stdout
    assert "no runs yet; start one with `noria run orders`" in shown
    assert "champion: none yet" in shown


def test_a_missing_region_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    done = noria("runs", "orders")
    assert done.exit_code == 1
    assert "no region is set; set AWS_DEFAULT_REGION" in done.stderr
    assert ".." not in done.stderr


def test_a_stack_that_is_not_there_is_one_sentence() -> None:
    with made_stack(CONTRACT):
        done = noria("runs", "walrus")
    assert done.exit_code == 1
    assert "stack 'walrus' cannot be read on AWS" in done.stderr
    assert "deploy it with `make deploy`" in done.stderr
    assert ".." not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_prediction_request_that_is_no_json_is_told_with_its_place(
    tmp_path: Any,
) -> None:  # fmt: skip
    file = tmp_path / "row.json"
    file.write_text(json.dumps({"a": 1})[:-1])
    done = noria("predict", "orders", str(file))
    assert done.exit_code == 2
    assert f"'{file}' is not JSON: line 1, column 8" in done.stderr
