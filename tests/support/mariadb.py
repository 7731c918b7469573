"""A real MariaDB server for tests of MySQL: Debian's mariadb-server-core, where it is installed.

No package of PyPI or npm ships a MySQL or MariaDB server for Linux.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

PASSWORD = "a 'quoted' pässword"
UNPRIVILEGED = "nobody"  # MariaDB refuses to run as root
SYSTEM_SCRIPTS = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")


@dataclass(frozen=True)
class Server:
    """A running server with the database `shop`, and a user for it."""

    port: int
    password: str = PASSWORD

    @property
    def secret(self) -> dict[str, Any]:
        """As Secrets Manager holds it for a database of RDS."""
        return {"engine": "mysql", "host": "127.0.0.1", "port": self.port, "dbname": "shop",
                "username": "noria", "password": self.password, "sslmode": "disable"}  # fmt: skip

    def run(self, *statements: str) -> None:
        """Run statements in the database."""
        with closing(pymysql.connect(host="127.0.0.1", port=self.port, user="noria",
                                     password=self.password.encode(), database="shop",
                                     autocommit=True)) as connection:  # fmt: skip
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)


def program() -> Path | None:
    """Where the server is."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec"])
    found = shutil.which("mariadbd", path=places)
    return Path(found) if found else None


@contextmanager
def running(binary: Path) -> Iterator[Server]:
    """Start a server in a folder of its own; it ends with the test run."""
    owner = {"user": UNPRIVILEGED} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="noria-mariadb-") as folder:
        root = Path(folder)
        (root / "data" / "mysql").mkdir(parents=True)
        (root / "log").touch()
        if owner:
            root.chmod(0o755)
            for path in (root / "data", root / "data" / "mysql", root / "log"):
                shutil.chown(path, UNPRIVILEGED)
        common = [binary, "--no-defaults", f"--datadir={root / 'data'}",
                  f"--lc-messages-dir={_shared(binary)}", f"--tmpdir={root / 'data'}"]  # fmt: skip
        _initialise(common, _shared(binary), owner)
        port = _free_port()
        with (root / "log").open("wb") as log:
            server = subprocess.Popen(
                [*common, "--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve",
                 f"--socket={root / 'data' / 's'}", f"--pid-file={root / 'data' / 'pid'}",
                 "--innodb-buffer-pool-size=16M", "--character-set-server=utf8mb4",
                 "--sql-mode="],
                stdout=log, stderr=log, **owner,
            )  # fmt: skip
        try:
            _await(server, port, root / "log")
            yield Server(port)
        finally:
            server.terminate()
            server.wait(30)


def _shared(binary: Path) -> Path:
    near = binary.parent.parent / "share" / "mysql"
    return near if near.exists() else Path("/usr/share/mysql")


def _initialise(common: list[Any], shared: Path, owner: dict[str, str]) -> None:
    """Make the system's tables and the user, as mariadb-install-db does: a statement a line."""
    host = f"'noria'@'127.0.0.1' IDENTIFIED BY {PASSWORD!r}"
    script = "\n".join(
        [
            "CREATE DATABASE IF NOT EXISTS mysql;",
            "USE mysql;",
            "SET @auth_root_socket=NULL;",
            "SET @skip_auth_anonymous=1;",
            *((shared / name).read_text() for name in SYSTEM_SCRIPTS),
            "CREATE DATABASE shop;",
            "FLUSH PRIVILEGES;",
            f"GRANT ALL ON *.* TO {host};",
        ]
    )
    done = subprocess.run(
        [*common, "--bootstrap", "--innodb-buffer-pool-size=16M", "--character-set-server=utf8mb4"],
        input=script.encode(), capture_output=True, check=False, **owner,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def _await(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            Server(port).run("SELECT 1")
        except pymysql.MySQLError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"MariaDB did not start ({server.poll()}): {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
