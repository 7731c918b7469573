"""How long to wait for a web server: as long as it asks for, and never past a deadline."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from threading import Timer


def retry_after(text: str | None, longest: float) -> float | None:
    """A Retry-After (RFC 9110, 10.2.3: a number of seconds or a date) in seconds, bounded.

    None where there is none that can be read.
    """
    if not text:
        return None
    if text.isdecimal():
        return min(float(text), longest)
    try:
        ahead = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(ahead, 0.0), longest)


@contextmanager
def ended_by(deadline: float, connection: http.client.HTTPConnection) -> Iterator[None]:
    """Cut a connection at a time of the monotonic clock.

    Timeouts of sockets do not: a server may send a byte now and then for ever.
    """
    timer = Timer(max(deadline - time.monotonic(), 0.0), _cut, (connection.sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connected: socket.socket) -> None:
    # Not SSLSocket's own shutdown: that would change it under the thread that reads.
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
