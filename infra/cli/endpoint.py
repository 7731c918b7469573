"""Calling a stack's HTTP API with signed requests, as any caller must."""

import json
import os
import shlex
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.cli.aws_errors import remedied
from noria.errors import NoriaError

if TYPE_CHECKING:
    import httpx

SERVICE = "execute-api"
LARGEST_BATCH = 1000
TIMEOUT = 60.0
#: Files of certificates in place of the usual ones: in the order that boto3 looks, then OpenSSL's.
CA_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


JSON = "application/json"
#: What helps where the gateway knows no caller (401), or lets it do nothing (403).
REFUSED = {
    (401, False): "it takes tokens (deployment.auth: jwt): give one by --token or NORIA_TOKEN",
    (401, True): "the token has expired, or is of another issuer or audience than the contract's "
    "deployment.jwt_issuer and jwt_audience: get a new one",
    (403, False): "the credentials have expired, lack the permission execute-api:Invoke on this "
    "API, or are of another region or account, or this machine's clock is wrong",
    (403, True): "it takes AWS signatures (deployment.auth: iam), or the token lacks a scope: "
    "leave out --token, and unset NORIA_TOKEN, to sign with your credentials",
}


class EndpointError(NoriaError):
    """An answer of the endpoint that is no success."""


class Endpoint:
    """One API, over one kept-open connection; `credentials` are botocore's.

    With a `token` (JWT) requests carry it in place of a signature.
    """

    def __init__(self, url: str, credentials: Any, region: str, token: str | None = None) -> None:
        import httpx

        self.url, self._credentials, self._region = url.rstrip("/"), credentials, region
        self._token = token
        self._http = httpx.Client(timeout=TIMEOUT, verify=trusted_certificates())

    def get(self, path: str) -> Any:
        """GET a JSON document."""
        return self._send("GET", path, b"")

    def post(self, path: str, document: Any) -> Any:
        """POST a JSON document and return the answer's."""
        return self._send("POST", path, json.dumps(document).encode())

    def post_body(self, path: str, body: bytes, content_type: str) -> Any:
        """POST bytes of any type and return the document of the answer."""
        return self._send("POST", path, body, content_type)

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

    def _send(self, method: str, path: str, body: bytes, content_type: str = JSON) -> Any:
        url = f"{self.url}{path}"
        answer = self._answer(method, url, body, self._headers(method, url, body, content_type))
        if answer.status_code >= 300:
            raise EndpointError(
                f"{method} {path} was answered {answer.status_code}: {self._reason(answer)}"
            )
        try:
            return answer.json()
        except ValueError as error:
            raise EndpointError(
                f"{method} {url} was answered with no JSON: check the address, and whether a proxy "
                "answers in its place"
            ) from error

    def _headers(self, method: str, url: str, body: bytes, content_type: str) -> dict[str, str]:
        if self._token is not None:
            return {"Content-Type": content_type, "Authorization": f"Bearer {self._token}"}
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        request = AWSRequest(method, url, data=body, headers={"Content-Type": content_type})
        try:
            SigV4Auth(self._credentials, SERVICE, self._region).add_auth(request)
        except BotoCoreError as error:  # such as a session that ended while it was to be renewed
            raise EndpointError(f"the request cannot be signed: {remedied(error)}") from error
        return {name: str(value) for name, value in request.headers.items()}

    def _reason(self, answer: "httpx.Response") -> str:
        """What the endpoint says, or what the gateway before it means."""
        helps = REFUSED.get((answer.status_code, self._token is not None))
        try:
            told = answer.json()
        except ValueError:
            told = None
        detail = told.get("detail") if isinstance(told, dict) else None
        return str(detail or helps or answer.text)

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
