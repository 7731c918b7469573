"""Looking up entities' latest features, beside Feast's DynamoDB online store."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import feast_peer
from tests.bench.environments import python_of
from tests.bench.measuring import measure

ENTITIES, LOOKUPS, KEYS = 1000, 100, ("1", "10", "100")
PATIENCE = 60.0  # seconds for the server to answer
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
NOTE = """\
Median milliseconds of {lookups} lookups of entities at random (five doubles each, {entities:,} in
the table), both against one moto server on this machine: much of it is moto's own time, none the
network's, so that the difference tells more than the ratio. Noria without pandas, as the endpoint
has none."""


def compare(console: Console, repeat: int) -> None:
    """Measure, and print a table."""
    python = python_of("feast")
    sizes = [str(ENTITIES), str(LOOKUPS), *KEYS]
    lines = {}
    with _moto() as url, tempfile.TemporaryDirectory(prefix="noria-bench-") as home:
        ours = measure(["-m", "tests.bench.online", url, *sizes], variables=CREDENTIALS)
        lines["Noria"] = ours.found["milliseconds"]
        if python is not None:
            asked = [feast_peer.LOOKUP, home, url, *sizes]
            theirs = measure(asked, python, CREDENTIALS | feast_peer.SETTINGS)
            lines["Feast"] = theirs.found["milliseconds"]
    console.print(NOTE.format(lookups=LOOKUPS, entities=ENTITIES), highlight=False)
    table = Table("keys", *lines)
    for keys in KEYS:
        table.add_row(keys, *(f"{found[keys]:.1f} ms" for found in lines.values()))
    console.print(table)


@contextmanager
def _moto() -> Iterator[str]:
    """A moto server in a process of its own: its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=Path(tempfile.gettempdir()), **quiet) as server:
        try:
            _await(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _await(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"moto's server did not answer within {PATIENCE:g} seconds")
