"""Zygotes and workers, seen from the local cloud: starting, calling, watching and ending them."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.awslambda.worker import receive, send
from infra.local.errors import LocalCloudError

WORKER = Path(__file__).with_name("worker.py")
# Lambda gives initialisation 10 s and then starts over inside the function's own timeout. Build
# machines are slower than Lambda, so only a hang is cut off here.
INIT_TIMEOUT = 300.0  # seconds
MEMORY_POLL = 0.1  # seconds
MIB = 1 << 20


@dataclass(frozen=True)
class LayerSet:
    """Directories mounted as layers (in order), and the runtime that Lambda brings itself.

    A layer holds its packages in `python/`, and the runtime may too.
    """

    layers: tuple[Path, ...]
    runtime: Path | None

    def path(self) -> dict[str, list[str]]:
        """Give the import path that these directories make."""
        roots = [root / "python" for root in self.layers]
        nested = [site for root in roots for site in root.glob("lib/python3*/site-packages")]
        return {
            "layers": [str(root) for root in (*nested, *roots) if root.is_dir()],
            "runtime": [str(root) for root in self._runtime_roots()],
        }

    def preload(self) -> list[str]:
        """Name the modules that the layers ask to be imported once, and boto3 of the runtime."""
        listed = [
            line.strip()
            for root in (*self.layers, *([self.runtime] if self.runtime else []))
            if (root / "preload.txt").is_file()
            for line in (root / "preload.txt").read_text(encoding="utf-8").splitlines()
        ]
        if any((root / "boto3").is_dir() for root in self._runtime_roots()):
            listed.append("boto3")
        return [name for name in listed if name and not name.startswith("#")]

    def _runtime_roots(self) -> list[Path]:
        if self.runtime is None:
            return []
        inner = self.runtime / "python"
        return [inner if inner.is_dir() else self.runtime]


@dataclass
class Outcome:
    """What one invocation gave: the answer, the kind of error, and how much memory it took."""

    body: bytes
    error: str | None = None
    alive: bool = True
    memory_mib: int = 0


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
                    "TZ": "UTC",
                    "PATH": os.defpath,
                    "HOME": "/tmp",  # noqa: S108
                },
                start_new_session=True,
            )
        send(self._control, {"path": layers.path(), "preload": layers.preload()})

    def fork(self, function: dict[str, Any]) -> "Worker":
        """Make a worker for a function; it initialises on its own."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            self._wait_until_ready()
            send(self._control, {"function": function})
            socket.send_fds(self._control, [b"F"], [theirs.fileno()])
            pid = self._answer()["pid"]
        return Worker(self, pid, ours)

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


@dataclass
class Worker:
    """One execution environment of a function."""

    zygote: Zygote
    pid: int
    _socket: socket.socket
    log_stream: str = ""
    log_offset: int = 0
    access_key: str = ""
    init_seconds: float = 0.0
    failure: bytes | None = None
    _base: int = field(init=False, default=0)
    _status: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._base = self._private_memory()

    def initialise(self, memory_mib: int) -> Outcome | None:
        """Wait for the handler's module to be imported; an outcome means that it failed."""
        started = time.monotonic()
        outcome = self._await("init", INIT_TIMEOUT, memory_mib)
        self.init_seconds = time.monotonic() - started
        if outcome.error is None:
            return None
        self.kill()
        return Outcome(outcome.body, "Unhandled", alive=False)

    def call(self, event: bytes, head: dict[str, Any], timeout: float, memory_mib: int) -> Outcome:
        """Run the handler on an event, within the function's time and memory."""
        try:
            send(self._socket, {**head, "timeout": timeout}, event)
        except OSError:  # it died while it was idle
            return self._died(head["request_id"])
        return self._await(head["request_id"], timeout, memory_mib)

    def kill(self) -> int:
        """End the worker and give its exit status."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._socket.close()
            self._status = self.zygote.reap(self.pid)
        return self._status

    def _await(self, request_id: str, timeout: float, memory_mib: int) -> Outcome:
        deadline = time.monotonic() + timeout
        peak = 0
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([self._socket], [], [], min(left, MEMORY_POLL))
            peak = max(peak, self._used())
            if readable:
                return self._read(request_id, peak)
            if peak > memory_mib * MIB:
                self.kill()
                return _fault("Runtime.OutOfMemory", request_id,
                              "Runtime exited with error: signal: killed", peak)  # fmt: skip
        self.kill()
        return _fault(
            "Sandbox.Timedout", request_id, f"Task timed out after {timeout:.2f} seconds", peak
        )

    def _read(self, request_id: str, peak: int) -> Outcome:
        frame = receive(self._socket)
        if frame is None:
            return self._died(request_id, peak)
        head, body = frame
        failed = not head.get("ok", head.get("ready"))
        return Outcome(body, "Unhandled" if failed else None, memory_mib=-(-peak // MIB))

    def _died(self, request_id: str, peak: int = 0) -> Outcome:
        # The socket closes a moment before the process ends: reaping waits for its own status.
        self._socket.close()
        self._status = self.zygote.reap(self.pid)
        if self._status < 0:
            name = signal.Signals(-self._status).name.removeprefix("SIG").lower()
            how = f"signal: {name}"
        else:
            how = f"exit status {self._status}"
        return _fault("Runtime.ExitError", request_id, f"Runtime exited with error: {how}", peak)

    def _used(self) -> int:
        """Count the bytes beyond what the zygote shared at the fork."""
        return max(0, self._private_memory() - self._base)

    def _private_memory(self) -> int:
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def _fault(kind: str, request_id: str, message: str, peak: int) -> Outcome:
    body = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Outcome(json.dumps(body).encode(), "Unhandled", alive=False, memory_mib=-(-peak // MIB))
