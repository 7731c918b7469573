"""Calls of a stack's HTTP API from the command line: what cannot be reached says what to do."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.cli.endpoint import CA_BUNDLES, Endpoint, EndpointError

BODY = b'{"predictions": []}'


class _Answers(BaseHTTPRequestHandler):
    body = BODY

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Page(_Answers):
    body = b"<html>sign in first</html>"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A self-signed certificate of localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return tmp_path / "ca.pem"


def _served(handler: type[BaseHTTPRequestHandler], bundle: Path | None = None) -> Iterator[str]:
    server = HTTPServer(("localhost", 0), handler)
    if bundle is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(bundle, bundle.with_name("key.pem"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    scheme = "http" if bundle is None else "https"
    yield f"{scheme}://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def secure(bundle: Path) -> Iterator[str]:
    yield from _served(_Answers, bundle)


@pytest.fixture
def page() -> Iterator[str]:
    yield from _served(_Page)


@pytest.fixture(autouse=True)
def no_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CA_BUNDLES:
        monkeypatch.delenv(name, raising=False)


def post(url: str) -> object:
    endpoint = Endpoint(url, Credentials("key", "secret"), "eu-west-1")
    try:
        return endpoint.post("/predict", {"rows": [{"a": 1}]})
    finally:
        endpoint.close()


@pytest.mark.parametrize("name", CA_BUNDLES)
def test_certificates_of_ones_own_are_named_by_boto3s_variables(
    name: str, secure: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EndpointError, match=r"is not trusted .*set AWS_CA_BUNDLE"):
        post(secure)
    monkeypatch.setenv(name, str(bundle))
    assert post(secure) == {"predictions": []}


def test_the_first_variable_counts(
    secure: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    assert post(secure) == {"predictions": []}


def test_a_bundle_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (None, "no certificate"):
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_text(content)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
        with pytest.raises(EndpointError, match=r"AWS_CA_BUNDLE names .*ca\.pem.*PEM file"):
            post("https://localhost")


@pytest.mark.parametrize("host", ["nowhere.invalid", "localhost:1"])
def test_a_host_that_cannot_be_reached_is_named(host: str) -> None:
    with pytest.raises(EndpointError, match=f"{host} cannot be reached .*check the network"):
        post(f"https://{host}")


def test_a_page_in_place_of_an_answer_is_told(page: str) -> None:
    with pytest.raises(EndpointError, match="with no JSON: check the address"):
        post(page)
