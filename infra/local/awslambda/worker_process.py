"""A worker seen from the local cloud: calling it, watching its time and memory, ending it."""

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.awslambda.worker import receive, send

# Lambda gives initialisation 10 s and then starts over inside the function's own timeout. Build
# machines are slower than Lambda, so only a hang is cut off here.
INIT_TIMEOUT = 300.0  # seconds
MEMORY_POLL = 0.1  # seconds
MIB = 1 << 20


@dataclass
class Outcome:
    """What one invocation gave: the answer, the kind of error, and how much memory it took."""

    body: bytes
    error: str | None = None
    alive: bool = True
    memory_mib: int = 0


@dataclass
class Worker:
    """One execution environment of a function."""

    _reap: Callable[[int], int]
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
            self._status = self._reap(self.pid)
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
        self._status = self._reap(self.pid)
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
