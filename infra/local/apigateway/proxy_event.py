"""The event that a function receives for a request: payload format 2.0."""

import base64
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from infra.local.apigateway.routes import Request

TEXT = re.compile(r"text/|application/(json|javascript|xml|x-www-form-urlencoded)|\+(json|xml)")


def proxy_event(
    request: Request, path: str, parameters: dict[str, str], context: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Build the event; `context` is the request context, `path` has the stage's base path."""
    text = bool(TEXT.search(request.headers.get("content-type", "text/plain")))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": context["routeKey"],
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": {k: v for k, v in request.headers.items() if k != "cookie"},
        "requestContext": context,
        "isBase64Encoded": not text,
    }
    optional = {
        "cookies": _cookies(request), "queryStringParameters": _query(request.query),
        "pathParameters": parameters, "body": _body(request.body, text=text),
    }  # fmt: skip
    return event | {key: value for key, value in optional.items() if value}


def request_context(
    request: Request, path: str, route_key: str, *, api_id: str, stage: str, account: str,
    region: str,
) -> dict[str, Any]:  # fmt: skip
    """Describe the request, the API and the route, as functions see them."""
    now = datetime.now(UTC)
    return {
        "accountId": account,
        "apiId": api_id,
        "domainName": f"{api_id}.execute-api.{region}.amazonaws.com",
        "domainPrefix": api_id,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": uuid.uuid4().hex,
        "routeKey": route_key,
        "stage": stage,
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
    }


def iam_identity(key: str, account: str, user_arn: str) -> dict[str, Any]:
    """Describe a caller whose signature was verified."""
    return {
        "accessKey": key,
        "accountId": account,
        "callerId": key,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": user_arn,
        "userId": key,
    }


def _cookies(request: Request) -> list[str]:
    return [part.strip() for part in request.headers.get("cookie", "").split(";") if part]


def _query(text: str) -> dict[str, str]:
    query: dict[str, str] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        query[key] = f"{query[key]},{value}" if key in query else value
    return query


def _body(body: bytes, *, text: bool) -> str:
    return body.decode("utf-8", "replace") if text else base64.b64encode(body).decode()
