"""Invocations: a worker of the function's version runs each, within the function's limits."""

import contextlib
import json
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.local.awslambda.execution_environments import ExecutionEnvironments
from infra.local.awslambda.function import (
    SYNC_LIMIT,
    Answer,
    Function,
    InvalidEventError,
    PayloadTooLargeError,
    ThrottledError,
)
from infra.local.awslambda.function_resolver import FunctionResolver
from infra.local.awslambda.worker_pool import WorkerPool
from infra.local.awslambda.worker_process import Outcome, Worker
from infra.local.errors import LocalCloudError


class Executor:
    """Runs the functions that moto's Lambda knows, in place of its Docker containers."""

    def __init__(
        self, *, environments: ExecutionEnvironments, resolver: FunctionResolver,
        on_invoked: Callable[[Function, str, Answer, float], None],
    ) -> None:  # fmt: skip
        self._environments, self._resolver = environments, resolver
        self._on_invoked = on_invoked
        self._lock = threading.Lock()
        self._pools: dict[Function, WorkerPool] = {}
        self._running: Counter[str] = Counter()
        self._warmer: threading.Thread | None = None
        self._closed = False

    def resolve(self, backend: Any, name: str, qualifier: str | None) -> tuple[str, Function]:
        """Find the version that a name or ARN means; an alias may route a share elsewhere."""
        return self._resolver.resolve(backend, name, qualifier)

    def invoke(
        self, backend: Any, name: str, qualifier: str | None, event: bytes,
        client_context: Mapping[str, Any] | None = None,
    ) -> Answer:  # fmt: skip
        """Run a function, version or alias on an event and wait for its answer."""
        if len(event) > SYNC_LIMIT:
            raise PayloadTooLargeError(
                f"{len(event)} byte payload is too large for the RequestResponse invocation type "
                f"(limit {SYNC_LIMIT} bytes)"
            )
        arn, function = self.resolve(backend, name, qualifier)
        try:
            json.loads(event or b"{}")
        except ValueError as error:
            raise InvalidEventError(f"Could not parse request body into json: {error}") from error
        head = {
            "request_id": str(uuid.uuid4()),
            "arn": arn,
            "client_context": client_context,
        }
        with self._reserved(function):
            return self._run(function, event or b"{}", head)

    @contextlib.contextmanager
    def _reserved(self, function: Function) -> Iterator[None]:
        with self._lock:
            if function.reserved is not None and self._running[function.name] >= function.reserved:
                raise ThrottledError(f"Rate Exceeded: {function.name} has reserved concurrency "
                                     f"{function.reserved}")  # fmt: skip
            self._running[function.name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[function.name] -= 1

    def _run(self, function: Function, event: bytes, head: dict[str, Any]) -> Answer:
        pool = self._pool(function)
        worker = pool.acquire()
        started = time.monotonic()
        alive = False
        try:
            outcome = self._initialised(worker, function) or worker.call(
                event, head, function.timeout, function.memory_mib
            )
            seconds = time.monotonic() - started
            # Before the worker is let go: the next invocation writes to the same file.
            tail = self._environments.write_log(
                worker, function, head["request_id"], seconds, outcome
            )
            alive = outcome.alive
        finally:
            pool.release(worker, alive=alive)
        answer = Answer(outcome.body, outcome.error, function.version, tail, head["request_id"])
        self._on_invoked(function, head["arn"], answer, seconds)
        return answer

    def _initialised(self, worker: Worker, function: Function) -> Outcome | None:
        if worker.init_seconds:
            return None
        return worker.initialise(function.memory_mib)

    # -- processes -----------------------------------------------------------------------------

    def warm_up(self, functions: list[Function]) -> None:
        """Import layer sets, then initialise a worker per function, while the caller goes on."""
        for function in functions:
            self._environments.zygote(function)
        self._warmer = threading.Thread(target=self._warm_all, args=(functions,), daemon=True)
        self._warmer.start()

    def _warm_all(self, functions: list[Function]) -> None:
        for function in functions:
            if self._closed:
                return
            # What is wrong with a function or its layers is said to those who invoke it.
            with contextlib.suppress(LocalCloudError, OSError):
                self._pool(function).warm(
                    lambda worker, function=function: not self._initialised(worker, function)  # type: ignore[misc]
                )

    def close(self) -> None:
        """End every process."""
        self._closed = True
        if self._warmer:
            self._warmer.join(timeout=10)
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()
        self._environments.close()

    def _pool(self, function: Function) -> WorkerPool:
        stale: list[WorkerPool] = []
        with self._lock:
            if function not in self._pools:
                others = [other for other in self._pools if other.arn == function.arn]
                stale = [self._pools.pop(other) for other in others]
                self._pools[function] = WorkerPool(
                    lambda: self._environments.fork(function), os.cpu_count() or 1
                )
            pool = self._pools[function]
        for old in stale:  # its configuration has changed: warm workers must not serve it
            old.close()
        return pool
