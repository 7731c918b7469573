"""Calling a stack's HTTP API with signed requests, as any caller must."""

import json
import os
import shlex
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from noria.errors import NoriaError

if TYPE_CHECKING:
    import httpx

SERVICE = "execute-api"
LARGEST_BATCH = 1000
TIMEOUT = 60.0
#: Files of certificates in place of the usual ones: in the order that boto3 looks, then OpenSSL's.
CA_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


class EndpointError(NoriaError):
    """An answer of the endpoint that is no success."""


class Endpoint:
    """One API, over one kept-open connection; `credentials` are botocore's."""

    def __init__(self, url: str, credentials: Any, region: str) -> None:
        import httpx

        self.url, self._credentials, self._region = url.rstrip("/"), credentials, region
        self._http = httpx.Client(timeout=TIMEOUT, verify=trusted_certificates())

    def get(self, path: str) -> Any:
        """GET a JSON document."""
        return self._send("GET", path, b"")

    def post(self, path: str, document: Any) -> Any:
        """POST a JSON document and return the answer's."""
        return self._send("POST", path, json.dumps(document).encode())

    def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Predict rows, in batches as large as the endpoint takes; an answer per row."""
        answers: list[dict[str, Any]] = []
        for start in range(0, len(rows), LARGEST_BATCH):
            batch = self.post("/predict", {"rows": rows[start : start + LARGEST_BATCH]})
            answers += batch["predictions"]
        return answers

    def label(self, labels: list[dict[str, Any]]) -> None:
        """Say what turned out true, in batches as large as the endpoint takes."""
        for start in range(0, len(labels), LARGEST_BATCH):
            self.post("/labels", {"labels": labels[start : start + LARGEST_BATCH]})

    def curl(self, request: str) -> list[str]:
        """The curl command that sends the request in a file."""
        return [
            *("curl", "--silent", "--show-error", "--fail-with-body"),
            *("--aws-sigv4", f"aws:amz:{self._region}:{SERVICE}"),
            *("--user", f"{self._credentials.access_key}:{self._credentials.secret_key}"),
            *("--header", "Content-Type: application/json"),
            *("--data", f"@{request}"),
            f"{self.url}/predict",
        ]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _send(self, method: str, path: str, body: bytes) -> Any:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        url = f"{self.url}{path}"
        request = AWSRequest(method, url, data=body, headers={"Content-Type": "application/json"})
        SigV4Auth(self._credentials, SERVICE, self._region).add_auth(request)
        headers = {name: str(value) for name, value in request.headers.items()}
        answer = self._answer(method, url, body, headers)
        if answer.status_code >= 300:
            raise EndpointError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        try:
            return answer.json()
        except ValueError as error:
            raise EndpointError(
                f"{method} {url} was answered with no JSON: check the address, and whether a proxy "
                "answers in its place"
            ) from error

    def _answer(
        self, method: str, url: str, body: bytes, headers: dict[str, str]
    ) -> "httpx.Response":
        import httpx

        try:
            return self._http.request(method, url, content=body, headers=headers)
        except httpx.TimeoutException as error:
            raise EndpointError(
                f"{urlsplit(url).netloc} gave no answer in {TIMEOUT:.0f} seconds: try again, or "
                "see the endpoint's log"
            ) from error
        except httpx.HTTPError as error:
            raise EndpointError(_unreachable(urlsplit(url).netloc, error)) from error


def trusted_certificates() -> ssl.SSLContext | bool:
    """The certificates that a variable names, else the usual ones; as boto3 chooses them."""
    for name in CA_BUNDLES:
        bundle = os.environ.get(name)
        if not bundle:
            continue
        try:
            if Path(bundle).is_dir():
                return ssl.create_default_context(capath=bundle)
            return ssl.create_default_context(cafile=bundle)
        except OSError as error:  # ssl.SSLError is one
            raise EndpointError(
                f"{name} names {bundle!r}, which cannot be read as certificates ({error}): name a "
                "PEM file, or unset it"
            ) from error
    return True


def _unreachable(host: str, error: Exception) -> str:
    """Say that a host gave no answer, and what helps."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return (
            f"the certificate of {host} is not trusted ({error}): where your network signs its "
            "own, set AWS_CA_BUNDLE to the file of its certificates"
        )
    return f"{host} cannot be reached ({error}): check the network, and that the stack is still up"


def shell(command: list[str]) -> str:
    """Write a command as a person would paste it."""
    return " ".join(shlex.quote(part) for part in command)
