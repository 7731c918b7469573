"""One HTTP API: a request finds its route, proves who it is, and gets its function's answer."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import UTC, datetime
from typing import Any

from infra.local.apigateway.proxy_event import iam_identity, proxy_event, request_context
from infra.local.apigateway.replies import HttpReply, message, reply_from
from infra.local.apigateway.routes import Request, Route, best_route, routes_of
from infra.local.apigateway.signature import verified_key
from infra.local.awslambda.function import (
    Answer,
    InvalidEventError,
    PayloadTooLargeError,
    ThrottledError,
)
from infra.local.errors import LocalCloudError

AUTHORIZATIONS = ("NONE", "AWS_IAM")


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
        for route in routes_of(self._api):
            if route.authorization not in AUTHORIZATIONS:
                raise LocalCloudError(
                    f"route {route.key!r} wants {route.authorization} authorization, which the "
                    f"local cloud cannot verify; it can: {', '.join(AUTHORIZATIONS)}"
                )

    def handle(self, request: Request) -> HttpReply:
        """Answer one request."""
        if not request.path.startswith(self.base_path):
            return message(404, "Not Found")
        path = request.path[len(self.base_path) :] or "/"
        found = best_route(routes_of(self._api), request.method, path)
        if found is None:
            return message(404, "Not Found")
        route, parameters = found
        caller = None
        if route.authorization == "AWS_IAM":
            caller = self._caller(request)
            if caller is None:
                return message(403, "Forbidden")
        event = self._event(request, route, path, parameters, caller)
        return self._answer(route, json.dumps(event).encode())

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
        raw_path = f"{self.base_path}{path}"
        context = request_context(
            request, raw_path, route.key, api_id=self._api.api_id, stage=self._stage,
            account=self._account, region=self._region,
        )  # fmt: skip
        if caller:
            identity = iam_identity(caller, self._account, self._identity_of(caller))
            context["authorizer"] = {"iam": identity}
        return proxy_event(request, raw_path, parameters, context)

    def _answer(self, route: Route, event: bytes) -> HttpReply:
        try:
            answer = self._threads.submit(self._invoke, route.function_arn, event).result(
                route.timeout
            )
        except (FutureTimeoutError, ThrottledError):
            return message(503, "Service Unavailable")
        except PayloadTooLargeError:
            return message(413, "Request Entity Too Large")
        except (InvalidEventError, LocalCloudError):
            return message(500, "Internal Server Error")
        if answer.error:
            return message(500, "Internal Server Error")
        return reply_from(json.loads(answer.payload))
