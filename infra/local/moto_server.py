"""moto's server on a free loopback port of this process, and moto's settings while it runs."""

import functools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Server:
    """moto over HTTP, with connections kept open and S3's conditional writes made atomic."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
        from werkzeug.serving import make_server

        class Handler(MotoRequestHandler):
            protocol_version = "HTTP/1.1"

            def log(self, *_: Any) -> None:
                """Keep quiet."""

        application = _SerialS3(_dispatcher()(create_backend_app))
        self._server = make_server(
            "127.0.0.1", 0, application, threaded=True, request_handler=Handler
        )
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _dispatcher() -> type[Any]:
    """moto's dispatcher, which would look through its folders for a service at every request."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    class Dispatcher(DomainDispatcherApplication):  # type: ignore[misc,unused-ignore]
        get_backend_for_host = functools.cache(DomainDispatcherApplication.get_backend_for_host)

    return Dispatcher


class _SerialS3:
    """Lets one S3 write in at a time: moto checks If-Match and writes in two steps."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        writes = environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE")
        if writes and "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
            with self._lock:
                return self._application(environ, start_response)
        return self._application(environ, start_response)


@contextmanager
def fresh_state() -> Iterator[None]:
    """Empty moto's account, run state machines for real meanwhile, and empty it again."""
    from moto.core.config import default_user_config
    from moto.moto_api._internal.models import moto_api_backend

    settings: Any = default_user_config["stepfunctions"]
    before = dict(settings)
    settings["execute_state_machine"] = True
    moto_api_backend.reset()
    try:
        yield
    finally:
        moto_api_backend.reset()
        settings.update(before)


@contextmanager
def interpreter_log(path: Path) -> Iterator[None]:
    """Send what moto's interpreter says of failed states to a file, not to the terminal."""
    logger = logging.getLogger("moto.stepfunctions")
    handler = logging.FileHandler(path, delay=True)
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        handler.close()
