"""`noria experiments`: what a run tried to find its model, and why it took what it took."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer

from infra.cli.deployed_stack import StackAccess
from infra.cli.errors import UsageMistakeError
from infra.cli.options import AsJson, Local, StackName
from infra.cli.run_list import logged_runs, trained_by
from infra.cli.run_records import REPORTS, Bucket, shown_path
from infra.cli.tables import Columns, Row, print_table

PARALLEL_READS = 16  # trials that are read at a time
app = typer.Typer(no_args_is_help=True, help="Trials of candidates with recipes, of each run.")
Run = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN | MODEL_VERSION", help="Default: the latest with trials."),
]
TRIALS = Columns(
    ("trial", "turn", "score", "std", "seconds", "rows", "setting", "outcome"),
    cut=("rows", "std", "seconds", "setting", "turn"), wrapped="outcome",
)  # fmt: skip


@app.callback()
def experiments() -> None:
    """Trials of candidates with recipes, of each run."""


@app.command("list")
def list_trials(
    stack: StackName, run: Run = None, as_json: AsJson = False, local: Local = None
) -> None:
    """List a run's trials, the best of the last rung first, with what became of each."""
    run_id, found = _trials(stack, run, local)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(f"run {run_id}, {found[0].get('metric')}")
    print_table(TRIALS, [_row(one) for one in found])


@app.command()
def show(
    stack: StackName,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="Its name, as `list` has it.")],
    run: Run = None,
    local: Local = None,
) -> None:
    """Tell all of a trial: parameters, fold scores, costs, settings, seed, code version."""
    run_id, found = _trials(stack, run, local)
    chosen = [one for one in found if one["trial"] == trial]
    if not chosen:
        known = ", ".join(str(one["trial"]) for one in found)
        raise UsageMistakeError(f"run {run_id} has no trial '{trial}'; it has {known}")
    for one in chosen:
        print(json.dumps(one, indent=2))


@app.command()
def compare(stack: StackName, run: Run = None, local: Local = None) -> None:
    """Draw a run's trials: score against cost, with more rows, and by setting; print the page."""
    from noria.core.reporting.experiments_page import render_experiments

    run_id, found = _trials(stack, run, local)
    file = REPORTS / stack / run_id / "experiments.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render_experiments(found, f"{stack}: {run_id}"), encoding="utf-8")
    print(shown_path(file))


def _trials(stack: str, run: str | None, local: str | None) -> tuple[str, list[dict[str, Any]]]:
    """A run, by default the latest that tried any, and its trials."""
    from noria.core.reporting.experiments_page import in_order

    access = StackAccess.open(stack, local=local)
    bucket = Bucket(access.client("s3"), access.bucket)
    latest_first = [entry["run_id"] for entry in logged_runs(bucket)][::-1]
    asked = [trained_by(bucket, run)] if run else latest_first
    for run_id in asked:
        keys = bucket.keys(f"experiments/run={run_id}/")
        if keys:
            with ThreadPoolExecutor(PARALLEL_READS) as pool:
                found = list(pool.map(bucket.json, keys))
            return run_id, [dict(one) for one in in_order(found)]
    what = f"run {run}" if run else "any run"
    raise UsageMistakeError(f"stack '{stack}' has no trials of {what}; `noria runs` lists its runs")


def _row(one: dict[str, Any]) -> Row:
    return {
        "trial": str(one["trial"]),
        "turn": str(one.get("iteration", "")),
        "score": _number(one.get("score")),
        "std": _number(one.get("std")),
        "seconds": f"{one.get('seconds', 0):.1f}",
        "rows": f"{one.get('rows', 0):,}",
        "setting": one.get("setting") or "",
        "outcome": one.get("error") or one.get("outcome") or "",
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
