"""Serving the console on this machine, to the person who started it."""

import socket
import webbrowser
from collections.abc import Callable

import uvicorn

from infra.cli.errors import UsageMistakeError
from infra.console.app import console_app
from infra.console.protection import Gate
from infra.console.stacks import StackBook

HOST = "127.0.0.1"  # and no other: whoever can reach the console acts with the user's credentials
GRACE = 2  # seconds that answers may take once it is to end


def serve(book: StackBook, port: int, *, open_browser: bool, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; UsageMistakeError where the port is taken."""
    with listening(port) as listener:
        gate = Gate(listener.getsockname()[1])
        say(f"The console is at {gate.url} until Ctrl-C.")
        if open_browser:
            webbrowser.open(gate.url)
        web_server(book, gate).run(sockets=[listener])


def web_server(book: StackBook, gate: Gate) -> uvicorn.Server:
    """What answers behind a gate, not yet started."""
    settings = uvicorn.Config(
        console_app(book, gate), log_level="warning", access_log=False, lifespan="off",
        timeout_graceful_shutdown=GRACE, server_header=False,
    )  # fmt: skip
    return uvicorn.Server(settings)


def listening(port: int) -> socket.socket:
    """Take a port of this machine, 0 for any; UsageMistakeError where it is taken."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
        made.listen()  # before the browser comes
    except OSError as error:
        made.close()
        raise UsageMistakeError(
            f"--port {port} cannot be taken ({error.strerror}): choose another one, or 0 for any"
        ) from error
    return made
