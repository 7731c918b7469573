"""`noria demo`: New York's flights of 2013, from collection to retraining, on the local cloud."""

import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.cli.errors import UsageMistakeError
from infra.packaging.assets import ROOT

if TYPE_CHECKING:
    from infra.cli.demo_scenario import Story
    from infra.cli.local_session import LocalStack

CONTRACT = ROOT / "infra" / "problems" / "flight_delays.yaml"
REQUEST = ROOT / ".noria" / "demo-request.json"
FIRST_LIVE_MONTH, LAST_LIVE_MONTH = 4, 9
CLOUD = "demo"  # the local cloud's name, by which commands find it while the demo goes on
LOOK = f".venv/bin/noria console flight-delays --local {CLOUD}"


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", envvar="KEEP", help="Leave the endpoint up until Ctrl-C.")
    ] = False,
    months: Annotated[int, typer.Option(help="Months of live use, from April on.")] = 6,
) -> None:
    """Show a whole lifecycle on real data: the flights of 2013, month by month.

    Ends with an exit status other than 0 if any part of the story did not happen.
    """
    most = LAST_LIVE_MONTH - FIRST_LIVE_MONTH + 1
    if not 1 <= months <= most:
        raise UsageMistakeError(f"--months is 1 to {most}, not {months}")
    from infra.cli.demo_scenario import Story
    from infra.cli.local_session import local_stacks
    from noria.contracts import Problem

    console = Console()
    problem = Problem.load(CONTRACT)
    start = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="noria-demo-") as folder,
        local_stacks([CONTRACT], console.print) as stacks,
        _noted(stacks),
    ):
        story = Story(stacks[problem.name], problem, Path(folder), console)
        _tell(story, range(FIRST_LIVE_MONTH, FIRST_LIVE_MONTH + months))
        console.print(f"\n{(time.monotonic() - start) / 60:.1f} minutes", highlight=False)
        if keep:
            console.print(f"The endpoint answers at {story.endpoint.url} until Ctrl-C.")
            console.print(f"In the browser: {LOOK}", highlight=False, soft_wrap=True)
            _wait()
        else:
            told = f"To look around in it: make demo KEEP=1, and {LOOK}"
            console.print(told, highlight=False, soft_wrap=True)


@contextmanager
def _noted(stacks: "Mapping[str, LocalStack]") -> Iterator[None]:
    """Let commands find the demo's cloud; of several demos that go on, the first one's."""
    from infra.cli.deployed_stack import LOCAL_FILE
    from infra.cli.local_clouds import file_of, is_up, write_cloud
    from infra.cli.local_session import describe

    if is_up(file_of(CLOUD, LOCAL_FILE)):
        yield
        return
    file = write_cloud(CLOUD, LOCAL_FILE, describe(stacks))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _tell(story: "Story", months: range) -> None:
    from infra.cli.demo_timeline import StoryError, missing

    story.first_turn()
    _show_curl(story)
    for number in months:
        story.month(number)
    _show_end(story)
    lacking = missing(story.months)
    if lacking:
        raise StoryError(f"the demo's story is not complete: {'; '.join(lacking)}")


def _show_curl(story: "Story") -> None:
    """Print a curl command that works, and prove it where there is a curl."""
    from infra.cli.endpoint import shell
    from infra.cli.run_records import shown_path

    REQUEST.write_text(json.dumps(story.sample()))
    command = story.endpoint.curl(shown_path(REQUEST))
    story.console.print("\n[bold]The endpoint answers:[/bold]")
    story.console.print(shell(command), highlight=False, soft_wrap=True, markup=False)
    if shutil.which("curl") is None:
        answer = json.dumps(story.endpoint.post("/predict", story.sample()))
        story.console.print("(no curl here; the same request from Python)")
    else:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            from infra.cli.demo_timeline import StoryError

            raise StoryError(f"curl failed ({done.returncode}): {done.stderr}{done.stdout}")
        answer = done.stdout
    story.console.print(answer, highlight=False, soft_wrap=True, markup=False)


def _show_end(story: "Story") -> None:
    metric = story.problem.objective.metric
    table = Table(
        "month", "served by", f"{metric} with retraining", "without", "cause", "run",
        title="The flights of 2013, month by month",
    )  # fmt: skip
    for month in story.months:
        causes = ", ".join(_cause(run.cause) for run in month.turns) or "no alarm"
        endings = ", ".join(_ending(run) for run in month.turns) or "none"
        table.add_row(
            f"2013-{month.number:02d}", month.served_by,
            f"{month.with_retraining:.3f}", f"{month.without:.3f}", causes, endings,
        )  # fmt: skip
    means = [
        sum(values) / len(values)
        for values in zip(*((m.with_retraining, m.without) for m in story.months), strict=True)
    ]
    table.add_section()
    table.add_row("mean", "", *(f"{value:.3f}" for value in means))
    story.console.print()
    story.console.print(table)
    for version, run in story.champions.items():
        story.console.print(f"{version}: run {run}", highlight=False, soft_wrap=True)
    from infra.cli.run_records import shown_path

    story.console.print("[bold]Reports[/bold]")
    for report in story.reports:
        story.console.print(f"  {shown_path(report)}", highlight=False, soft_wrap=True)


def _cause(cause: dict[str, str]) -> str:
    from infra.cli.demo_timeline import alarm_name

    return f"alarm {alarm_name(cause['alarm'])}" if cause.get("kind") == "alarm" else "a person"


def _ending(run: object) -> str:
    from infra.cli.run_records import RunRecord

    if isinstance(run, RunRecord) and run.ending == "Promote" and run.champion:
        return f"Promote {run.champion['version']}"
    return str(getattr(run, "ending", ""))


def _wait() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
