"""The endpoint's web application: what predictions are made with, labels, and pages for people."""

import logging
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from noria.aws.firehose import Stream, firehose
from noria.errors import NoriaError
from noria.serving import (
    docs_page,
    failures,
    form_page,
    log_records,
    openapi,
    prediction,
    process,
    requests,
)
from noria.serving.gateway_events import JSON, ApiReply, ApiRequest
from noria.serving.model_loader import NoModelError

logger = logging.getLogger(__name__)

app = FastAPI(
    title="Noria",
    description="Predictions of the problem's current model; every one of them is logged.",
    version="1",
    docs_url=None,
    redoc_url=None,
)


@app.post("/predict", openapi_extra=openapi.predict_operation())
async def predict(request: Request) -> Response:
    """Answer one row or up to 1,000; each prediction has an id, by which its label comes later."""
    return _response(prediction.predict(await _plain(request)))


@app.post("/labels", openapi_extra=openapi.body_of(openapi.LABELS))
async def labels(request: Request) -> Response:
    """Take what turned out true, by the predictions' ids."""
    body = await request.body()
    given = requests.parse_labels(body, process.served().signature)
    stream = Stream(firehose(), process.environment().labels_stream)
    lost, reason = stream.append(log_records.label_records(given, datetime.now(UTC)))
    if lost:
        logger.error("labels were not stored", extra={"lost": lost, "reason": reason})
        told = (
            f"{lost} of {len(given)} labels could not be stored: send the request again; a label "
            "sent twice counts once"
        )
        return _response(failures.unavailable(told))
    return JSONResponse({"stored": len(given), **log_records.repeated_labels(given)})


@app.get("/model")
async def model() -> JSONResponse:
    """What the model takes, with the ranges and categories that training saw, and its metrics."""
    current = process.served()
    description = log_records.model_description(current.signature)
    trained = {"version": current.version, "run": current.run_id}
    return JSONResponse({**trained, **description, "metrics": current.metrics})


@app.get("/health")
async def health() -> JSONResponse:
    """Whether this endpoint can answer, by which model, and how old that is."""
    current = process.served()
    age = current.age(datetime.now(UTC))
    return JSONResponse({"status": "ok", "model": current.version, **age})


@app.get("/", include_in_schema=False)
async def form(request: Request) -> HTMLResponse:
    """The page for people."""
    try:
        current = process.served()
    except NoModelError as error:
        failures.log_no_model(error, request.url.path)
        return HTMLResponse(form_page.render_empty(str(error)), 503, failures.RETRY)
    auth = str(process.deployment().get("auth", "iam"))
    return HTMLResponse(form_page.render(current.version, current.signature, auth))


@app.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """The documentation for people, in a page that needs no other site."""
    return HTMLResponse(docs_page.render_docs(app.openapi()))


async def refuse(request: Request, error: Exception) -> Response:
    """Say why there is no answer."""
    return _response(failures.reply_to(error, request.url.path))


for kind in (*failures.FAILURES, Exception):
    app.add_exception_handler(kind, refuse)


async def _plain(request: Request) -> ApiRequest:
    headers = dict(request.headers)
    body = await request.body()
    return ApiRequest(request.method, request.url.path, request.url.query, headers, body)


def _response(reply: ApiReply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers), JSON)


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document; its request schemas are those of the model that is served."""
    document = FastAPI.openapi(app)
    try:
        signature = process.served().signature
    except (NoriaError, ClientError, BotoCoreError):
        signature = None
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components.update(openapi.schemas(signature))
    return document


app.openapi = openapi_document  # type: ignore[method-assign]
