"""MLflow's REST API over HTTP: one request, with a deadline, and what an answer means.

https://mlflow.org/docs/latest/rest-api.html. Nothing is asked again here: whoever sends a run looks
first what of it is there, and so goes on where it broke off.
"""

import base64
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from noria.errors import TrackingError, TrackingUnavailableError
from noria.ingestion.http.deadlines import ended_by

CONNECT_SECONDS, REQUEST_SECONDS, UPLOAD_SECONDS = 5.0, 30.0, 300.0
LARGEST_ANSWER = 50_000_000  # bytes
API = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
LATER = (408, 425, 429, 500, 502, 503, 504, 507)
MISSING, EXISTS = "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"
REMEDIES = {
    401: "check user and password, or token, in the secret that mlflow.secret names",
    403: "give the user of the secret the permission to edit the experiment and the model",
    404: "check mlflow.tracking_uri, with its path prefix where it has one",
    413: "raise the size of requests that the server, or the proxy before it, takes",
}


class MlflowRefusal(TrackingError):  # noqa: N818 - its name says which error of the API it is
    """What the server says of a request that it understood; `code` is MLflow's error code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class MlflowApi:
    """One server, over one connection; `deadline` of the monotonic clock ends all of it."""

    def __init__(self, tracking_uri: str, secret: Mapping[str, Any], deadline: float) -> None:
        self.tracking_uri = tracking_uri
        self._parts = urlsplit(tracking_uri)
        self._headers = {"User-Agent": "noria", **authorization(secret)}
        self._deadline = deadline
        self._connection: http.client.HTTPConnection | None = None

    def get(self, name: str, /, **query: Any) -> dict[str, Any]:
        """Ask; raises `MlflowRefusal`, `TrackingError` and `TrackingUnavailableError`."""
        return self._json("GET", f"{API}{name}?{urlencode(query)}")

    def post(self, name: str, /, **body: Any) -> dict[str, Any]:
        """Send a document; raises as `get` does."""
        return self._json("POST", API + name, body)

    def upload(self, path: str, content: bytes) -> None:
        """Put an artifact through the server, which keeps it where it keeps artifacts."""
        self._request("PUT", ARTIFACTS + quote(path), content, "application/octet-stream")

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        answer = self._request(method, path, content, "application/json")
        found = _parsed(answer)
        if found is None:
            raise TrackingError(
                f"'{self.tracking_uri}' answers, but not as MLflow does; {REMEDIES[404]}"
            )
        return found

    def _request(self, method: str, path: str, content: bytes | None, kind: str) -> bytes:
        """The body of a good answer; a connection is used again until something goes wrong."""
        status, reason, location, body = self._exchange(method, path, content, kind)
        if 200 <= status < 300:
            return body
        if 300 <= status < 400:
            # The credentials are for this address: they are not taken to another one.
            raise TrackingError(
                f"'{self.tracking_uri}' redirects to '{location}'; give mlflow.tracking_uri the "
                "address that it leads to"
            )
        document = _parsed(body) or {}
        code, message = str(document.get("error_code", "")), str(document.get("message", ""))
        told = f"'{self.tracking_uri}' answered {status} {code or reason}"
        told += f": {message[:300]}" if message else ""
        if status in LATER:
            raise TrackingUnavailableError(f"{told}; it is tried again with the next run")
        remedy = REMEDIES.get(status, "")
        if code and status not in (401, 403):
            raise MlflowRefusal(told, code)
        raise TrackingError(f"{told}; {remedy}" if remedy else told)

    def _exchange(
        self, method: str, path: str, content: bytes | None, kind: str
    ) -> tuple[int, str, str, bytes]:
        seconds = UPLOAD_SECONDS if method == "PUT" else REQUEST_SECONDS
        until = min(self._deadline, time.monotonic() + seconds)
        if until <= time.monotonic():
            raise TrackingUnavailableError(
                f"'{self.tracking_uri}' is too slow: not everything was sent in time; the rest is "
                "sent with the next run"
            )
        headers = self._headers | ({"Content-Type": kind} if content is not None else {})
        try:
            connection = self._connected()
            with ended_by(until, connection):
                connection.request(method, self._parts.path + path, content, headers)
                with connection.getresponse() as answer:
                    body = answer.read(LARGEST_ANSWER)
                    if answer.length:  # http.client takes what was cut off for a whole
                        raise http.client.IncompleteRead(body, answer.length)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise TrackingError(
                f"'{self.tracking_uri}': its certificate is not trusted ({error.verify_message}); "
                "use an address with a valid one"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise TrackingUnavailableError(
                f"'{self.tracking_uri}' cannot be reached ({_reason(error)}); it is tried again "
                "with the next run"
            ) from error
        if answer.will_close:
            self.close()
        return answer.status, answer.reason, answer.getheader("Location") or "", body

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            secure = self._parts.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            self._connection = connection = kind(
                str(self._parts.hostname), self._parts.port, timeout=CONNECT_SECONDS
            )
            connection.connect()
            connection.sock.settimeout(REQUEST_SECONDS)
        return self._connection


def authorization(secret: Mapping[str, Any]) -> dict[str, str]:
    """The header that a secret's username and password, or its token, make; `TrackingError`."""
    token, user, password = (secret.get(name) for name in ("token", "username", "password"))
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user and password:
        both = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"Authorization": f"Basic {both}"}
    if secret:
        raise TrackingError(
            "the secret that mlflow.secret names has neither token nor username and password; "
            "add them to it"
        )
    return {}


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
