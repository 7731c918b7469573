"""`noria features backfill`: what stored rows lack is filled, by the backfill's machine."""

import json
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.cli.errors import FAILED, UsageMistakeError
from infra.cli.executions import RUNNING, SUCCEEDED, begin, state_output
from infra.cli.options import AsJson, Local, StackName
from infra.cli.run_records import Bucket
from noria.errors import FeatureError
from noria.lifecycle.environment import message_of
from noria.materialization.event_range import EventRange, execution_name

POLL_SECONDS = 2.0


def backfill(
    stack: StackName,
    start: Annotated[str, typer.Option("--from", help="First event time: a date, UTC.")],
    end: Annotated[str, typer.Option("--to", help="Where the range ends; not part of it.")],
    run: Annotated[
        str | None, typer.Option(help="Whose accepted rows (default: the latest that has some).")
    ] = None,
    replace: Annotated[
        bool, typer.Option(help="Take stored values' place too, as if all had come in time.")
    ] = False,
    as_json: AsJson = False,
    local: Local = None,
) -> None:
    """Fill the stored rows of a range of event times with what they lack: a column, a source.

    Stored values stay, and so does when they came. Readers see all of it at once, at the end. The
    same command again goes on where it broke off.
    """
    from infra.cli.deployed_stack import StackAccess

    asked = _asked(start, end)
    access = StackAccess.open(stack, local=local)
    states, bucket = access.client("stepfunctions"), Bucket(access.client("s3"), access.bucket)
    given: dict[str, Any] = {"from": asked.start.isoformat(), "to": asked.end.isoformat()}
    given |= ({"run": run} if run else {}) | ({"replace": True} if replace else {})
    arn = begin(states, access.output("BackfillMachineArn"), given,
                lambda attempt: execution_name(asked, run, attempt, replace=replace))  # fmt: skip
    console = Console(stderr=as_json)
    console.print(f"backfill of {asked}: execution {arn.rpartition(':')[2]}", highlight=False)
    told = _follow(states, bucket, arn, lambda line: console.print(line, highlight=False))
    print(json.dumps(told, indent=2) if as_json else _ended(told))
    if told["status"] != SUCCEEDED:
        raise typer.Exit(FAILED)


def _asked(start: str, end: str) -> EventRange:
    try:
        return EventRange.parse(start, end)
    except FeatureError as error:
        raise UsageMistakeError(str(error)) from error


def _follow(states: Any, bucket: Bucket, arn: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Tell how many months are done, until the execution ends; returns what it came to."""
    plan: dict[str, Any] | None = None
    done = -1
    while True:
        status = states.describe_execution(executionArn=arn)
        plan = plan or state_output(states, arn, "PlanBackfill").get("plan")
        months = _months(bucket, plan) if plan else []
        if plan and len(months) != done:
            done = len(months)
            say(f"  {done} of {len(plan['parts'])} months computed")
        if status["status"] != RUNNING:
            return _outcome(status, bucket, plan, months)
        time.sleep(POLL_SECONDS)


def _months(bucket: Bucket, plan: dict[str, Any]) -> list[str]:
    """The months that are computed."""
    there = set(bucket.keys(f"features-backfills/{plan['name']}/"))
    named = {part: f"features-backfills/{plan['name']}/{part}.json" for part in plan["parts"]}
    return [part for part, key in named.items() if key in there]


def _outcome(
    status: dict[str, Any], bucket: Bucket, plan: dict[str, Any] | None, months: list[str]
) -> dict[str, Any]:
    name: dict[str, Any] = {"execution": status["name"], "status": status["status"]}
    if status["status"] == SUCCEEDED:
        return name | dict(json.loads(status["output"]))
    failed: dict[str, str] = {}
    for part in (part for part in (plan or {}).get("parts", []) if part not in months):
        told = bucket.json(f"features-backfills/{(plan or {})['name']}/{part}-failed.json")
        failed |= {part: told["cause"]} if told else {}
    return name | {
        "error": status.get("error", status["status"]),
        "cause": message_of(status.get("cause", "")),
        "partitions": len((plan or {}).get("parts", [])), "computed": len(months), "failed": failed,
    }  # fmt: skip


def _ended(told: dict[str, Any]) -> str:
    if told["status"] == SUCCEEDED:
        earlier = "" if told["published"] else "; all of it was published before"
        return (
            f"{told['backfill']}: {told['partitions']} partitions of run {told['run']}, "
            f"{told['rows']:,} rows that say something new, {told['skipped']} skipped{earlier}"
        )
    lines = [f"{told['error']}: {told['cause']}"]
    lines += [f"  {part}: {cause}" for part, cause in told["failed"].items()]
    if told["partitions"]:
        lines.append(
            f"{told['computed']} of {told['partitions']} months are computed; readers see none of "
            "them yet, and the same command again goes on from there"
        )
    return "\n".join(lines)
