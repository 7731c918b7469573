"""An HTTP API that listens on a loopback port."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from infra.local.apigateway.http_api import HttpApi
from infra.local.apigateway.replies import HttpReply, message
from infra.local.apigateway.routes import Request
from infra.local.errors import LocalCloudError

BODY_LIMIT = 10 * 1024 * 1024  # bytes


class ApiListener:
    """An API that listens on a port."""

    def __init__(self, api: HttpApi, port: int) -> None:
        class Handler(_Handler):
            target = api

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise LocalCloudError(f"port {port} cannot be used: {error.strerror}") from error
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{api.base_path}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    target: HttpApi
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > BODY_LIMIT:
            self.close_connection = True
            self._send(message(413, "Request Entity Too Large"))
            return
        split = urlsplit(self.path)
        headers: dict[str, str] = {}
        for key, value in self.headers.items():
            name = key.lower()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        body = self.rfile.read(size)
        self._send(
            self.target.handle(
                Request(
                    self.command, split.path, split.query, headers, body, self.client_address[0]
                )
            )
        )

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _serve  # noqa: N815

    def _send(self, reply: HttpReply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet: the cloud's user looks at function logs."""
