"""Predictions: a request's bytes in, an answer's bytes out, and the lines that log them."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from noria.common.answer_limits import MOST_CLASSES
from noria.serving import explanations, log_records, process, requests
from noria.serving.failures import reply_to
from noria.serving.gateway_events import ApiReply, ApiRequest
from noria.serving.most_probable import most_probable
from noria.serving.online_features import with_history


def predict(request: ApiRequest, write: Callable[[str], Any] | None = None) -> ApiReply:
    """Answer one row or up to 1,000, and log every prediction; whatever fails is a reply too.

    `write` takes the lines of the log, by default standard output: it is stored before the answer
    goes out, so that a prediction which somebody got is in the log.
    """
    try:
        body, lines = _answered(request)
    except Exception as error:  # noqa: BLE001 - each has a reply, which counts as failed
        return reply_to(error, request.path)
    (write or sys.stdout.write)(lines)
    return ApiReply(200, body)


def _answered(request: ApiRequest) -> tuple[bytes, str]:
    explained = explanations.is_asked(request.query)
    content_type = request.headers.get("content-type", "")
    rows = requests.parse_rows(request.body, content_type)
    current = process.served()
    signature = current.signature
    rows = requests.read_texts(rows, content_type, signature)
    requests.refuse_unanswerable(rows, signature)
    now = datetime.now(UTC)
    if signature.history is not None:
        table = process.online if process.has_history() else None
        rows = with_history(rows, signature.history, table, now)
    answers = current.answer(rows)
    ids = log_records.new_ids(len(rows), now)
    answered = answers.with_ids(ids)
    if explained:
        answered = explanations.with_explanations(
            answered, current.model, answers.inputs, current.background
        )
    if signature.task == "multiclass":
        answered = most_probable(answered, process.deployment().get("most_classes", MOST_CLASSES))
    body = to_json(
        {
            "model": current.version,
            "predictions": answered,
            "warnings": current.limits.warnings(answers.inputs),
        }
        | log_records.ignored_fields(rows, signature.ignored)
    )
    versions = (current.version, process.function_version())
    return body, log_records.prediction_lines(
        rows, ids, answers, versions, now, process.namespace()
    )
