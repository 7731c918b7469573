"""`noria predict`: who asks, at which address, and what is told where that is refused."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infra.cli.aws_errors import remedied
from tests.infra.cli.stack import made_stack, noria
from tests.infra.cli.test_runs import CONTRACT

PREDICTED = {"model": "v1", "predictions": [], "warnings": []}
NO_MODEL = "there is no model yet: start the state machine"


@dataclass
class Gateway:
    """A server in the endpoint's place: what it answers next, and what it was sent."""

    url: str = ""
    status: int = 200
    document: Any = field(default_factory=lambda: PREDICTED)
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """An address that answers as it is told to."""
    told = Gateway()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.seen.append((self.path, headers, body))
            self.send_response(told.status)
            self.end_headers()
            self.wfile.write(json.dumps(told.document).encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("localhost", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    told.url = f"http://localhost:{server.server_address[1]}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def row(tmp_path: Path) -> str:
    """A file with a row."""
    path = tmp_path / "row.json"
    path.write_text('{"distance": 1}')
    return str(path)


def test_requests_are_signed_by_default(gateway: Gateway, row: str) -> None:
    with made_stack(CONTRACT, {"EndpointUrl": gateway.url}):
        done = noria("predict", "orders", row)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == PREDICTED
    [(path, headers, body)] = gateway.seen
    assert (path, json.loads(body)) == ("/predict", {"distance": 1})
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256")


@pytest.mark.parametrize("given", ["abc.def", "Bearer abc.def"])
def test_a_token_goes_in_place_of_a_signature(
    gateway: Gateway, row: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN another address THEN AWS is asked nothing: it is not there."""
    by_option = noria("predict", "any", row, "--url", gateway.url, "--token", given)
    monkeypatch.setenv("NORIA_TOKEN", given)
    by_variable = noria("predict", "any", row, "--url", gateway.url)
    assert by_option.exit_code == by_variable.exit_code == 0, by_option.stderr
    assert [headers["authorization"] for _, headers, _ in gateway.seen] == ["Bearer abc.def"] * 2


def test_another_address_is_signed_for_too(gateway: Gateway, row: str) -> None:
    assert noria("predict", "any", row, "--url", f"{gateway.url}/", "--explain").exit_code == 0
    [(path, headers, _)] = gateway.seen
    assert path == "/predict?explain=true"
    assert "execute-api" in headers["authorization"]


@pytest.mark.parametrize(
    ("file", "content", "kind", "sent"),
    [
        ("rows.json", '[{"a": 1}, {"a": 2}]', "application/json",
         b'{"rows": [{"a": 1}, {"a": 2}]}'),
        ("rows.json", '{"instances": [{"a": 1}]}', "application/json",
         b'{"instances": [{"a": 1}]}'),
        ("rows.CSV", "a;b\n1;x\n", "text/csv", b"a;b\n1;x\n"),
    ],
)  # fmt: skip
def test_files_of_rows_are_sent_as_what_they_are(
    gateway: Gateway, tmp_path: Path, file: str, content: str, kind: str, sent: bytes
) -> None:
    (tmp_path / file).write_bytes(content.encode())
    done = noria("predict", "any", str(tmp_path / file), "--url", gateway.url)
    assert done.exit_code == 0, done.stderr
    [(_, headers, body)] = gateway.seen
    assert (headers["content-type"], body) == (kind, sent)


@pytest.mark.parametrize(
    ("status", "document", "arguments", "told"),
    [
        (401, {"message": "Unauthorized"}, [], "give one by --token or NORIA_TOKEN"),
        (401, {"message": "Unauthorized"}, ["--token", "x"], "has expired, or is of another"),
        (403, {"message": "Forbidden"}, [], "execute-api:Invoke"),
        (403, {"message": "Forbidden"}, ["--token", "x"], "leave out --token"),
        (503, {"detail": NO_MODEL}, [], NO_MODEL),
        (422, {"detail": "row 0 is empty"}, [], "row 0 is empty"),
        (429, {"message": "Too Many Requests"}, [], "Too Many Requests"),
    ],
)
def test_a_refusal_is_one_sentence_with_what_helps(
    gateway: Gateway, row: str, status: int, document: Any, arguments: list[str], told: str
) -> None:
    gateway.status, gateway.document = status, document
    done = noria("predict", "any", row, "--url", gateway.url, *arguments)
    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"POST /predict was answered {status}: ")
    assert told in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--token", ""], "--token (or NORIA_TOKEN) is empty"),
        (["--token", "a b"], "has blanks in it"),
        (["--url", "endpoint"], "write https://HOST"),
        (["--url", "http://[1"], "is no address"),
        (["--url", "http://endpoint.example", "--token", "x"], "unencrypted"),
        (["--url", "https://endpoint.example", "--local"], "leave one of them out"),
    ],
)
def test_addresses_and_tokens_that_cannot_be(row: str, arguments: list[str], told: str) -> None:
    done = noria("predict", "any", row, *arguments)
    assert done.exit_code == 2
    assert told in done.stderr


def test_without_credentials_a_token_is_proposed(
    gateway: Gateway, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    done = noria("predict", "any", row, "--url", gateway.url)
    assert done.exit_code == 1
    assert "no credentials are found; set them" in done.stderr
    assert "or give a --token" in done.stderr
    assert gateway.seen == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ExpiredToken", "the credentials have expired; get new ones"),
        ("RequestExpired", "the credentials have expired"),
        ("InvalidClientTokenId", "AWS does not take the credentials"),
        ("AccessDenied", "the credentials may not do that"),
        ("ValidationError", "deploy it with `make deploy`"),
    ],
)
def test_what_aws_refuses_has_a_remedy(code: str, told: str) -> None:
    client = boto3.client("cloudformation")
    with Stubber(client) as stubbed:
        stubbed.add_client_error("describe_stacks", code, "It was refused.")
        with pytest.raises(ClientError) as caught:
            client.describe_stacks(StackName="orders")
    assert told in remedied(caught.value)


def test_a_profile_that_is_not_there_is_named(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    done = noria("predict", "orders", row)
    assert done.exit_code == 1
    assert "nobody" in done.stderr
    assert "aws configure list-profiles" in done.stderr
