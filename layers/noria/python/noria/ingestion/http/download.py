"""Public files over HTTPS: fetched only when they changed, resumed where a connection dropped."""

import http.client
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from noria.errors import SourceError
from noria.ingestion.http.deadlines import ended_by
from noria.ingestion.http.public_addresses import TIMEOUT, Place, connect, is_public, locate

__all__ = ["MAXIMUM_REDIRECTS", "Download", "download", "fetch", "is_public", "locate"]

TOTAL_SECONDS = 600.0
MAXIMUM_REDIRECTS = 5
CHUNK = 1 << 20
LONGEST_WAIT = 30  # seconds
# How often and after how long is urllib3's to say. The transfer is ours: addresses are checked
# before each connection, a file goes on where it broke off, and one deadline holds for all of it.
RETRIES = Retry(
    3,
    backoff_factor=0.2,
    backoff_jitter=0.2,
    backoff_max=LONGEST_WAIT,
    retry_after_max=LONGEST_WAIT,
)
REDIRECTS = (301, 302, 303, 307, 308)
BUSY = (408, 429, 500, 502, 503, 504)
REMEDIES = {
    401: "it asks for a login: give a public address, or use kind s3",
    403: "it asks for a permission: give a public address, or use kind s3",
    404: "check the address",
    410: "the file was removed: give its new address",
}


@dataclass(frozen=True)
class Download:
    """A file's bytes, and what a later request compares: its ETag, else when it was modified."""

    content: bytes
    validator: str


class _Interrupted(Exception):  # noqa: N818 - not an error: the transfer goes on
    """A transfer that may go on after a while."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def download(
    url: str, *, insecure: bool = False, maximum_bytes: int = 500_000_000
) -> tuple[bytes, str]:
    """Fetch a public file; returns its bytes and ETag ("" where the server gives none).

    Raises `SourceError` for an address that is not public, a plain http address unless
    `insecure`, too many redirects, an error status, or more than `maximum_bytes`.
    """
    found = fetch(url, insecure=insecure, maximum_bytes=maximum_bytes)
    assert found is not None  # noqa: S101 - only a conditional request finds nothing new
    return found.content, found.validator


def fetch(
    url: str,
    *,
    insecure: bool = False,
    maximum_bytes: int = 500_000_000,
    maximum_seconds: float = TOTAL_SECONDS,
    known: str = "",
) -> Download | None:
    """Fetch a public file as `download` does; None where it still is what `known` validates."""
    return _Transfer(url, insecure, maximum_bytes, maximum_seconds, known).run()


class _Transfer:
    """One file on its way, over as many connections as it takes."""

    def __init__(
        self, url: str, insecure: bool, maximum_bytes: int, maximum_seconds: float, known: str
    ) -> None:
        self._url, self._insecure, self._known = url, insecure, known
        self._maximum_bytes, self._maximum_seconds = maximum_bytes, maximum_seconds
        self._deadline = time.monotonic() + maximum_seconds
        self._content = bytearray()
        self._validator = ""

    def run(self) -> Download | None:
        """Fetch, and go on where a connection dropped or the server was busy."""
        retries = RETRIES
        while True:
            try:
                return self._attempt()
            except _Interrupted as interrupted:
                retries = _with_one_less(retries, interrupted)
                asked = interrupted.wait
                wait = retries.get_backoff_time() if asked is None else asked
                self._check_time(wait)
                time.sleep(wait)

    def _attempt(self) -> Download | None:
        url = self._url
        for _ in range(MAXIMUM_REDIRECTS + 1):
            place = locate(url, insecure=self._insecure)
            connection = self._connected(place, url)
            try:
                with ended_by(self._deadline, connection):
                    response = self._ask(connection, place, url)
                    if response.status in REDIRECTS:
                        url = self._next(response, url)
                        continue
                    if response.status == 304 and self._known:
                        return None
                    self._judge(response, url)
                    self._read(response, url)
                    return Download(bytes(self._content), self._validator)
            finally:
                connection.close()
        raise SourceError(
            f"'{self._url}' redirected more than {MAXIMUM_REDIRECTS} times; give the address that "
            "it leads to"
        )

    def _connected(self, place: Place, url: str) -> http.client.HTTPConnection:
        left = max(self._deadline - time.monotonic(), 0.001)
        told = f"'{url}' cannot be reached"
        try:
            return connect(place, min(left, TIMEOUT))
        except ssl.SSLCertVerificationError as error:
            raise SourceError(
                f"{told}: its certificate is not trusted ({error.verify_message}); use an address "
                "with a valid one"
            ) from error
        except OSError as error:
            raise _Interrupted(f"{told}: {error}; check the address") from error

    def _next(self, response: http.client.HTTPResponse, url: str) -> str:
        location = response.getheader("Location")
        if not location:
            raise SourceError(f"'{url}' redirects to nowhere; give the address of the file")
        try:
            return urljoin(url, location)
        except ValueError as error:
            raise SourceError(f"'{url}' redirects to {location!r}: {error}") from error

    def _ask(
        self, connection: http.client.HTTPConnection, place: Place, url: str
    ) -> http.client.HTTPResponse:
        path = place.parts.path or "/"
        query = f"?{place.parts.query}" if place.parts.query else ""
        try:
            connection.request("GET", f"{path}{query}", headers=self._headers())
            return connection.getresponse()
        except (ValueError, http.client.InvalidURL) as error:  # no request line can hold it
            raise SourceError(
                f"'{url}' is no address that can be asked for ({error}); encode what is special "
                "in it, such as a space as %20"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            self._check_time()
            raise _Interrupted(f"'{url}' broke off: {error}") from error

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": "noria"}
        if self._content and self._resumable:
            return headers | {
                "Range": f"bytes={len(self._content)}-", "If-Range": self._validator,
            }  # fmt: skip
        if self._known:
            tag = self._known.startswith(('"', "W/"))
            headers["If-None-Match" if tag else "If-Modified-Since"] = self._known
        return headers

    @property
    def _resumable(self) -> bool:
        """RFC 9110: parts of a file are put together only under one strong validator."""
        return self._validator.startswith('"')

    def _judge(self, response: http.client.HTTPResponse, url: str) -> None:
        """Go on with a body that continues what is here, or begins anew; refuse all else."""
        if response.status in BUSY:
            wait = _retry_after(response.getheader("Retry-After"))
            raise _Interrupted(f"'{url}' answered {response.status} {response.reason}", wait)
        asked_for_rest = bool(self._content) and self._resumable
        if asked_for_rest and response.status == 416:
            self._content.clear()
            raise _Interrupted(f"'{url}' answered 416: its file changed meanwhile")
        if asked_for_rest and response.status == 206:
            start = f"bytes {len(self._content)}-"
            if (response.getheader("Content-Range") or "").startswith(start):
                return
            raise SourceError(f"'{url}' answered with another part than was asked for; use kind s3")
        if response.status != 200:
            remedy = REMEDIES.get(response.status, "check the address in a browser")
            raise SourceError(f"'{url}' answered {response.status} {response.reason}; {remedy}")
        self._content.clear()
        self._validator = response.getheader("ETag") or response.getheader("Last-Modified") or ""

    def _read(self, response: http.client.HTTPResponse, url: str) -> None:
        declared = response.length
        whole = None if declared is None else len(self._content) + declared
        try:
            while chunk := response.read1(CHUNK):
                self._content += chunk
                if len(self._content) > self._maximum_bytes:
                    raise SourceError(
                        f"'{url}' holds more than {self._maximum_bytes} bytes; raise the source's "
                        "maximum_bytes, or drop the file into the bucket as kind s3"
                    )
                self._check_time()
        except (OSError, http.client.HTTPException) as error:
            self._check_time()
            raise _Interrupted(
                f"'{url}' broke off after {len(self._content)} bytes: {error}"
            ) from error
        self._check_time()
        if whole is not None and len(self._content) < whole:  # http.client takes it for a whole
            raise _Interrupted(f"'{url}' broke off after {len(self._content)} of {whole} bytes")

    def _check_time(self, ahead: float = 0.0) -> None:
        if time.monotonic() + ahead > self._deadline:
            raise SourceError(
                f"'{self._url}' took more than {self._maximum_seconds:g} s; raise the source's "
                "maximum_seconds, or use kind s3"
            )


def _with_one_less(retries: Retry, interrupted: _Interrupted) -> Retry:
    try:
        return retries.increment()
    except MaxRetryError:
        raise SourceError(str(interrupted)) from interrupted


def _retry_after(text: str | None) -> float | None:
    """Retry-After (RFC 9110, 10.2.3) in seconds, bounded; None where there is none to be read."""
    with suppress(InvalidHeader, ValueError, OverflowError):
        return RETRIES.parse_retry_after(text) if text else None
    return None
