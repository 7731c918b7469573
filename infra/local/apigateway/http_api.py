"""An HTTP API of API Gateway on a loopback port: routes, IAM authentication, payload format 2.0."""

import base64
import binascii
import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.apigateway.signature import verified_key
from infra.local.awslambda.executor import (
    Answer,
    InvalidEventError,
    PayloadTooLargeError,
    ThrottledError,
)
from infra.local.errors import LocalCloudError

BODY_LIMIT = 10 * 1024 * 1024  # bytes
TEXT = re.compile(r"text/|application/(json|javascript|xml|x-www-form-urlencoded)|\+(json|xml)")
AUTHORIZATIONS = ("NONE", "AWS_IAM")


@dataclass(frozen=True)
class Request:
    """A request as it came over the socket; header names are in lower case."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source: str

    @property
    def path(self) -> str:
        """The path with its escapes decoded."""
        return unquote(self.raw_path)


@dataclass(frozen=True)
class Reply:
    """What goes back to the caller."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


@dataclass(frozen=True)
class Route:
    """A route key of the API, the function behind it, and how callers prove themselves."""

    key: str
    function_arn: str
    authorization: str
    timeout: float

    def match(self, method: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
        """Say how well this route fits (greater is better), with the path's parameters."""
        if self.key == "$default":
            return (0,), {}
        wanted, pattern = self.key.split(" ", 1)
        if wanted not in ("ANY", method):
            return None
        parts = re.split(r"\{(\w+\+?)\}", pattern.rstrip("/") or "/")
        names = [name.rstrip("+") for name in parts[1::2]]
        greedy = any(name.endswith("+") for name in parts[1::2])
        regex = "".join(
            re.escape(part) if index % 2 == 0 else (r"(.+)" if part.endswith("+") else r"([^/]+)")
            for index, part in enumerate(parts)
        )
        found = re.fullmatch(regex, path.rstrip("/") or "/")
        if found is None:
            return None
        rank = (1, not greedy, len(pattern) - 100 * len(names), wanted != "ANY")
        return rank, dict(zip(names, found.groups(), strict=True))


def _message(status: int, text: str) -> Reply:
    return Reply(
        status, [("Content-Type", "application/json")], json.dumps({"message": text}).encode()
    )


class HttpApi:
    """One API of the cloud, answering requests as API Gateway does."""

    def __init__(
        self, api: Any, *, account: str, region: str,
        invoke: Callable[[str, bytes], Answer],
        secret_of: Callable[[str, Mapping[str, str]], str | None],
        identity_of: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._api, self._account, self._region = api, account, region
        self._invoke, self._secret_of, self._identity_of = invoke, secret_of, identity_of
        self._threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="http-api")
        stages = list(api.stages)
        self._stage = "$default" if "$default" in stages else (stages or ["$default"])[0]
        self.base_path = "" if self._stage == "$default" else f"/{self._stage}"
        for route in self._routes():
            if route.authorization not in AUTHORIZATIONS:
                raise LocalCloudError(
                    f"route {route.key!r} wants {route.authorization} authorization, which the "
                    f"local cloud cannot verify; it can: {', '.join(AUTHORIZATIONS)}"
                )

    def _routes(self) -> list[Route]:
        routes = []
        for route in self._api.routes.values():
            integration = self._api.integrations[route.target.removeprefix("integrations/")]
            seconds = int(integration.timeout_in_millis or 30_000) / 1000
            authorization = route.authorization_type or "NONE"
            arn = _function_arn(integration.integration_uri)
            routes.append(Route(route.route_key, arn, authorization, seconds))
        return routes

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        if not request.path.startswith(self.base_path):
            return _message(404, "Not Found")
        path = request.path[len(self.base_path) :] or "/"
        found = self._find(request.method, path)
        if found is None:
            return _message(404, "Not Found")
        route, parameters = found
        caller = None
        if route.authorization == "AWS_IAM":
            caller = self._caller(request)
            if caller is None:
                return _message(403, "Forbidden")
        event = self._event(request, route, path, parameters, caller)
        return self._answer(route, json.dumps(event).encode())

    def _find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        fits = [
            (match[0], route, match[1])
            for route in self._routes()
            if (match := route.match(method, path))
        ]
        if not fits:
            return None
        _, route, parameters = max(fits, key=lambda fit: fit[0])
        return route, parameters

    def _caller(self, request: Request) -> str | None:
        return verified_key(
            request.method, request.raw_path, request.query, request.headers, request.body,
            region=self._region, service="execute-api", secret_of=self._secret_of,
            now=datetime.now(UTC),
        )  # fmt: skip

    def _event(
        self, request: Request, route: Route, path: str, parameters: dict[str, str],
        caller: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        now = datetime.now(UTC)
        cookies = [part.strip() for part in request.headers.get("cookie", "").split(";") if part]
        text = bool(TEXT.search(request.headers.get("content-type", "text/plain")))
        body = request.body.decode("utf-8", "replace") if text else base64.b64encode(
            request.body
        ).decode()  # fmt: skip
        query: dict[str, str] = {}
        for key, value in parse_qsl(request.query, keep_blank_values=True):
            query[key] = f"{query[key]},{value}" if key in query else value
        domain = f"{self._api.api_id}.execute-api.{self._region}.amazonaws.com"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": f"{self.base_path}{path}",
            "rawQueryString": request.query,
            "headers": {k: v for k, v in request.headers.items() if k != "cookie"},
            "requestContext": {
                "accountId": self._account,
                "apiId": self._api.api_id,
                "domainName": domain,
                "domainPrefix": self._api.api_id,
                "http": {
                    "method": request.method,
                    "path": f"{self.base_path}{path}",
                    "protocol": "HTTP/1.1",
                    "sourceIp": request.source,
                    "userAgent": request.headers.get("user-agent", ""),
                },
                "requestId": uuid.uuid4().hex,
                "routeKey": route.key,
                "stage": self._stage,
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
            "isBase64Encoded": not text,
        }
        optional = {
            "cookies": cookies, "queryStringParameters": query, "pathParameters": parameters,
            "body": body,
        }  # fmt: skip
        event |= {key: value for key, value in optional.items() if value}
        if caller:
            event["requestContext"]["authorizer"] = {"iam": self._identity(caller)}
        return event

    def _identity(self, key: str) -> dict[str, Any]:
        return {
            "accessKey": key,
            "accountId": self._account,
            "callerId": key,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": self._identity_of(key),
            "userId": key,
        }

    def _answer(self, route: Route, event: bytes) -> Reply:
        try:
            answer = self._threads.submit(self._invoke, route.function_arn, event).result(
                route.timeout
            )
        except (FutureTimeoutError, ThrottledError):
            return _message(503, "Service Unavailable")
        except PayloadTooLargeError:
            return _message(413, "Request Entity Too Large")
        except (InvalidEventError, LocalCloudError):
            return _message(500, "Internal Server Error")
        if answer.error:
            return _message(500, "Internal Server Error")
        return reply_from(json.loads(answer.payload))


def reply_from(result: Any) -> Reply:
    """Turn a function's answer into a reply, as payload format 2.0 does."""
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result)
        return Reply(200, [("Content-Type", "application/json")], body.encode())
    headers = [(str(key), str(value)) for key, value in (result.get("headers") or {}).items()]
    for key, values in (result.get("multiValueHeaders") or {}).items():
        headers += [(key, str(value)) for value in values]
    headers += [("Set-Cookie", cookie) for cookie in result.get("cookies") or []]
    body = result.get("body") or ""
    try:
        status = int(result["statusCode"])
        raw = base64.b64decode(body) if result.get("isBase64Encoded") else _text(body)
    except (TypeError, ValueError, binascii.Error):
        return _message(500, "Internal Server Error")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return Reply(status, headers, raw)


def _text(body: Any) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _function_arn(uri: str) -> str:
    """Take the function's ARN out of an integration URI, which may be that ARN itself."""
    found = re.search(r"functions/(arn:[^/]+)/invocations", uri)
    return found.group(1) if found else uri


class Served:
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
            self._send(_message(413, "Request Entity Too Large"))
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

    def _send(self, reply: Reply) -> None:
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
