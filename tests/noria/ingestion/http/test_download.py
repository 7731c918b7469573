"""Downloads reach public addresses only; one private server watches that nobody calls it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import SourceError
from noria.ingestion.http import download as download_module
from noria.ingestion.http.download import MAXIMUM_REDIRECTS, download, is_public
from tests.support.quick_retries import quick

PUBLIC = "93.184.215.14"
NAMES = {
    "public.test": [PUBLIC],
    "private.test": ["10.0.0.8"],
    "mixed.test": [PUBLIC, "127.0.0.1"],
    "mixed6.test": ["2606:2800:220:1::1", "::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "127.0.0.1.nip.test": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
    "instance-data": ["169.254.169.254"],
}


class Recorder(ThreadingHTTPServer):
    """A server that answers from a table, and remembers who asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[tuple[str, str | None]] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.contacts = 0

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.contacts += 1
        return True


class Answering(BaseHTTPRequestHandler):
    """Answers what the table says, or 404."""

    server: Recorder

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Host")))
        status, headers, body = self.server.answers.get(self.path, (404, {}, b"nothing"))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Recorder]:
    with Recorder() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def sentinel() -> Iterator[Recorder]:
    """A private server that must not be contacted."""
    with serving() as server:
        yield server


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A server behind the public address; names come from the table, and no packet leaves."""
    resolve, connect = socket.getaddrinfo, socket.create_connection

    def look_up(host: str, port: Any, *args: Any, **options: Any) -> Any:
        name = host.encode("idna").decode().rstrip(".").lower()  # as the resolver reads it
        if name in NAMES:
            return [found for address in NAMES[name]
                    for found in resolve(address, port, *args, **options)]  # fmt: skip
        flags = options.pop("flags", 0) | socket.AI_NUMERICHOST
        return resolve(host, port, *args, flags=flags, **options)

    with serving() as server:

        def dial(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
            if address[0] == PUBLIC:
                return connect(("127.0.0.1", server.server_port), *args, **options)
            if ip_address(address[0]).is_loopback:  # the sentinel would be reached
                return connect(address, *args, **options)
            raise AssertionError(f"connected to {address}")

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(socket, "create_connection", dial)
        yield server


# Every host that reaches, or might reach, the machine itself or its network.
HOSTILE = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1",
    "0x7f.0.0.1", "017700000001", "0177.0.0.1", "0177.0.0.01", "127.0x0.0.1", "0", "0.0.0.0",  # noqa: S104
    "0x0", "00.0.0.0", "10.0.0.1", "10.1", "167772161", "0xa000001", "012.0.0.1", "172.16.0.1",
    "172.31.255.255", "0xac.0x10.0.1", "2886729729", "192.168.0.1", "192.168.257", "3232235521",
    "0300.0250.0.1", "169.254.169.254", "169.254.43518", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.1",
    "192.0.0.8", "192.0.0.9", "192.0.0.255", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "4294967295",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[::7f00:1]", "[::a9fe:a9fe]",
    "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b::808:808]", "[64:ff9b:1::1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2002:0a00:0001::1]", "[2001::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[2001:db8::1]", "[2001:10::1]", "[3fff::1]",
    "[100::1]", "[5f00::1]", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]",
    "[fd12:3456:789a::1]", "[ff02::1]", "[ff0e::1]", "[::ffff:0:127.0.0.1]", "[4000::1]",
    "localhost", "localhost.", "LOCALHOST", "\u24c1ocalhost", "\uff4cocalhost",
    "instance-data", "private.test", "private.test.", "mixed.test", "mixed6.test",
    "metadata.google.internal", "127.0.0.1.nip.test",
]  # fmt: skip


def test_there_are_enough_hostile_hosts(public: Recorder, sentinel: Recorder) -> None:
    assert len(set(HOSTILE)) >= 90
    for host in HOSTILE:
        for port in (sentinel.server_port, 22, 80, 8080):
            with pytest.raises(SourceError):
                download(f"http://{host}:{port}/latest/meta-data/", insecure=True)
    assert (sentinel.contacts, public.contacts) == (0, 0)


@pytest.mark.parametrize("host", HOSTILE)
def test_a_hostile_host_is_never_contacted(public: Recorder, sentinel: Recorder, host: str) -> None:
    for url in (f"http://{host}:{sentinel.server_port}/x", f"https://{host}/x"):
        with pytest.raises(SourceError, match="which is not a public address") as caught:
            download(url, insecure=True)
        assert url in str(caught.value)
    assert (sentinel.contacts, public.contacts) == (0, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://public.test@127.0.0.1:{port}/x", "http://user:secret@127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}#@public.test/", "http://127.0.0.1:{port}?@public.test/",
        "http://public.test:80@127.0.0.1:{port}/", "http://public.test%40127.0.0.1:{port}/",
        "http://public.test\\@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@public.test/",
        "http:///127.0.0.1:{port}/", "http:127.0.0.1:{port}", "http://:{port}/",
        "//127.0.0.1:{port}/x",
        "http://[::1:{port}/", "http://[::1%25lo]:{port}/", "http://[fe80::1%25lo]:{port}/",
        "http://127.0.0.1:{port}:80/", "http://127.0.0.1:99999/", "http://127.0.0.1:x/",
        "http://\uff11\uff12\uff17.0.0.1:{port}/", "http://①②⑦.0.0.1:{port}/", "http://127。0。0。1:{port}/",
        "http://127.0.0.1.:{port}/", "http://127.0.0.1%00.public.test:{port}/",
        "http://127.0.0.1\t:{port}/", "http://127.0.0\n.1:{port}/", " http://127.0.0.1:{port}/",
        "file:///etc/passwd", "file://127.0.0.1:{port}/x", "ftp://127.0.0.1:{port}/x",
        "gopher://127.0.0.1:{port}/x", "data:text/csv,a", "javascript:1", "", "127.0.0.1:{port}",
        "http://" + "a" * 300 + ".test:{port}/", "http://\ud800:{port}/", "http://unknown.test/",
    ],
)  # fmt: skip
def test_tricks_with_addresses_reach_nobody(public: Recorder, sentinel: Recorder, url: str) -> None:
    with pytest.raises(SourceError):
        download(url.replace("{port}", str(sentinel.server_port)), insecure=True)
    assert (sentinel.contacts, public.contacts) == (0, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{port}/x", "//127.0.0.1:{port}/x", "http://2130706433:{port}/",
     "http://[::ffff:127.0.0.1]:{port}/", "http://127.0.0.1.nip.test:{port}/",
     "http://public.test@127.0.0.1:{port}/", "http://169.254.169.254/latest/meta-data/",
     "file:///etc/passwd", "ftp://127.0.0.1:{port}/", "/second"],
)  # fmt: skip
def test_a_redirect_is_looked_at_like_the_first_address(
    public: Recorder, sentinel: Recorder, status: int, target: str
) -> None:
    target = target.replace("{port}", str(sentinel.server_port))
    public.answers["/first"] = (status, {"Location": target}, b"")
    public.answers["/second"] = (
        302, {"Location": f"http://127.0.0.1:{sentinel.server_port}/"}, b"",
    )  # fmt: skip
    with pytest.raises(SourceError, match=r"not a public address|is not https|no user name"):
        download("http://public.test/first", insecure=True)
    assert sentinel.contacts == 0
    assert public.contacts == (2 if target == "/second" else 1)


def test_redirects_end(public: Recorder) -> None:
    public.answers["/again"] = (302, {"Location": "/again"}, b"")
    with pytest.raises(SourceError, match=f"redirected more than {MAXIMUM_REDIRECTS} times"):
        download("http://public.test/again", insecure=True)
    assert public.contacts == MAXIMUM_REDIRECTS + 1


def test_a_name_is_resolved_once(public: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: str, *args: Any, **options: Any) -> Any:
        asked.append(host)
        return resolve("public.test" if len(asked) == 1 else "127.0.0.1", *args, **options)

    public.answers["/x"] = (200, {}, b"a,b\n")
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    # Dialling the local server resolves its numeric address: only the name counts.
    assert download("http://rebinding.test/x", insecure=True) == (b"a,b\n", "")
    assert asked.count("rebinding.test") == 1


def test_a_host_is_reached_by_any_of_its_checked_addresses(
    public: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial = socket.create_connection

    def without_ipv6(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        if ":" in address[0]:
            raise OSError("Network is unreachable")
        return dial(address, *args, **options)

    monkeypatch.setitem(NAMES, "both.test", ["2606:2800:220:1::1", PUBLIC])
    monkeypatch.setattr(socket, "create_connection", without_ipv6)
    public.answers["/x"] = (200, {}, b"a\n1\n")
    assert download("http://both.test/x", insecure=True) == (b"a\n1\n", "")


def test_a_public_file_is_fetched(public: Recorder) -> None:
    public.answers["/a.csv?x=1"] = (200, {"ETag": '"e1"'}, b"a,b\n1,2\n")
    public.answers["/"] = (302, {"Location": "a.csv?x=1"}, b"")
    assert download("http://public.test", insecure=True) == (b"a,b\n1,2\n", '"e1"')
    assert public.asked == [("/", "public.test"), ("/a.csv?x=1", "public.test")]


@pytest.mark.parametrize("url", ["http://public.test/x", "HTTP://public.test/x"])
def test_plain_http_must_be_asked_for(public: Recorder, url: str) -> None:
    with pytest.raises(SourceError, match="is not https; use an https address"):
        download(url)
    assert public.contacts == 0


def test_https_needs_a_certificate(public: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "RETRIES", quick(download_module.RETRIES))
    with pytest.raises(SourceError, match=r"'https://public.test/x' cannot be reached"):
        download("https://public.test/x")
    assert public.asked == []


@pytest.mark.parametrize("status", [204, 206, 304, 400, 403, 404, 500, 503])
def test_other_answers_are_told(
    public: Recorder, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "RETRIES", quick(download_module.RETRIES))
    public.answers["/x"] = (status, {}, b"")
    with pytest.raises(SourceError, match=f"'http://public.test/x' answered {status}"):
        download("http://public.test/x", insecure=True)


def test_size_is_bounded(public: Recorder) -> None:
    public.answers["/x"] = (200, {}, b"x" * 1000)
    assert len(download("http://public.test/x", insecure=True, maximum_bytes=1000)[0]) == 1000
    with pytest.raises(SourceError, match="holds more than 999 bytes; raise the source's"):
        download("http://public.test/x", insecure=True, maximum_bytes=999)


def test_a_cut_body_is_no_file(public: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "RETRIES", quick(download_module.RETRIES))
    public.answers["/x"] = (200, {"Content-Length": "100"}, b"a,b\n1,2\n")
    with pytest.raises(SourceError, match="broke off after 8 of 100 bytes"):
        download("http://public.test/x", insecure=True)


@pytest.mark.parametrize("path", ["/a b", "/a\r\nHost: evil.test", "/ü"])
def test_a_path_cannot_smuggle_headers(public: Recorder, path: str) -> None:
    with pytest.raises(SourceError, match="is no address that can be asked for"):
        download(f"http://public.test{path}", insecure=True)
    assert public.asked == []


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "192.167.1.1",
     "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8", "2a00:1450::1"],
)  # fmt: skip
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_embedding_lets_ipv4_through(address: Any) -> None:
    number = int(address)
    for prefix in ("::", "64:ff9b::", "64:ff9b:1::"):
        assert not is_public(IPv6Address(int(IPv6Address(prefix)) + number))
    assert not is_public(IPv6Address((0x2002 << 112) + (number << 80)))
    mapped = IPv6Address((0xFFFF << 32) + number)
    assert is_public(mapped) == is_public(address)
    if address.is_private or address.is_multicast or address.is_reserved:
        assert not is_public(address)
