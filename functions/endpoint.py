"""The endpoint: predictions, labels, and what they are made with, behind one Lambda function."""

from collections.abc import Callable
from functools import cache
from typing import Any

from noria.lifecycle.stage_logging import quiet_libraries
from noria.serving import process
from noria.serving.gateway_events import answer_of, request_of
from noria.serving.prediction import predict

quiet_libraries()
process.load_published()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request; one for predictions needs no web framework, which takes long to import."""
    request = request_of(event)
    if request is not None and (request.method, request.path) == ("POST", "/predict"):
        return answer_of(predict(request))
    return web_app()(event, context)


@cache
def web_app() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The application that answers everything, behind its adapter."""
    from mangum import Mangum

    from noria.serving.web_app import app

    return Mangum(app, lifespan="off")
