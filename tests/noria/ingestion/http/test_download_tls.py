"""Downloads over TLS: the certificate is the name's, and the deadline holds there too."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from noria.errors import SourceError
from noria.ingestion.http import download
from noria.ingestion.http.public_addresses import Place

FILE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\n1\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `public.test`, which signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "public.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("public.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    path = tmp_path_factory.mktemp("tls") / "public.pem"
    path.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@contextmanager
def serving(
    certificate: Path, answer: Callable[[ssl.SSLSocket], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A TLS server that stands for every host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setattr(
            download, "locate", lambda url, insecure: Place(urlsplit(url), ("127.0.0.1",), port)
        )

        def serve() -> None:
            with suppress(OSError):
                raw, _ = listening.accept()
                with context.wrap_socket(raw, server_side=True) as connection:
                    connection.recv(4096)
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def test_a_file_is_fetched_where_the_certificate_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate, lambda connection: connection.sendall(FILE), monkeypatch):
        assert download.download("https://public.test/x") == (b"a\n1\n", "")


@pytest.mark.parametrize(("host", "trusted"), [("other.test", True), ("public.test", False)])
def test_another_certificate_is_refused_at_once(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        serving(certificate, lambda connection: connection.sendall(FILE), monkeypatch),
        pytest.raises(SourceError, match=r"its certificate is not trusted .*; use an address with"),
    ):
        download.download(f"https://{host}/x")


def test_the_deadline_holds(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def trickle(connection: ssl.SSLSocket) -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not done.wait(0.05):
                connection.sendall(b"X-Slow: 1\r\n")

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate, trickle, monkeypatch):
        with pytest.raises(SourceError, match="took more than 1 s"):
            download.fetch("https://public.test/x", maximum_seconds=1)
        done.set()
