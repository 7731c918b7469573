"""A process that has imported a layer set, and forks workers from itself."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from infra.local.awslambda.layer_set import LayerSet
from infra.local.awslambda.worker import receive, send
from infra.local.awslambda.worker_process import Worker
from infra.local.errors import LocalCloudError

WORKER = Path(__file__).with_name("worker.py")


class Zygote:
    """A process that has imported a layer set and forks workers from itself."""

    def __init__(self, layers: LayerSet, log: Path) -> None:
        self._lock = threading.Lock()
        self._ready = False
        self._problem: str | None = None
        self._layers = layers
        self.seconds = 0.0
        self._control, theirs = socket.socketpair()
        with log.open("ab") as output, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(WORKER), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Imports must not start thread pools: they would not survive the fork. Workers
                # set their own number of threads afterwards.
                # OpenMP reads its policy, which functions set, when it is loaded: that is here.
                env={
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_WAIT_POLICY": "PASSIVE",
                    "ORT_DISABLE_TELEMETRY": "1",  # read when it is loaded, too
                    "TZ": "UTC",
                    "PATH": os.defpath,
                    "HOME": "/tmp",  # noqa: S108
                },
                start_new_session=True,
            )
        send(self._control, {"path": layers.path(), "preload": layers.preload()})

    def fork(self, function: dict[str, Any]) -> Worker:
        """Make a worker for a function; it initialises on its own."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            self._wait_until_ready()
            send(self._control, {"function": function})
            socket.send_fds(self._control, [b"F"], [theirs.fileno()])
            pid = self._answer()["pid"]
        return Worker(self.reap, pid, ours)

    def reap(self, pid: int) -> int:
        """Collect a dead worker; a negative status names the signal."""
        with self._lock:
            send(self._control, {"reap": pid})
            return int(self._answer()["status"])

    def close(self) -> None:
        """End the zygote, which ends its workers."""
        self._control.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_ready(self) -> None:
        if not self._ready:
            answer = self._answer()
            self._ready, self.seconds = True, answer["seconds"]
            problems = "; ".join(f"{name}: {error}" for name, error in answer["failed"].items())
            self._problem = problems or None
        if self._problem:
            raise LocalCloudError(
                f"preload.txt of the layers {[str(p) for p in self._layers.layers]} names modules "
                f"that cannot be imported: {self._problem}. Remove them or add the package."
            )

    def _answer(self) -> dict[str, Any]:
        frame = receive(self._control)
        if frame is None:
            raise LocalCloudError(
                f"the process that forks workers ended with status {self._process.poll()}; "
                "see zygote.log in the cloud's home"
            )
        return frame[0]
