"""A small client that signs its requests, as callers of an API with IAM authentication must."""

import json as jsonlib
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Credentials:
    """An access key and its secret, with the token of its session where it is a role's."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(frozen=True)
class Response:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body."""
        return jsonlib.loads(self.body)


def request(
    method: str, url: str, *, credentials: Credentials | None = None, region: str = "eu-west-1",
    json: Any = None, body: bytes = b"", headers: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Response:  # fmt: skip
    """Send a request, signed for API Gateway if credentials are given."""
    sent = dict(headers or {})
    if json is not None:
        body = jsonlib.dumps(json).encode()
        sent.setdefault("Content-Type", "application/json")
    if credentials:
        sent = _signed(method, url, credentials, region, body, sent)
    outgoing = urllib.request.Request(url, body or None, sent, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(outgoing, timeout=timeout) as answer:  # noqa: S310
            return Response(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, dict(error.headers), error.read())


def _signed(
    method: str, url: str, credentials: Credentials, region: str, body: bytes,
    headers: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Keys

    unsigned = AWSRequest(method, url, data=body, headers=dict(headers))
    keys = Keys(credentials.access_key, credentials.secret_key)
    SigV4Auth(keys, "execute-api", region).add_auth(unsigned)
    return {key: str(value) for key, value in unsigned.headers.items()}
