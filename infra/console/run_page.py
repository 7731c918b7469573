"""The page of a run: the wheel with its states lit, its steps, and what a person may do."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from infra.cli.deployed_stack import StackError
from infra.console import wheel
from infra.console.execution_story import told_steps
from infra.console.pages import fragment, page
from infra.console.parameters import gate_of
from infra.console.run_views import RunView, record_of, view_run
from infra.console.stacks import ShownStack
from noria.core.reporting.experiments_page import in_order

DECISIONS = {"AwaitApproval": ("approve", "refuse"), "ReevaluateProblem": ("revise", "halt")}


def run_page(
    request: Request, stack: ShownStack, run: str | None, *, here: str, **told: Any
) -> Response:
    """Show a run, or only the machine; `told` is what became of a form: mistakes, notice, given."""
    states = stack.states()
    view = known_run(stack, run, states) if run else None
    record = record_of(stack, view) if view else None
    champion = str(record.champion["version"]) if record and record.champion else ""
    return page(
        "run", 422 if told.get("mistakes") else 200,
        stack=stack.name, here=here, picture=wheel.picture(states), view=view,
        progress=progress_of(view, champion) if view else {},
        record=record, candidates=in_order(record.candidates) if record else [],
        has_report=bool(view and stack.bucket.keys(f"runs/{view.run_id}/report.html")),
        token=gate_of(request).token, name=str(uuid.uuid4()), contract=_contract(stack),
        decisions=_decisions(view), mistakes=told.get("mistakes", []),
        notice=told.get("notice", ""), given=told.get("given", "{}"),
        revision=told.get("revision", "{}"), form=told.get("form", ""),
    )  # fmt: skip


def known_run(stack: ShownStack, run: str, states: Mapping[str, Any]) -> RunView:
    """A run of the stack; 404 where there is none."""
    view = view_run(stack, run, states)
    if view is None:
        raise HTTPException(404)
    return view


def progress_of(view: RunView, champion: str = "") -> dict[str, Any]:
    """Where a run is: what of the wheel is lit, its steps and its figures as HTML."""
    last = view.steps[-1].state if view.steps else "the start"
    told = f"waits for a person at {last}" if view.question else f"is at {last}"
    return {
        **wheel.lit(view.steps, running=view.is_running),
        "running": view.is_running,
        "waiting": view.question is not None,
        "status": f"The run {told}." if view.is_running else f"The run ended: {view.ending}.",
        "html": fragment("steps", view=view, steps=told_steps(view.steps)),
        "figures": fragment("figures", view=view, champion=champion),
    }


def _decisions(view: RunView | None) -> tuple[str, ...]:
    return DECISIONS.get(str(view.question["state"]), ()) if view and view.question else ()


def _contract(stack: ShownStack) -> str:
    """The deployed contract; empty where it cannot be read."""
    try:
        return json.dumps(stack.access.contract().to_document(), indent=2)
    except StackError:
        return ""
