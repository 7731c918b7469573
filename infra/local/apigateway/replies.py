"""What goes back to a caller of an HTTP API."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class HttpReply:
    """What goes back to the caller."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def message(status: int, text: str) -> HttpReply:
    """Give an error of the gateway itself."""
    return HttpReply(
        status, [("Content-Type", "application/json")], json.dumps({"message": text}).encode()
    )


def reply_from(result: Any) -> HttpReply:
    """Turn a function's answer into a reply, as payload format 2.0 does."""
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result)
        return HttpReply(200, [("Content-Type", "application/json")], body.encode())
    headers = [(str(key), str(value)) for key, value in (result.get("headers") or {}).items()]
    for key, values in (result.get("multiValueHeaders") or {}).items():
        headers += [(key, str(value)) for value in values]
    headers += [("Set-Cookie", cookie) for cookie in result.get("cookies") or []]
    body = result.get("body") or ""
    try:
        status = int(result["statusCode"])
        raw = base64.b64decode(body) if result.get("isBase64Encoded") else _text(body)
    except (TypeError, ValueError, binascii.Error):
        return message(500, "Internal Server Error")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return HttpReply(status, headers, raw)


def _text(body: Any) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body)).encode()
