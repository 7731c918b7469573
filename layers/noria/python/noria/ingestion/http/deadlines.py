"""A deadline for a whole transfer, however slowly the server sends."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer


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
