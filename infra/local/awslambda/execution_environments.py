"""Execution environments: a zygote per layer set, the workers forked from it, and their logs."""

import base64
import json
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from infra.local.awslambda.environment import variables
from infra.local.awslambda.function import Function
from infra.local.awslambda.layer_set import LayerSet
from infra.local.awslambda.system_logs import system_lines
from infra.local.awslambda.worker_process import Outcome, Worker
from infra.local.awslambda.zygote import Zygote


class ExecutionEnvironments:
    """Makes workers for functions, with the credentials of the function's role."""

    def __init__(
        self, *, home: Path, endpoint_url: str, region: str, runtime: Path | None,
        assume_role: Callable[[str, str], dict[str, str]],
        write_log: Callable[[str, str, list[str]], None],
    ) -> None:  # fmt: skip
        self._home, self._endpoint_url, self._region = home, endpoint_url, region
        self._runtime, self._assume_role, self._write_log = runtime, assume_role, write_log
        self._lock = threading.Lock()
        self._zygotes: dict[LayerSet, Zygote] = {}
        (home / "logs").mkdir(parents=True, exist_ok=True)

    def zygote(self, function: Function) -> Zygote:
        """Give the process that has the function's layers, and start it at first."""
        layers = LayerSet(function.layers, self._runtime)
        with self._lock:
            if layers not in self._zygotes:
                self._zygotes[layers] = Zygote(layers, self._home / "logs" / "zygote.log")
            return self._zygotes[layers]

    def fork(self, function: Function) -> Worker:
        """Make a worker with a log stream and credentials of its own."""
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        log = self._home / "logs" / function.name / f"{stream.rsplit(']', 1)[1]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        credentials = self._assume_role(function.role, function.name)
        worker = self.zygote(function).fork(
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

    def close(self) -> None:
        """End the zygotes, which ends their workers."""
        with self._lock:
            zygotes, self._zygotes = list(self._zygotes.values()), {}
        for zygote in zygotes:
            zygote.close()

    def _environment(
        self, function: Function, credentials: dict[str, str], stream: str
    ) -> dict[str, str]:
        scratch = self._home / "tmp" / function.name  # on AWS each environment has a /tmp alone
        scratch.mkdir(parents=True, exist_ok=True)
        return variables(
            function, credentials, stream,
            scratch=scratch, endpoint_url=self._endpoint_url, region=self._region,
        )  # fmt: skip

    def write_log(
        self, worker: Worker, function: Function, request_id: str, seconds: float, outcome: Outcome
    ) -> bytes:
        """Write what a worker printed to its log group; give the tail that callers may ask for."""
        name = worker.log_stream.rsplit("]", 1)[1]
        with (self._home / "logs" / function.name / f"{name}.log").open("rb") as written:
            written.seek(worker.log_offset)
            output = written.read()
        worker.log_offset += len(output)
        before, after = system_lines(function, request_id, seconds * 1000, outcome)
        lines = [
            *before,
            # Not splitlines: it also ends lines at marks that texts hold, such as U+2028.
            *output.decode("utf-8", "replace").removesuffix("\n").split("\n"),
            *([json.loads(outcome.body)["errorMessage"]] if not outcome.alive else []),
            *after,
        ]
        with (self._home / "logs" / f"{function.name}.log").open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")
        self._write_log(function.log_group, worker.log_stream, lines)
        return base64.b64encode("\n".join(lines).encode()[-4096:])
