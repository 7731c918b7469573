"""Commands on a stack's runs: start one, list them, fetch a report, predict, approve."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.cli.callers import Token, Url, endpoint_of
from infra.cli.deployed_stack import StackAccess
from infra.cli.errors import FAILED, UsageMistakeError
from infra.cli.execution_input import execution_input, refuse_variation_of
from infra.cli.options import AsJson, Local, StackName
from infra.cli.progress import version_text
from infra.cli.request_files import request_of
from infra.cli.run_list import (
    COLUMNS,
    feature_rows,
    in_order,
    logged_runs,
    trained_by,
    trained_versions,
    turn_rows,
)
from infra.cli.run_records import Bucket, read_run, save_report, shown_path
from infra.cli.tables import print_table

POLL_SECONDS = 2.0
RUNNING = "RUNNING"


def run(
    stack: StackName,
    given: Annotated[
        str, typer.Option("--input", metavar="JSON", help="The execution's input, or @FILE.")
    ] = "{}",
    local: Local = None,
) -> None:
    """Start an execution and follow it to its end, or to where it waits for a person."""
    execution = execution_input(given)
    access = StackAccess.open(stack, local=local)
    refuse_variation_of(access, execution)
    machine = access.client("stepfunctions")
    answer = machine.start_execution(
        stateMachineArn=access.machine_arn, input=json.dumps(execution)
    )
    arn: str = answer["executionArn"]
    run_id = arn.rsplit(":", 1)[1]
    console = Console()
    console.print(f"run {run_id}", highlight=False)
    from infra.cli.progress import show_record

    bucket = Bucket(access.client("s3"), access.bucket)
    waiting_at, failed = _follow(machine, bucket, arn, console)
    record = read_run(bucket, run_id, waiting_at=waiting_at, failed=failed)
    show_record(console, record)
    if not record.as_meant:
        raise typer.Exit(FAILED)


def _follow(machine: Any, bucket: Bucket, arn: str, console: Console) -> tuple[str | None, str]:
    """Print states as they are entered; returns where the run waits, or its error.

    The children of a Distributed Map have histories of their own: of these it tells how many ended.
    """
    seen: set[int] = set()
    children: dict[str, str] = {}
    run_id = arn.rsplit(":", 1)[1]
    while True:
        status = machine.describe_execution(executionArn=arn)
        pages = machine.get_paginator("get_execution_history").paginate(executionArn=arn)
        for event in (event for page in pages for event in page["events"]):
            details = event.get("stateEnteredEventDetails")
            if details and event["id"] not in seen:
                console.print(f"  {details['name']}", highlight=False)
            if "mapRunStartedEventDetails" in event:
                children.setdefault(event["mapRunStartedEventDetails"]["mapRunArn"], "")
            seen.add(event["id"])
        _show_children(machine, children, console)
        if status["status"] != RUNNING:
            error = status.get("error")
            return None, f"{error}: {status.get('cause', '')}" if error else ""
        waiting = bucket.json(f"runs/{run_id}/waiting.json")
        if waiting:
            return str(waiting["state"]), ""
        time.sleep(POLL_SECONDS)


def _show_children(machine: Any, told: dict[str, str], console: Console) -> None:
    """Print how far Distributed Maps are, where that is not what was `told` by map run before."""
    for map_run, before in told.items():
        counts = machine.describe_map_run(mapRunArn=map_run)["itemCounts"]
        lost = counts["failed"] + counts["timedOut"] + counts["aborted"]
        number = {"done": counts["succeeded"], "failed": lost} | {
            name: counts[name] for name in ("running", "pending")
        }
        told[map_run] = ", ".join(f"{count} {name}" for name, count in number.items() if count)
        if told[map_run] not in (before, ""):
            console.print(f"    · {told[map_run]}", highlight=False)


def runs(
    stack: StackName,
    features: Annotated[
        bool, typer.Option("--features", help="Also the last week's that only stored features.")
    ] = False,
    local: Local = None,
) -> None:
    """List a stack's runs: when, how they ended, and the champion that serves."""
    access = StackAccess.open(stack, local=local)
    bucket = Bucket(access.client("s3"), access.bucket)
    logged = logged_runs(bucket)
    rows = turn_rows(logged, trained_versions(bucket))
    if features:
        rows = in_order([*rows, *feature_rows(bucket, logged)])
    if rows:
        print_table(COLUMNS, rows)
    else:
        print(f"no runs yet; start one with `noria run {stack}`")
    champion = bucket.json("registry/champion.json")
    print(f"champion: {version_text(champion) if champion else 'none yet'}")


def report(
    stack: StackName,
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN | MODEL_VERSION", help="Default: the latest run."),
    ] = None,
    local: Local = None,
) -> None:
    """Download the report of a run, or of the one that trained a model; print where it is."""
    access = StackAccess.open(stack, local=local)
    bucket = Bucket(access.client("s3"), access.bucket)
    known = [entry["run_id"] for entry in logged_runs(bucket)]
    run_id = trained_by(bucket, run) if run else (known[-1] if known else None)
    file = save_report(bucket, stack, run_id) if run_id else None
    if file is None:
        raise UsageMistakeError(f"stack '{stack}' has no report{f' of run {run}' if run else ''}")
    print(shown_path(file))


def predict(
    stack: StackName,
    rows: Annotated[
        Path | None,
        typer.Argument(metavar="ROWS", help="A .json file of a row or rows, or a .csv file."),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option(metavar="FILES", help="A file, a folder, or s3://BUCKET/batch-incoming/..."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the answers of --batch are put.")
    ] = None,
    as_json: AsJson = False,
    local: Local = None,
    token: Token = None,
    url: Url = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also say what drove each answer.")
    ] = False,
) -> None:
    """Ask a stack's endpoint, with signed requests or a token; prints its answer as JSON.

    With --batch, files of any number of rows are answered by the same model beside the endpoint, as
    Parquet. The same command again goes on where it broke off.
    """
    if batch is not None and rows is None and not (token or url or explain):
        from infra.cli.batch import predict_batch

        predict_batch(StackAccess.open(stack, local=local), batch, output, as_json=as_json)
        return
    if rows is None or batch is not None or output is not None:
        raise UsageMistakeError(
            "give ROWS, or --batch FILES, which --output goes with, and no option of a request"
        )
    body, content_type = request_of(rows)
    path = "/predict?explain=true" if explain else "/predict"
    answer = endpoint_of(stack, local, token, url).post_body(path, body, content_type)
    json.dump(answer, sys.stdout, indent=2)
    print()


def approve(
    stack: StackName,
    refuse: Annotated[bool, typer.Option("--refuse", help="Keep the champion.")] = False,
    run: Annotated[str | None, typer.Option(help="The run (default: the latest waiting).")] = None,
    local: Local = None,
) -> None:
    """Answer a machine that waits at AwaitApproval."""
    from infra.cli.approval import answer

    decision = "refuse" if refuse else "approve"
    given = {"decision": decision, "reasons": [f"a person said: {decision}"]}
    answered = answer(StackAccess.open(stack, local=local), "AwaitApproval", given, run)
    print(f"Run {answered} goes on: {decision}")
