"""The endpoint: predictions, labels, and what they are made with, behind one Lambda function."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from noria.common.replay_event import REPLAY
from noria.lifecycle.stage_logging import quiet_libraries
from noria.serving import process, request_metrics
from noria.serving.gateway_events import answer_of, request_of
from noria.serving.prediction import predict
from noria.serving.replayed_requests import replay

quiet_libraries()
process.load_published()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request and count the answer; or answer a replay, which is no traffic."""
    if REPLAY in event:
        return replay(event, context.get_remaining_time_in_millis)
    started = time.perf_counter()
    logged: list[str] = []
    answer = _answer(event, context, logged.append)
    seconds = time.perf_counter() - started
    request_metrics.record(int(answer["statusCode"]), seconds, "".join(logged))
    return answer


def _answer(event: dict[str, Any], context: Any, log: Callable[[str], Any]) -> dict[str, Any]:
    """Answer a request; one for predictions needs no web framework, which takes long to import."""
    request = request_of(event)
    if request is not None and (request.method, request.path) == ("POST", "/predict"):
        return answer_of(predict(request, log))
    return web_app()(event, context)


@cache
def web_app() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The application that answers everything, behind its adapter."""
    from mangum import Mangum

    from noria.serving.web_app import app

    return Mangum(app, lifespan="off")
