"""The workers of one function version."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.local.awslambda.worker_process import Worker


@dataclass
class WorkerPool:
    """The workers of one function version: warm ones wait, more are forked up to the limit."""

    fork: Callable[[], Worker]
    limit: int
    idle: list[Worker] = field(default_factory=list)
    busy: int = 0
    warming: bool = False
    closed: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def acquire(self) -> Worker:
        """Take a warm worker, or fork one, or wait for one."""
        with self.changed:
            self.changed.wait_for(
                lambda: bool(self.idle) or (self.busy < self.limit and not self.warming)
            )
            self.busy += 1
            if self.idle:
                return self.idle.pop()
        try:
            return self.fork()
        except BaseException:
            self._let_go()
            raise

    def release(self, worker: Worker, *, alive: bool) -> None:
        """Keep the worker for the next invocation, unless it is dead."""
        keep = alive and not self.closed
        if not keep:
            worker.kill()
        self._let_go(worker if keep else None)

    def warm(self, initialise: Callable[[Worker], bool]) -> None:
        """Make the first worker before anybody asks; whoever asks meanwhile waits for it."""
        with self.changed:
            if self.idle or self.busy or self.closed:
                return
            self.warming, self.busy = True, 1
        worker: Worker | None = None
        alive = False
        try:
            worker = self.fork()
            alive = initialise(worker)
        finally:
            self.warming = False
            if worker:
                self.release(worker, alive=alive)
            else:
                self._let_go()

    def close(self) -> None:
        """End the idle workers; busy ones end with their invocation."""
        with self.changed:
            self.closed = True
            idle, self.idle = self.idle, []
        for worker in idle:
            worker.kill()

    def _let_go(self, worker: Worker | None = None) -> None:
        with self.changed:
            self.busy -= 1
            if worker:
                self.idle.append(worker)
            self.changed.notify_all()
