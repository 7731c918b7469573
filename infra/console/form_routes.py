"""The page that asks the champion: a form that predicts as one types, signed with credentials."""

import json
import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import Markup

from infra.cli.endpoint import EndpointError
from infra.cli.model_list import CHAMPION, MODELS
from infra.console.pages import page
from infra.console.parameters import Stack, gate_of
from infra.console.protection import LARGEST_FORM, TOKEN_HEADER, ForgedRequestError
from infra.console.stacks import ShownStack
from noria.core.model.signature import Signature
from noria.serving.form_fields import form_fields, form_values, script_json, sent_as

router = APIRouter(default_response_class=HTMLResponse)
ASKED, EXPLAINED = "/predict", "/predict?explain=true"
MOST_EXAMPLES = 5


@router.get("/predict")
def form(request: Request, stack: Stack) -> Response:
    """The form, made from the champion's signature."""
    champion = stack.bucket.json(CHAMPION)
    found = stack.bucket.json(f"{MODELS}{champion['version']}/signature.json") if champion else None
    if champion is None or found is None:
        return page("form", stack=stack.name, here="predict", signature=None)
    signature = Signature.model_validate(found)
    examples = _examples(stack, str(champion["version"]), signature)
    setup = {
        "sent_as": sent_as(signature), "examples": examples, "target": signature.target,
        "predict": f"/stacks/{stack.name}/predict",
        "explain": f"/stacks/{stack.name}/predict?explain=true",
        "headers": {TOKEN_HEADER: gate_of(request).token},
    }  # fmt: skip
    return page(
        "form", stack=stack.name, here="predict", signature=signature,
        version=champion["version"], examples=examples,
        fields=Markup(form_fields(signature)),  # noqa: S704 - it escapes what it writes
        setup=Markup(script_json(setup)),  # noqa: S704 - it cannot end its element
    )  # fmt: skip


@router.post("/predict")
async def predict(request: Request, stack: Stack) -> Response:
    """Send a request on, signed; the endpoint's answer as it is, or its refusal."""
    gate_of(request).check(request.headers.get(TOKEN_HEADER))
    body = await request.body()
    if len(body) > LARGEST_FORM:
        raise ForgedRequestError("the request is too large: a megabyte at most")
    try:
        asked = json.loads(body)
    except ValueError:
        return JSONResponse({"detail": "the request is not JSON"}, 422)
    path = EXPLAINED if "explain" in request.query_params else ASKED
    return await run_in_threadpool(_predict, stack, asked, path)


def _predict(stack: ShownStack, asked: Any, path: str) -> Response:
    try:
        return JSONResponse(stack.endpoint.post(path, asked))
    except EndpointError as error:
        status, told = refusal(str(error))
        return JSONResponse({"detail": told}, status)


def refusal(told: str) -> tuple[int, str]:
    """The endpoint's status and its own sentence, out of what the client says; 502 without any."""
    found = re.search(r"was answered (\d{3}): (.*)", told, re.DOTALL)
    if found is None:
        return 502, told
    status, text = int(found[1]), found[2]
    try:
        document = json.loads(text)
    except ValueError:
        return status, text
    said = document if isinstance(document, dict) else {}
    return status, str(said.get("detail") or said.get("message") or text)


def _examples(stack: ShownStack, version: str, signature: Signature) -> list[dict[str, str]]:
    """Rows that a caller could send: those that the model did not learn from, or its own."""
    rows = stack.bucket.json(f"{MODELS}{version}/sample.json") or [signature.example]
    return [form_values(signature, row) for row in rows[:MOST_EXAMPLES]]
