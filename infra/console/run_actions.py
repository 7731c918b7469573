"""What a person does with runs: start one, with a variation, and answer one that waits."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from infra.cli.approval import answer
from infra.cli.errors import UsageMistakeError
from infra.cli.execution_input import OPTION, execution_input, refuse_variation_of
from infra.cli.options import parsed_json
from infra.console.parameters import RunName, Stack, gate_of
from infra.console.protection import posted
from infra.console.run_page import DECISIONS, run_page
from infra.console.run_views import latest_run
from infra.console.stacks import ShownStack
from noria.contracts import Problem
from noria.errors import NoriaError

router = APIRouter()
EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
STARTED = "ExecutionAlreadyExists"
REVISION = "the revision"


@router.post("/runs")
async def start(request: Request, stack: Stack) -> Response:
    """Start a run, or only check its input; a form that is sent twice starts one run."""
    given = await posted(request, gate_of(request))
    return await run_in_threadpool(_start, request, stack, given)


@router.post("/runs/{run}/answer")
async def answer_run(request: Request, stack: Stack, run: RunName) -> Response:
    """Answer a run that waits for a person."""
    given = await posted(request, gate_of(request))
    return await run_in_threadpool(_answer, request, stack, run, given)


def _start(request: Request, stack: ShownStack, given: Mapping[str, str]) -> Response:
    text = given.get("input", "").strip() or "{}"
    told: dict[str, Any] = {"here": "machine", "given": text, "form": "start"}
    try:
        if text.startswith("@"):
            raise UsageMistakeError(f"{OPTION}: write a JSON object, no file's name")
        execution = execution_input(text)
        refuse_variation_of(stack.access, execution)
    except NoriaError as error:
        told["mistakes"] = _mistakes(error)
        return run_page(request, stack, latest_run(stack), **told)
    if given.get("action") != "start":
        told["notice"] = "The input is valid. Nothing was started."
        return run_page(request, stack, latest_run(stack), **told)
    name = given.get("name", "")
    run = name if EXECUTION_NAME.fullmatch(name) else str(uuid.uuid4())
    _start_once(stack, run, json.dumps(execution))
    return RedirectResponse(f"/stacks/{stack.name}/runs/{run}", 303)


def _start_once(stack: ShownStack, run: str, text: str) -> None:
    from botocore.exceptions import ClientError

    try:
        stack.machine.start_execution(
            stateMachineArn=stack.access.machine_arn, name=run, input=text
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != STARTED:
            raise


def _answer(request: Request, stack: ShownStack, run: str, given: Mapping[str, str]) -> Response:
    decision, why = given.get("decision", ""), given.get("reason", "").strip()
    state = next((name for name, words in DECISIONS.items() if decision in words), None)
    if state is None:
        raise HTTPException(404)
    said: dict[str, Any] = {"decision": decision, "reasons": [f"a person said: {why or decision}"]}
    text, check = given.get("problem", "{}"), None
    try:
        if decision == "revise":
            changes = _changes(text)
            said["problem"], check = changes, _merging(changes)
        answer(stack.access, state, said, run, check)
    except NoriaError as error:
        told: dict[str, Any] = {"mistakes": _mistakes(error), "revision": text, "form": "answer"}
        return run_page(request, stack, run, here="runs", **told)
    return RedirectResponse(f"/stacks/{stack.name}/runs/{run}", 303)


def _changes(text: str) -> dict[str, Any]:
    """The fields of the contract that a person changes."""
    found = parsed_json(text.strip() or "{}", REVISION)
    if not isinstance(found, dict):
        raise UsageMistakeError(
            f'{REVISION} is no mapping of contract fields; write such as {{"objective": {{}}}}'
        )
    return dict(found.get("problem", found))


def _merging(changes: Mapping[str, Any]) -> Callable[[Any], object]:
    """Checks what the changes make of the run's contract; ContractError tells every mistake."""
    return lambda contract: Problem.parse(contract).merged(changes)


def _mistakes(error: NoriaError) -> list[str]:
    """A sentence each, without the name of the command's option."""
    return [line.removeprefix(f"{OPTION}: ") for line in str(error).splitlines() if line.strip()]
