"""Pages on models: intervals, who served when and why, and changes with a confirmation."""

import uuid
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from infra.cli.model_changes import changed
from infra.cli.model_list import MODELS, read_versions
from infra.console.model_views import intervals, reigns
from infra.console.pages import page
from infra.console.parameters import Stack, VersionName, gate_of
from infra.console.protection import posted
from infra.console.run_routes import document
from infra.console.stacks import ShownStack
from noria.errors import NoriaError

router = APIRouter(default_response_class=HTMLResponse)
ACTIONS = {
    "promote": "Let {version} serve all traffic from now on, whatever it scored.",
    "rollback": "Let the version serve again that served before the champion.",
    "retire": "Never let {version} serve again; its files stay.",
}
SHORTEST = 3  # letters of a reason


@router.get("/models")
def models(stack: Stack) -> Response:
    """The versions, with intervals and the champions' history."""
    found = read_versions(stack.bucket)
    return page(
        "models", stack=stack.name, here="models", versions=found[::-1],
        intervals=intervals(found), reigns=reigns(stack.bucket),
    )  # fmt: skip


@router.get("/models/{version}/card")
def card(stack: Stack, version: VersionName) -> Response:
    """A version's model card."""
    return document(stack.bucket.get(f"{MODELS}{version}/model_card.html"))


@router.get("/change")
def ask(request: Request, stack: Stack, action: str = "", version: str = "") -> Response:
    """Ask whether a person means it, and why."""
    return _confirmation(request, stack, {"action": action, "version": version})


@router.post("/change")
async def change(request: Request, stack: Stack) -> Response:
    """Make a change; a form that is sent twice makes it once."""
    given = await posted(request, gate_of(request))
    return await run_in_threadpool(_change, request, stack, given)


def _change(request: Request, stack: ShownStack, given: Mapping[str, str]) -> Response:
    action, reason = given.get("action", ""), given.get("reason", "").strip()
    if action not in ACTIONS:
        raise HTTPException(404)
    if len(reason) < SHORTEST:
        return _confirmation(request, stack, given, "Give a reason, for those who look later.")
    wanted = {} if action == "rollback" else {"version": given.get("version", "")}
    try:
        changed(
            stack.access, given.get("once") or uuid.uuid4().hex,
            action=action, reason=reason, **wanted,
        )  # fmt: skip
    except NoriaError as error:
        return _confirmation(request, stack, given, str(error))
    return RedirectResponse(f"/stacks/{stack.name}/models", 303)


def _confirmation(
    request: Request, stack: ShownStack, given: Mapping[str, str], mistake: str = ""
) -> Response:
    action, version = given.get("action", ""), given.get("version", "")
    if action not in ACTIONS:
        raise HTTPException(404)
    known = {one.name: one for one in read_versions(stack.bucket)}
    if action != "rollback" and version not in known:
        raise HTTPException(404)
    return page(
        "change", 422 if mistake else 200, stack=stack.name, here="models", action=action,
        version=version, what=ACTIONS[action].format(version=version), one=known.get(version),
        serving=next((one.name for one in known.values() if one.status == "champion"), ""),
        mistake=mistake, reason=given.get("reason", ""), token=gate_of(request).token,
        once=given.get("once") or uuid.uuid4().hex,
    )  # fmt: skip
