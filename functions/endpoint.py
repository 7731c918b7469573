"""The endpoint: predictions, labels, and what they are made with, behind one Lambda function."""

import json
import logging
import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from mangum import Mangum

from noria.aws.clients import client, quick_client
from noria.aws.feature_store.dynamodb_online import OnlineTable, table_of
from noria.aws.firehose import Stream, firehose
from noria.aws.s3 import Store
from noria.common.answer_limits import MOST_CLASSES
from noria.errors import NoriaError, RequestError
from noria.lifecycle.environment import Environment
from noria.lifecycle.stage_logging import quiet_libraries
from noria.serving import form_page, log_records, openapi, requests
from noria.serving.json_bodies import BodyTooLargeError
from noria.serving.model_loader import NoModelError, ServedModel, load
from noria.serving.most_probable import most_probable
from noria.serving.online_features import with_history

RETRY = {"Retry-After": "5"}
logger = logging.getLogger(__name__)
quiet_libraries()

app = FastAPI(
    title="Noria",
    description="Predictions of the problem's current model; every one of them is logged.",
    version="1",
    redoc_url=None,
)


@cache
def served() -> ServedModel:
    """The model of this process, loaded at first need; a failure to load is tried again."""
    environment = Environment.read()
    store = Store(client("s3"), environment.bucket)
    return load(environment.model, _function_version(), store)


@cache
def online() -> OnlineTable:
    """The table of the latest values per entity, in stacks with time-window aggregations."""
    environment = Environment.read()
    return OnlineTable(quick_client("dynamodb"), table_of(environment.database), time.sleep)


@app.post("/predict", openapi_extra=openapi.body_of(openapi.ROWS))
async def predict(request: Request) -> JSONResponse:
    """Answer one row or up to 1,000; each prediction has an id, by which its label comes later."""
    rows = requests.parse_rows(await request.body())
    current = served()
    requests.refuse_unanswerable(rows, current.signature)
    now = datetime.now(UTC)
    if current.signature.history is not None:
        rows = with_history(rows, current.signature.history, online if _has_table() else None, now)
    ids = log_records.new_ids(len(rows), now)
    answers = [
        {"id": name, **answer} for name, answer in zip(ids, current.answer(rows), strict=True)
    ]
    version, ignored = _function_version(), current.signature.ignored
    lines = log_records.prediction_records(rows, answers, current.version, version, now, ignored)
    _log(lines, now)
    told = log_records.ignored_fields(rows, ignored)
    if current.signature.task == "multiclass":
        answers = most_probable(answers, _deployment().get("most_classes", MOST_CLASSES))
    return JSONResponse({"model": current.version, "predictions": answers, **told})


@app.post("/labels", openapi_extra=openapi.body_of(openapi.LABELS))
async def labels(request: Request) -> JSONResponse:
    """Take what turned out true, by the predictions' ids."""
    body = await request.body()
    given = requests.parse_labels(body, served().signature)
    stream = Stream(firehose(), Environment.read().labels_stream)
    lost, reason = stream.append(log_records.label_records(given, datetime.now(UTC)))
    if lost:
        logger.error("labels were not stored", extra={"lost": lost, "reason": reason})
        return _unavailable(
            f"{lost} of {len(given)} labels could not be stored: send the request again; a label "
            "sent twice counts once"
        )
    return JSONResponse({"stored": len(given), **log_records.repeated_labels(given)})


@app.get("/model")
async def model() -> JSONResponse:
    """What the model takes, with the ranges and categories that training saw, and its metrics."""
    current = served()
    description = log_records.model_description(current.signature)
    trained = {"version": current.version, "run": current.run_id}
    return JSONResponse({**trained, **description, "metrics": current.metrics})


@app.get("/health")
async def health() -> JSONResponse:
    """Whether this endpoint can answer, and by which model."""
    return JSONResponse({"status": "ok", "model": served().version})


@app.get("/", include_in_schema=False)
async def form(request: Request) -> HTMLResponse:
    """The page for people."""
    try:
        current = served()
    except NoModelError as error:
        _log_no_model(request, error)
        return HTMLResponse(form_page.render_empty(str(error)), 503, RETRY)
    return HTMLResponse(form_page.render(current.version, current.signature, _auth()))


@app.exception_handler(RequestError)
async def refuse(request: Request, error: RequestError) -> JSONResponse:
    """Say what is wrong with a request, to its caller alone: it may quote what was sent."""
    status = 413 if isinstance(error, BodyTooLargeError) else 422
    _log_failed(logging.WARNING, "request refused", request, status, error)
    return JSONResponse({"detail": str(error)}, status)


@app.exception_handler(NoriaError)
async def cannot_serve(request: Request, error: NoriaError) -> JSONResponse:
    """Say why there is no model to answer with."""
    _log_no_model(request, error)
    return _unavailable(str(error))


@app.exception_handler(ClientError)
@app.exception_handler(BotoCoreError)
async def storage_failed(request: Request, error: Exception) -> JSONResponse:
    """AWS did not give the model, or the history: its reason is for the log, not for callers."""
    what = "the model or an entity's history cannot be read"
    _log_failed(logging.ERROR, what, request, 503, error, reason=str(error))
    return _unavailable(f"{what} now: try again, or see the function's log")


def _unavailable(detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, 503, RETRY)


def _log_no_model(request: Request, error: NoriaError) -> None:
    _log_failed(logging.ERROR, "no model to answer with", request, 503, error, reason=str(error))


def _log_failed(
    level: int, message: str, request: Request, status: int, error: Exception, **told: str
) -> None:
    fields = {"path": request.url.path, "status": status, "error": type(error).__name__, **told}
    logger.log(level, message, extra=fields)


def _log(lines: list[bytes], now: datetime) -> None:
    """Log predictions; an answer never fails for want of its log, but the gap is a metric."""
    environment = Environment.read()
    lost, reason = Stream(firehose(), environment.predictions_stream).append(lines)
    if lost:
        print(log_records.not_logged(lost, environment.namespace, reason, now))


def _has_table() -> bool:
    """Whether the deployed contract still has history: a model may outlive what it learnt from."""
    return bool(_contract().get("features", {}).get("windows"))


def _function_version() -> str:
    return os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")


def _auth() -> str:
    return str(_deployment().get("auth", "iam"))


def _deployment() -> dict[str, Any]:
    return dict(_contract().get("deployment", {}))


def _contract() -> dict[str, Any]:
    """The deployed contract as it is written: pydantic's model of it takes its time to load."""
    contract: dict[str, Any] = json.loads(Environment.read().problem or "{}")
    return contract


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document; its request schemas are those of the model that is served."""
    document = FastAPI.openapi(app)
    try:
        signature = served().signature
    except (NoriaError, ClientError, BotoCoreError):
        signature = None
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components.update(openapi.schemas(signature))
    return document


app.openapi = openapi_document  # type: ignore[method-assign]
handler = Mangum(app, lifespan="off")
