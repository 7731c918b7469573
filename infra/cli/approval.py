"""Answering a run that waits for a person: its task token lies in the run's folder."""

import json
from collections.abc import Callable
from typing import Any

from infra.cli.deployed_stack import StackAccess
from noria.errors import NoriaError

WAITING = "waiting.json"
CONTRACT = "problem.json"  # the run's, as it stands
ANSWERED = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")  # before, or given up


class NotWaitingError(NoriaError):
    """No run waits for the answer that was given."""


def answer(
    stack: StackAccess,
    state: str,
    given: dict[str, Any],
    run: str | None,
    check: Callable[[Any], object] | None = None,
) -> str:
    """Send an answer to the run that waits at a state; returns the run.

    `check` is handed the run's contract first, and raises what is wrong with the answer.
    """
    from botocore.exceptions import ClientError

    for run_id in [run] if run else _waiting_runs(stack):
        waiting = _read(stack, run_id)
        if waiting is None or waiting["state"] != state:
            continue
        if check is not None:
            check(_object(stack, run_id, CONTRACT))
        try:
            stack.client("stepfunctions").send_task_success(
                taskToken=waiting["token"], output=json.dumps(given)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ANSWERED:
                continue
            raise NotWaitingError(f"run '{run_id}' did not take the answer: {error}") from error
        return run_id
    which = f"run '{run}' does not wait" if run else f"no run of stack '{stack.name}' waits"
    raise NotWaitingError(f"{which} at {state}; `noria runs {stack.name}` lists the runs")


def _waiting_runs(stack: StackAccess) -> list[str]:
    """Runs with a question, the latest first."""
    pages = stack.client("s3").get_paginator("list_objects_v2")
    found = [
        item
        for page in pages.paginate(Bucket=stack.bucket, Prefix="runs/")
        for item in page.get("Contents", [])
        if item["Key"].endswith(f"/{WAITING}")
    ]
    found.sort(key=lambda item: item["LastModified"], reverse=True)
    return [item["Key"].split("/")[1] for item in found]


def _read(stack: StackAccess, run_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _object(stack, run_id, WAITING)
    return found


def _object(stack: StackAccess, run_id: str, name: str) -> Any:
    """A JSON object of a run's folder, or None where there is none."""
    s3 = stack.client("s3")
    try:
        body = s3.get_object(Bucket=stack.bucket, Key=f"runs/{run_id}/{name}")["Body"]
    except s3.exceptions.NoSuchKey:
        return None
    return json.loads(body.read())
