"""The local cloud: a synthesized stack, deployed into moto and run for real in this process."""

import contextlib
import json
import tempfile
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.local import clock
from infra.local.apigateway.client import Credentials
from infra.local.apigateway.listener import ApiListener
from infra.local.clients import make_client
from infra.local.errors import DeploymentError, FailedDelivery, LocalCloudError
from infra.local.iam.authorization import RoleAuthorizer
from infra.local.iam.credentials import AccessKeys
from infra.local.s3.lifecycle_rules import expire
from infra.local.services import Services
from infra.local.stepfunctions.api import abort_all, execution_result
from infra.local.stepfunctions.observed_states import ExecutionResult, Observer

ACCOUNT = "123456789012"  # the account that moto gives to access keys it does not know


@dataclass(frozen=True)
class Deployed:
    """A stack that exists."""

    stack_name: str
    outputs: dict[str, str]


class LocalCloud:
    """AWS on a laptop: `with LocalCloud(runtime=...) as cloud: cloud.deploy(assembly, stack)`.

    One cloud at a time lives in a process, for moto's state belongs to the process.
    """

    _running = threading.Lock()

    def __init__(
        self, *, runtime: Path | None = None, home: Path | None = None,
        region: str = "eu-west-1", wait_cap: float = 1.0, enforce_s3: bool = True, seed: int = 0,
    ) -> None:  # fmt: skip
        """Set up a cloud that has not started.

        `runtime` is a directory with what Lambda brings itself (boto3); `home` keeps logs and
        scratch files (a temporary directory by default); `wait_cap` is how many real seconds a
        Wait state or a retry's pause takes at most; `seed` decides which version an alias with
        weights picks.
        """
        self.region, self.account, self.wait_cap = region, ACCOUNT, wait_cap
        self.credentials = Credentials("local", "local")
        self._runtime, self._seed = runtime, seed
        self._home = home
        self._enforce_s3 = enforce_s3
        self._clock: datetime | None = None
        self._listeners: list[ApiListener] = []
        self._closing = contextlib.ExitStack()

    # -- life ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Start the server and everything behind it."""
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """End every process, server and patch."""
        self.close()

    def open(self) -> Self:
        """Start the server and everything behind it."""
        if not LocalCloud._running.acquire(blocking=False):
            raise LocalCloudError("another local cloud runs in this process: close it first")
        self._closing.callback(LocalCloud._running.release)
        try:
            self.home = (self._home or self._temporary_home()).resolve()
            self.home.mkdir(parents=True, exist_ok=True)
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        from infra.local.cloudformation import resources
        from infra.local.moto_server import Server, fresh_state, interpreter_log

        self._closing.enter_context(fresh_state())
        self._closing.enter_context(interpreter_log(self.home / "moto.log"))
        server = Server()
        self._closing.callback(server.close)
        self.endpoint_url = f"http://127.0.0.1:{server.port}"
        self.client = lru_cache(maxsize=None)(
            partial(
                make_client, credentials=self.credentials, region=self.region,
                endpoint_url=self.endpoint_url,
            )
        )  # fmt: skip
        self._start_services()
        self._patches = self._services.patch_moto()
        self._closing.callback(self._patches.undo)
        resources.connect(self.client)
        self._closing.callback(resources.connect, None)

    def _start_services(self) -> None:
        self.access = RoleAuthorizer(enforce_s3=self._enforce_s3)
        keys = AccessKeys(
            account=self.account, region=self.region, own_key=self.credentials.access_key,
            own_secret=self.credentials.secret_key, authorizer=self.access,
        )  # fmt: skip
        self._services = Services(
            clients=self.client, account=self.account, region=self.region, now=self.now,
            wait_cap=lambda: self.wait_cap, authorizer=self.access, access_keys=keys,
        )  # fmt: skip
        self.bus = self._services.bus
        self._services.start_lambda(
            home=self.home, endpoint_url=self.endpoint_url, runtime=self._runtime,
            seed=self._seed,
        )  # fmt: skip
        self._closing.callback(self._services.executor.close)
        self._closing.callback(self._services.async_invocations.close)

    def _temporary_home(self) -> Path:
        temporary = tempfile.TemporaryDirectory(prefix="noria-cloud-", ignore_cleanup_errors=True)
        self._closing.callback(temporary.cleanup)
        return Path(temporary.name)

    def close(self) -> None:
        """End every process, server and patch; a second call does nothing."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        if hasattr(self, "_services"):
            abort_all(self._services.executions, account=self.account, region=self.region)
        self._closing.close()

    # -- what users call -----------------------------------------------------------------------

    client: Any  # client(service) -> boto3 client; made anew per cloud, kept per service

    def now(self) -> datetime:
        """Give the local clock's time: that of the last tick, or the real one before any."""
        return self._clock or datetime.now(UTC)

    def deploy(self, assembly: Path, stack_name: str) -> Deployed:
        """Create the stack of a synthesized assembly, or update it if it exists.

        Raises UnsupportedTemplateError before anything is created when the template uses what the
        local cloud does not run, DeploymentError when a resource cannot be created.
        """
        from infra.local.cloudformation.assembly import Assembly
        from infra.local.cloudformation.deployment import deploy

        given = Assembly(assembly, stack_name, self.account, self.region)
        outputs = deploy(given, self.client, self._services.functions.assets)
        self._services.warm_up()
        return Deployed(stack_name, outputs)

    def run(
        self, machine_arn: str, input: Any = None, name: str | None = None,  # noqa: A002
        timeout: float = 900, observer: Observer | None = None,
    ) -> ExecutionResult:  # fmt: skip
        """Start an execution and follow it to its end, or to a state that waits for a token."""
        return self.wait(self.start(machine_arn, input, name), timeout, observer)

    def start(
        self,
        machine_arn: str,
        input: Any = None,  # noqa: A002 - AWS's name
        name: str | None = None,
    ) -> str:
        """Start an execution and give its ARN."""
        answer = self.client("stepfunctions").start_execution(
            stateMachineArn=machine_arn, name=name or str(uuid.uuid4()),
            input=json.dumps({} if input is None else input),
        )  # fmt: skip
        arn: str = answer["executionArn"]
        return arn

    def wait(
        self, execution_arn: str, timeout: float = 900, observer: Observer | None = None
    ) -> ExecutionResult:
        """Follow an execution to its end, or to a state that waits for a token.

        Raises TimeoutError when neither has come after `timeout` seconds.
        """
        followed = self._services.executions.follow(execution_arn, timeout, observer)
        return execution_result(followed, account=self.account, region=self.region)

    def tick(self, at: datetime, rule: str | None = None) -> clock.Tick:
        """Set the local clock, fire schedules (or one rule's), judge alarms, deliver events.

        Buckets lose what their lifecycle rules expire by then. Functions that events or schedules
        invoke have run when this returns; executions that alarms began are going on, and are named
        in the answer's `started`.
        """
        if at.tzinfo is None:
            raise ValueError(f"{at} has no time zone: give datetime(..., tzinfo=UTC)")
        self._clock = at.astimezone(UTC)
        for bucket in self.client("s3").list_buckets()["Buckets"]:
            expire(self.client("s3"), bucket["Name"], self._clock)
        services = self._services
        return clock.tick(
            rule, bus=services.bus, schedules=services.schedules, alarms=services.alarms,
            settle=self.settle,
        )  # fmt: skip

    def settle(self) -> list[FailedDelivery]:
        """Wait for every asynchronous invocation; give those that failed."""
        return self._services.async_invocations.settle()

    def serve_api(self, api: str | Mapping[str, str], port: int = 0) -> str:
        """Serve an HTTP API (its id, or outputs with an ApiId) on a loopback port; give its URL."""
        identifier = api if isinstance(api, str) else api["ApiId"]
        listener = ApiListener(self._services.http_api(identifier), port)
        self._listeners.append(listener)
        return listener.url


__all__ = ["Deployed", "DeploymentError", "LocalCloud"]
