"""A real MLflow tracking server for tests, over SQLite, and its own client.

Its environment is made by the first test that asks for it: 360 MB, some ten seconds.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench.environments import python_of

HERE = Path(__file__).parent
USER, PASSWORD = "noria", "a 'quoted': p%ssword"  # ASCII: MLflow reads no other for artifacts
CONFIGURATION = """
[mlflow]
default_permission = READ
database_uri = sqlite:///{root}/users.db
admin_username = {user}
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
SECRET = {"username": USER, "password": PASSWORD}  # as Secrets Manager holds it
SETTINGS = {
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test", "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONUTF8": "1",
}  # fmt: skip
PATIENCE = 120  # seconds; it migrates two empty databases


@dataclass(frozen=True)
class TrackingServer:
    """A running server, and where its client is."""

    url: str
    python: Path

    def read_back(self, experiment: str) -> dict[str, Any]:
        """All runs of an experiment, and all registered models, as MLflow's own client has them."""
        done = subprocess.run(
            [self.python, HERE / "mlflow" / "read_back.py", self.url, experiment],
            env=os.environ | SETTINGS, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def statuses(self, experiment: str) -> dict[str, str]:
        """The runs of an experiment by id, with their status; none where there is no experiment."""
        number = self._experiment(experiment)
        asked = {"experiment_ids": [number], "max_results": 1000}
        runs = self._post("runs/search", asked).get("runs", []) if number else []
        return {one["info"]["run_id"]: one["info"]["status"] for one in runs}

    def delete_experiment(self, name: str) -> None:
        """Delete an experiment, as people do in the browser."""
        self._post("experiments/delete", {"experiment_id": self._experiment(name)})

    def _experiment(self, name: str) -> str | None:
        asked = {"filter": f"name = '{name}'", "max_results": 10}
        found = self._post("experiments/search", asked).get("experiments", [])
        return found[0]["experiment_id"] if found else None

    def _post(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        credentials = (USER, PASSWORD)
        answer = httpx.post(f"{self.url}/api/2.0/mlflow/{call}", json=body, auth=credentials)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def client_python() -> Path | None:
    """The Python that has MLflow; None where its packages cannot be had."""
    return python_of("mlflow", within=HERE)


@contextmanager
def running(python: Path, *, locked: bool = False) -> Iterator[TrackingServer]:
    """Start a server in a folder of its own; it ends with the test run.

    A `locked` one asks for `SECRET`, and is slow: it takes half a second to check a password.
    """
    with tempfile.TemporaryDirectory(prefix="noria-mlflow-") as folder:
        root, port = Path(folder), _free_port()
        settings = root / "auth.ini"
        told = CONFIGURATION.format(root=root, user=USER, password=PASSWORD.replace("%", "%%"))
        settings.write_text(told, encoding="utf-8")
        command: Sequence[str | Path] = [
            python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "1", *(["--app-name", "basic-auth"] if locked else []),
            "--backend-store-uri", f"sqlite:///{root}/runs.db",
            "--artifacts-destination", root / "artifacts",
        ]  # fmt: skip
        with (root / "log").open("wb") as log:
            server = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=root, start_new_session=True,
                env=os.environ | SETTINGS | {"MLFLOW_AUTH_CONFIG_PATH": str(settings)},
            )  # fmt: skip
        try:
            _await(server, f"http://127.0.0.1:{port}", root / "log")
            yield TrackingServer(f"http://127.0.0.1:{port}", python)
        finally:
            os.killpg(server.pid, 15)  # its workers are processes of their own
            server.wait(30)


def _await(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"MLflow did not start ({server.poll()}): {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
