"""Events of an HTTP API (payload format 2.0) as requests, and replies as its answers."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

JSON = "application/json"


@dataclass(frozen=True)
class ApiRequest:
    """An HTTP request; the names of its headers are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class ApiReply:
    """An answer in JSON; the names of its headers are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def request_of(event: Any) -> ApiRequest | None:
    """Read an event; None where it has another form, or a body that is no base64."""
    try:
        called = event["requestContext"]["http"]
        if event["version"] != "2.0":
            return None
        body = event.get("body") or ""
        return ApiRequest(
            called["method"],
            unquote(called["path"] or "/"),
            event.get("rawQueryString", ""),
            {name.lower(): value for name, value in event.get("headers", {}).items()},
            base64.b64decode(body) if event.get("isBase64Encoded", False) else body.encode(),
        )
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError, binascii.Error):
        return None


def answer_of(reply: ApiReply) -> dict[str, Any]:
    """Write a reply as the API takes it from a function."""
    length = {"content-length": str(len(reply.body)), "content-type": JSON}
    return {
        "statusCode": reply.status,
        "body": reply.body.decode(),
        "headers": {**reply.headers, **length},
        "isBase64Encoded": False,
    }
