"""More trials than an inline Map runs at once: each an execution of its own, one of them killed."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from functions.search_trials import MOST_INLINE
from infra.cli import deployed_stack as stack_access
from infra.cli import runs
from infra.cli.main import app
from infra.cli.progress import Display
from infra.local.stepfunctions.observed_states import StateEvent
from tests.e2e.stack import Stack
from tests.support.denied_writes import writes_denied

pytestmark = pytest.mark.slow
LARGEST_STATE = 32_768  # bytes, of the 256 KiB that AWS allows
LOST = "1.basic.decision_tree.more-leaves"


def noria(*arguments: str) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def played(stack: Stack, run: str) -> tuple[list[StateEvent], str]:
    """The steps of an execution, and what `noria local run` shows of them."""
    console = Console(file=io.StringIO(), width=200)
    shown, seen = Display(console), []

    def observe(event: StateEvent) -> None:
        shown(event)
        seen.append(event)

    arn = stack.machine.replace(":stateMachine:", ":execution:")
    stack.cloud.wait(f"{arn}:{run}", timeout=60, observer=observe)
    assert isinstance(console.file, io.StringIO)
    return seen, console.file.getvalue()


@contextmanager
def without_writing(stack: Stack, trial: str) -> Iterator[None]:
    """The function of one trial fails: it may not write what it found."""
    functions = stack.cloud.client("lambda").list_functions()["Functions"]
    [role] = [
        one["Role"]
        for one in functions
        if one["Handler"] == "functions.explore.handler"
        and one["Environment"]["Variables"]["NORIA_STACK"] == stack.name
    ]
    with writes_denied(stack.cloud.client("iam"), role, f"{stack.bucket}/*/{trial}.*"):
        yield


def test_many_trials_find_a_model_and_one_that_is_lost_costs_the_others_nothing(
    vintages: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_access, "LOCAL_FILE", vintages.noted_in(tmp_path))
    monkeypatch.setattr(runs, "POLL_SECONDS", 0.5)
    with without_writing(vintages, LOST):
        followed = noria("run", vintages.name, "--local")
    [run] = re.findall(r"^run (\S+)$", followed, re.MULTILINE)
    assert re.findall("Ending: (.*)", followed) == ["Promote"]
    trials = vintages.json(f"runs/{run}/iteration=1/trials/1.json")
    assert len(trials) == 60 > MOST_INLINE
    assert {one["setting"] for one in trials} > {"", "more leaves"}
    assert f"    · {len(trials)} done\n" in followed

    seen, shown = played(vintages, run)
    visited = [event.state for event in seen if event.kind == "entered" and event.item is None]
    assert visited[visited.index("ManyTrials") :][:3] == [
        "ManyTrials", "ExploreManyModels", "JudgeTrials"
    ]  # fmt: skip
    assert visited.count("ExploreModels") == 1  # the last rung, of few
    tried = [event for event in seen if event.state == "ExploreManyModelsItem"]
    assert {event.item for event in tried if event.kind == "entered"} == {*range(len(trials))}
    assert max(len(json.dumps(event.data)) for event in seen) < LARGEST_STATE
    assert f"rung 1: {len(trials)} trials" in shown
    assert shown.count("    · ") > len(trials)
    assert "ExploreManyModelsItem: AccessDenied: An error occurred" in shown

    listed = json.loads(
        noria("experiments", "list", vintages.name, "--local", "--run", run, "--json")
    )
    found = {one["trial"]: one for one in listed}
    assert len([name for name in found if name.startswith("1.")]) == len(trials)
    lost = found.pop(LOST)
    assert (lost["score"], lost["outcome"]) == (None, "failed")
    assert "AccessDenied" in lost["error"]
    assert all(one["score"] is not None for one in found.values())
    read = [call for call in vintages.cloud.access.calls if call.function == "ItemReader"]
    assert {(call.action, call.allowed) for call in read} == {("s3:GetObject", True)}
