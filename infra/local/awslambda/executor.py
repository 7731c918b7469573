"""Lambda for real: what a function is, which version an alias means, its workers, its answers."""

import base64
import contextlib
import hashlib
import io
import json
import os
import random
import threading
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.awslambda.processes import LayerSet, Outcome, Worker, Zygote
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


@dataclass
class Pool:
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


class Executor:
    """Runs the functions that moto's Lambda knows, in place of its Docker containers."""

    def __init__(
        self,
        *,
        home: Path,
        endpoint_url: str,
        region: str,
        runtime: Path | None,
        assume_role: Callable[[str, str], dict[str, str]],
        write_log: Callable[[str, str, list[str]], None],
        on_invoked: Callable[[Function, str, Answer, float], None],
        seed: int,
    ) -> None:
        self.assets: dict[tuple[str, str], Path] = {}
        self._home, self._endpoint_url, self._region = home, endpoint_url, region
        self._runtime, self._assume_role, self._write_log = runtime, assume_role, write_log
        self._on_invoked = on_invoked
        self._random = random.Random(seed)  # noqa: S311 - picks versions behind an alias
        self._lock = threading.Lock()
        self._zygotes: dict[LayerSet, Zygote] = {}
        self._pools: dict[Function, Pool] = {}
        self._running: Counter[str] = Counter()
        self._warmer: threading.Thread | None = None
        self._closed = False
        (home / "logs").mkdir(parents=True, exist_ok=True)

    # -- invoking ------------------------------------------------------------------------------

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
    def _reserved(self, function: Function) -> Any:
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
            tail = self._log(worker, function, head["request_id"], seconds, outcome)
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

    # -- resolving -----------------------------------------------------------------------------

    def resolve(self, backend: Any, name: str, qualifier: str | None) -> tuple[str, Function]:
        """Find the version that a name or ARN means; an alias may route a share elsewhere."""
        bare, qualifier = _split(name, qualifier)
        version = qualifier
        latest = backend.get_function(bare)
        arn: str = latest.function_arn
        if qualifier and not qualifier.isdigit() and qualifier != "$LATEST":
            version = self._route(backend.get_alias(qualifier, bare))
        found = backend.get_function(bare, version) if version else latest
        invoked = f"{arn}:{qualifier}" if qualifier else arn
        return invoked, self._describe(backend, found)

    def _route(self, alias: Any) -> str:
        weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
        drawn = self._random.random()
        for version, weight in weights.items():
            if drawn < float(weight):
                return str(version)
            drawn -= float(weight)
        return str(alias.function_version)

    def _describe(self, backend: Any, found: Any) -> Function:
        layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in found.layers]
        return Function(
            name=found.function_name,
            version=str(found.version),
            arn=found.function_arn,
            handler=found.handler,
            role=found.role,
            runtime=found.run_time,
            memory_mib=int(found.memory_size),
            timeout=int(found.timeout),
            variables=tuple(sorted((k, str(v)) for k, v in found.environment_vars.items())),
            task_root=self._directory(found.code, found),
            layers=tuple(self._directory(layer.content, layer) for layer in layers),
            log_group=found.logs_group_name,
            reserved=None if found.reserved_concurrency is None
            else int(found.reserved_concurrency),
        )  # fmt: skip

    def _directory(self, code: dict[str, Any], owner: Any) -> Path:
        """Find the asset that a function or layer was deployed from, or unpack its zip file."""
        known = self.assets.get((code.get("S3Bucket", ""), code["S3Key"]))
        if known:
            return known
        target = self._home / "code" / hashlib.sha256(owner.code_bytes).hexdigest()[:32]
        if not target.exists():
            with zipfile.ZipFile(io.BytesIO(owner.code_bytes)) as archive:
                archive.extractall(target)
        return target

    # -- processes -----------------------------------------------------------------------------

    def warm_up(self, functions: list[Function]) -> None:
        """Import layer sets, then initialise a worker per function, while the caller goes on."""
        for function in functions:
            self._zygote(LayerSet(function.layers, self._runtime))
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
            zygotes, self._zygotes = list(self._zygotes.values()), {}
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()
        for zygote in zygotes:
            zygote.close()

    def _zygote(self, layers: LayerSet) -> Zygote:
        with self._lock:
            if layers not in self._zygotes:
                self._zygotes[layers] = Zygote(layers, self._home / "logs" / "zygote.log")
            return self._zygotes[layers]

    def _pool(self, function: Function) -> Pool:
        stale: list[Pool] = []
        with self._lock:
            if function not in self._pools:
                others = [other for other in self._pools if other.arn == function.arn]
                stale = [self._pools.pop(other) for other in others]
                self._pools[function] = Pool(lambda: self._fork(function), os.cpu_count() or 1)
            pool = self._pools[function]
        for old in stale:  # its configuration has changed: warm workers must not serve it
            old.close()
        return pool

    def _fork(self, function: Function) -> Worker:
        zygote = self._zygote(LayerSet(function.layers, self._runtime))
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        log = self._home / "logs" / function.name / f"{stream.rsplit(']', 1)[1]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        credentials = self._assume_role(function.role, function.name)
        worker = zygote.fork(
            {
                "handler": function.handler,
                "task_root": str(function.task_root),
                "threads": function.threads,
                "log": str(log),
                "environment": self._environment(function, credentials, stream),
            }
        )
        worker.log_stream = stream
        worker.access_key = credentials["AWS_ACCESS_KEY_ID"]
        return worker

    def _environment(
        self, function: Function, credentials: dict[str, str], stream: str
    ) -> dict[str, str]:
        scratch = self._home / "tmp" / function.name  # on AWS each environment has a /tmp alone
        scratch.mkdir(parents=True, exist_ok=True)
        return {
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ENDPOINT_URL": self._endpoint_url,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_REGION": self._region,
            "HOME": "/tmp",  # noqa: S108 - what Lambda sets
            "LAMBDA_TASK_ROOT": str(function.task_root),
            "LANG": "en_US.UTF-8",
            "OMP_NUM_THREADS": str(function.threads),
            "OPENBLAS_NUM_THREADS": str(function.threads),
            "PATH": os.defpath,
            "TMPDIR": str(scratch),
            "TZ": "UTC",
            "_HANDLER": function.handler,
            **credentials,
            **dict(function.variables),
        }

    # -- logs ----------------------------------------------------------------------------------

    def _log(
        self, worker: Worker, function: Function, request_id: str, seconds: float, outcome: Outcome
    ) -> bytes:
        name = worker.log_stream.rsplit("]", 1)[1]
        with (self._home / "logs" / function.name / f"{name}.log").open("rb") as written:
            written.seek(worker.log_offset)
            output = written.read()
        worker.log_offset += len(output)
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\t"
            f"Memory Size: {function.memory_mib} MB\tMax Memory Used: {outcome.memory_mib} MB"
        )
        lines = [
            f"START RequestId: {request_id} Version: {function.version}",
            *output.decode("utf-8", "replace").splitlines(),
            *([json.loads(outcome.body)["errorMessage"]] if not outcome.alive else []),
            f"END RequestId: {request_id}",
            report,
        ]
        with (self._home / "logs" / f"{function.name}.log").open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")
        self._write_log(function.log_group, worker.log_stream, lines)
        return base64.b64encode("\n".join(lines).encode()[-4096:])


def _split(name: str, qualifier: str | None) -> tuple[str, str | None]:
    """Split a function name, partial ARN or ARN from the qualifier that it may end in."""
    tail = name.split(":function:")[-1] if ":function:" in name else name
    bare, _, inside = tail.partition(":")
    return bare, inside or qualifier
