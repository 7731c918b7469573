"""Downloads go on where they broke off, and fetch nothing that did not change."""

import socket
import threading
import time
from contextlib import suppress
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import pytest

from noria.errors import SourceError
from noria.ingestion.http import download
from noria.ingestion.http.public_addresses import Place
from tests.support.quick_retries import quick
from tests.support.scripted_server import Answer, Asked, Scripted, in_turn, serving

TABLE = b"a,b\n" + b"1,2\n" * 1000


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local server stands for a public one; nobody waits."""

    def locate(url: str, *, insecure: bool = False) -> Place:
        return Place(urlsplit(url), ("127.0.0.1",), urlsplit(url).port or 80)

    monkeypatch.setattr(download, "locate", locate)
    monkeypatch.setattr(download, "RETRIES", quick(download.RETRIES))


def ranged(cuts: list[int], headers: dict[str, str]) -> Any:
    """A file server that knows ranges, and drops connections after so many bytes."""

    def answer(asked: Asked) -> Answer:
        cut = cuts.pop(0) if cuts else None
        start = asked.headers.get("Range")
        if start is None or asked.headers.get("If-Range") != headers.get("ETag"):
            return Answer(200, TABLE, headers, cut)
        first = int(start.removeprefix("bytes=").rstrip("-"))
        place = {"Content-Range": f"bytes {first}-{len(TABLE) - 1}/{len(TABLE)}"}
        return Answer(206, TABLE[first:], headers | place, cut)

    return answer


def fetched(server: Scripted, **options: Any) -> download.Download | None:
    return download.fetch(f"{server.url}/t.csv", insecure=True, **options)


def test_a_dropped_connection_is_resumed_where_it_broke_off() -> None:
    with serving(ranged([1000, 500], {"ETag": '"e1"'})) as server:
        assert fetched(server) == download.Download(TABLE, '"e1"')
    assert [asked.headers.get("Range") for asked in server.asked] == [
        None, "bytes=1000-", "bytes=1500-",
    ]  # fmt: skip


def test_a_file_that_changed_meanwhile_begins_anew() -> None:
    new = b"c,d\n3,4\n"
    with serving(
        in_turn(Answer(200, TABLE, {"ETag": '"e1"'}, 1000), Answer(200, new, {"ETag": '"e2"'}))
    ) as server:
        assert fetched(server) == download.Download(new, '"e2"')


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}, {"Last-Modified": "yesterday"}])
def test_without_a_strong_validator_parts_are_not_put_together(headers: dict[str, str]) -> None:
    with serving(ranged([1000], headers)) as server:
        found = fetched(server)
    assert found is not None
    assert found.content == TABLE
    assert [asked.headers.get("Range") for asked in server.asked] == [None, None]


def test_another_part_than_asked_for_is_refused() -> None:
    wrong = Answer(206, b"x", {"Content-Range": "bytes 0-0/1"})
    with (
        serving(in_turn(Answer(200, TABLE, {"ETag": '"e"'}, 10), wrong)) as server,
        pytest.raises(SourceError, match="another part than was asked for"),
    ):
        fetched(server)


def test_a_connection_that_always_drops_is_given_up() -> None:
    with (
        serving(in_turn(Answer(200, TABLE, {}, 10))) as server,
        pytest.raises(SourceError, match=f"broke off after 10 of {len(TABLE)} bytes"),
    ):
        fetched(server)
    assert len(server.asked) == 1 + download.RETRIES.total


@pytest.mark.parametrize(
    ("known", "header"),
    [('"e1"', "If-None-Match"), ('W/"e1"', "If-None-Match"),
     ("Tue, 24 Nov 2026 10:00:00 GMT", "If-Modified-Since")],
)  # fmt: skip
def test_what_is_known_is_not_fetched_again(known: str, header: str) -> None:
    with serving(in_turn(Answer(304))) as server:
        assert fetched(server, known=known) is None
    assert server.asked[0].headers[header] == known


def test_the_time_of_change_stands_in_for_an_etag() -> None:
    with serving(in_turn(Answer(200, b"a\n1\n", {"Last-Modified": "now"}))) as server:
        assert fetched(server) == download.Download(b"a\n1\n", "now")


@pytest.mark.parametrize("status", download.BUSY)
def test_a_busy_server_is_asked_again(status: int) -> None:
    with serving(in_turn(Answer(status, b"", {"Retry-After": "0"}), Answer(200, b"a"))) as server:
        assert fetched(server) == download.Download(b"a", "")


def test_retry_after_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    busy = Answer(429, b"", {"Retry-After": "7"})
    late = Answer(503, b"", {"Retry-After": "9999"})
    with serving(in_turn(busy, late, Answer(200, b"a"))) as server:
        fetched(server)
    assert waited == [7.0, download.LONGEST_WAIT]


def test_time_is_bounded_over_all_attempts() -> None:
    with (
        serving(in_turn(Answer(503, b"", {"Retry-After": "20"}))) as server,
        pytest.raises(SourceError, match="took more than 5 s; raise the source's maximum_seconds"),
    ):
        fetched(server, maximum_seconds=5)


def test_size_is_bounded_over_all_attempts() -> None:
    with (
        serving(ranged([1000], {"ETag": '"e"'})) as server,
        pytest.raises(SourceError, match="holds more than 3000 bytes"),
    ):
        fetched(server, maximum_bytes=3000)


def test_a_server_that_is_away_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reach, left = download.connect, [OSError("Connection refused")] * 2

    def connect(*args: Any) -> Any:
        if left:
            raise left.pop()
        return reach(*args)

    monkeypatch.setattr(download, "connect", connect)
    with serving(in_turn(Answer(200, b"a"))) as server:
        assert fetched(server) == download.Download(b"a", "")


def test_retry_after_may_be_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    dates = [formatdate(time.time() + ahead, usegmt=True) for ahead in (20, -60)]
    busy = [Answer(503, b"", {"Retry-After": text}) for text in (*dates, "soon")]
    with serving(in_turn(*busy, Answer(200, b"a"))) as server:
        fetched(server)
    assert 15 < waited[0] <= 20
    assert waited[1:] == [0.0, pytest.approx(0.004)]


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_trickles_is_left_in_time(sent: bytes) -> None:
    stop = threading.Event()

    def trickle(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(sent)
            while not stop.wait(0.05):
                connection.sendall(b"X-Slow: 1\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,))
        thread.start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/t.csv"
        with pytest.raises(SourceError, match="took more than 1 s; raise the source's"):
            download.fetch(url, insecure=True, maximum_seconds=1)
        took = time.monotonic() - began
        stop.set()
        thread.join()
    assert took < 5


def test_a_condition_is_not_mixed_with_a_part() -> None:
    """A part is asked for by what the first answer said, not by what was known before."""
    first = Answer(200, TABLE, {"ETag": '"new"'}, 1000)
    place = {"Content-Range": f"bytes 1000-{len(TABLE) - 1}/{len(TABLE)}"}
    with serving(in_turn(first, Answer(206, TABLE[1000:], {"ETag": '"new"'} | place))) as server:
        assert fetched(server, known='"old"') == download.Download(TABLE, '"new"')
    asked = server.asked[1].headers
    assert (asked["If-Range"], asked.get("If-None-Match")) == ('"new"', None)
