"""One version of a function, what an invocation of it answers, and how Lambda refuses one."""

import os
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import LocalCloudError

SYNC_LIMIT = 6 * 1024 * 1024  # bytes of a RequestResponse event
ASYNC_LIMIT = 1024 * 1024  # bytes of an Event event (since October 2025; 256 KiB before)
MIB_PER_VCPU = 1769


@dataclass(frozen=True)
class Function:
    """One version of a function, as configured when it was resolved."""

    name: str
    version: str
    arn: str
    handler: str
    role: str
    runtime: str
    memory_mib: int
    timeout: int  # seconds
    variables: tuple[tuple[str, str], ...]
    task_root: Path
    layers: tuple[Path, ...]
    log_group: str
    logging: tuple[tuple[str, str], ...]  # LogFormat, ApplicationLogLevel, SystemLogLevel
    reserved: int | None

    @property
    def threads(self) -> int:
        """Give the whole vCPUs that the memory buys, as far as this machine has them."""
        return max(1, min(os.cpu_count() or 1, round(self.memory_mib / MIB_PER_VCPU)))


@dataclass(frozen=True)
class Answer:
    """What an invocation gave to its caller."""

    payload: bytes
    error: str | None
    version: str
    log_tail: bytes
    request_id: str


class ThrottledError(LocalCloudError):
    """A function is at its reserved concurrency (TooManyRequestsException)."""


class PayloadTooLargeError(LocalCloudError):
    """An event is larger than Lambda takes (RequestEntityTooLargeException)."""


class InvalidEventError(LocalCloudError):
    """An event is not JSON (InvalidRequestContentException)."""
