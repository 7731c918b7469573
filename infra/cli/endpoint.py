"""Calling a stack's HTTP API with signed requests, as any caller must."""

import json
import shlex
from typing import Any

from noria.errors import NoriaError

SERVICE = "execute-api"
LARGEST_BATCH = 1000
TIMEOUT = 60.0


class EndpointError(NoriaError):
    """An answer of the endpoint that is no success."""


class Endpoint:
    """One API, over one kept-open connection; `credentials` are botocore's."""

    def __init__(self, url: str, credentials: Any, region: str) -> None:
        import httpx

        self.url, self._credentials, self._region = url.rstrip("/"), credentials, region
        self._http = httpx.Client(timeout=TIMEOUT)

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
        answer = self._http.request(method, url, content=body, headers=headers)
        if answer.status_code >= 300:
            raise EndpointError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        return answer.json()


def shell(command: list[str]) -> str:
    """Write a command as a person would paste it."""
    return " ".join(shlex.quote(part) for part in command)
