"""What is answered, and logged, where a request cannot be answered."""

import logging

from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import to_json

from noria.errors import NoriaError, RequestError
from noria.serving.gateway_events import ApiReply
from noria.serving.json_bodies import BodyTooLargeError

RETRY = {"retry-after": "5"}
FAILURES = (NoriaError, ClientError, BotoCoreError)
logger = logging.getLogger(__name__)


def reply_to(error: Exception, path: str) -> ApiReply:
    """Say why there is no answer: what is wrong with a request is its caller's to know alone."""
    if isinstance(error, RequestError):
        status = 413 if isinstance(error, BodyTooLargeError) else 422
        _log(logging.WARNING, "request refused", path, status, error)
        return ApiReply(status, to_json({"detail": str(error)}))
    if isinstance(error, NoriaError):
        log_no_model(error, path)
        return unavailable(str(error))
    if isinstance(error, ClientError | BotoCoreError):
        # AWS's own reason is for the log, not for callers.
        what = "the model or an entity's history cannot be read"
        _log(logging.ERROR, what, path, 503, error, reason=str(error))
        return unavailable(f"{what} now: try again, or see the function's log")
    logger.exception("unexpected error", exc_info=error, extra={"path": path, "status": 500})
    detail = "this request met an error of the endpoint's own: see the function's log"
    return ApiReply(500, to_json({"detail": detail}))


def unavailable(detail: str) -> ApiReply:
    """Ask the caller to come again."""
    return ApiReply(503, to_json({"detail": detail}), RETRY)


def log_no_model(error: NoriaError, path: str) -> None:
    """Log why there is no model."""
    _log(logging.ERROR, "no model to answer with", path, 503, error, reason=str(error))


def _log(level: int, message: str, path: str, status: int, error: Exception, **told: str) -> None:
    fields = {"path": path, "status": status, "error": type(error).__name__, **told}
    logger.log(level, message, extra=fields)
