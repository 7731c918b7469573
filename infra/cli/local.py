"""`noria local`: the cloud on this machine."""

import json
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.cli.errors import DEFAULT, FAILED
from infra.cli.execution_input import execution_input, refuse_variation
from infra.cli.files import with_files
from infra.cli.options import AsJson, source_files
from infra.settings import load_contract
from noria.contracts import Problem

app = typer.Typer(no_args_is_help=True, help="The local cloud: the same template, on this machine.")
CONTRACTS = Path(__file__).resolve().parents[1] / "problems"


@app.command()
def run(
    contract: Annotated[Path, typer.Argument(metavar="CONTRACT.yaml", help="The contract.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            metavar="SOURCE=FILE",
            help="A source's file: CSV, Parquet, JSON, Excel. May be repeated.",
        ),
    ] = None,
    given: Annotated[
        str, typer.Option("--input", metavar="JSON", help="The execution's input, or @FILE.")
    ] = "{}",
    as_json: AsJson = False,
) -> None:
    """Run one contract once, in a throwaway local cloud.

    Exit status: 0 where it ended as meant, 1 where it failed, 2 for a mistake in contract or input.
    """
    files, execution = source_files(data or []), execution_input(given)
    refuse_variation(with_files(load_contract(contract), files), execution)
    from infra.cli.local_run import run_contract
    from infra.cli.progress import Display, show_record

    console = Console(stderr=as_json)
    trial = run_contract(contract, files, execution, console.print, Display(console))
    if as_json:
        print(trial.to_json())
    else:
        show_record(console, trial.record)
        _show(console, "Prediction", _told(trial.prediction))
        _show(console, "Report", trial.report)
        _show(console, "Seconds", round(trial.seconds, 1))
    sys.stdout.flush()
    if not trial.record.as_meant:
        raise typer.Exit(FAILED)


def _told(prediction: dict[str, Any] | None) -> str | None:
    """An answer without the request's fields, of which there may be many."""
    if prediction is None:
        return None
    return json.dumps({name: value for name, value in prediction.items() if name != "request"})


def _show(console: Console, name: str, value: object) -> None:
    text = "none" if value is None else value
    console.print(f"[bold]{name}[/bold] {text}", highlight=False, soft_wrap=True)


@app.command()
def up(
    problem: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="A contract, repeatable (default: infra/problems/*.yaml)."
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="The first endpoint's port (0: any).")] = 0,
    name: Annotated[
        str, typer.Option(help="The cloud's name, where several are up: --local NAME.")
    ] = DEFAULT,
) -> None:
    """Keep a local cloud up until Ctrl-C; other commands reach it with --local.

    Schedules fire by the real clock, alarms are judged with them.
    """
    contracts = problem or sorted(CONTRACTS.glob("*.yaml"))
    every = min(Problem.load(path).monitoring.every.total_seconds() for path in contracts)
    from infra.cli.deployed_stack import LOCAL_FILE
    from infra.cli.local_clouds import refuse_second, write_cloud
    from infra.cli.local_session import describe, local_stacks

    refuse_second(name, LOCAL_FILE)
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    console = Console()
    with local_stacks(contracts, console.print, port=port) as stacks:
        file = write_cloud(name, LOCAL_FILE, describe(stacks))
        option = "--local" if name == DEFAULT else f"--local {name}"
        for stack_name, stack in stacks.items():
            console.print(f"{stack_name}: {stack.access.api_url}", highlight=False)
            console.print(f"  noria data push {stack_name} SOURCE=FILE {option}", highlight=False)
            console.print(f"  noria run {stack_name} {option}", highlight=False)
        console.print(f"In the browser: noria console {option}", highlight=False)
        console.print("Up; Ctrl-C ends it.")
        cloud = next(iter(stacks.values())).cloud
        try:
            while not threading.Event().wait(every):
                for alarm in cloud.tick(datetime.now(UTC)).alarms:
                    console.print(f"{alarm.name}: {alarm.old} → {alarm.new}", highlight=False)
        except KeyboardInterrupt:
            console.print("Down.")
        finally:
            file.unlink(missing_ok=True)
