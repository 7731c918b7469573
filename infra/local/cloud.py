"""The local cloud: a synthesized stack, deployed into moto and run for real in this process."""

import contextlib
import json
import logging
import tempfile
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.local.apigateway.client import Credentials
from infra.local.apigateway.http_api import HttpApi, Served
from infra.local.awslambda.async_invocations import LaterInvocations
from infra.local.awslambda.executor import Answer, Executor
from infra.local.clock import Tick, Watch
from infra.local.cloudformation.assembly import Assembly, check
from infra.local.cloudwatch.metrics import Telemetry
from infra.local.errors import DeploymentError, LocalCloudError
from infra.local.eventbridge.bus import Bus, Failure
from infra.local.iam.authorization import Access
from infra.local.s3.lifecycle_rules import expire
from infra.local.stepfunctions.executions import ENDINGS, ExecutionResult, Machines, Observer, Run

ACCOUNT = "123456789012"  # the account that moto gives to access keys it does not know
BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"


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
        self._served: list[Served] = []
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
        from moto.core.config import default_user_config
        from moto.moto_api._internal.models import moto_api_backend

        from infra.local import moto_patches
        from infra.local.cloudformation import resources
        from infra.local.moto_server import Server

        settings: Any = default_user_config["stepfunctions"]
        self._closing.callback(settings.update, dict(settings))
        settings["execute_state_machine"] = True
        moto_api_backend.reset()
        self._closing.callback(moto_api_backend.reset)
        self._quieten()
        server = Server()
        self._closing.callback(server.close)
        self.endpoint_url = f"http://127.0.0.1:{server.port}"
        self.client = lru_cache(maxsize=None)(self._make_client)
        self.access = Access(enforce_s3=self._enforce_s3)
        self.bus = Bus(
            clients=self.client, account=self.account, region=self.region, now=self.now,
            invoke_later=self._invoke_arn_later,
        )  # fmt: skip
        telemetry = Telemetry(bus=self.bus, account=self.account, region=self.region, now=self.now)
        self.machines = Machines(telemetry.execution_ended, telemetry.execution_began)
        self.executor = Executor(
            home=self.home, endpoint_url=self.endpoint_url, region=self.region,
            runtime=self._runtime, assume_role=self._assume_role, write_log=self._write_log,
            on_invoked=telemetry.invoked, seed=self._seed,
        )  # fmt: skip
        self._closing.callback(self.executor.close)
        self._later = LaterInvocations(self.executor, self.client, lambda: self.wait_cap)
        self._closing.callback(self._later.close)
        self.watch = Watch(
            clients=self.client, bus=self.bus, account=self.account, region=self.region,
            now=self.now, invoke_later=self._invoke_arn_later, settle=self._later.settle,
        )  # fmt: skip
        patches = moto_patches.apply(self)
        self._closing.callback(patches.undo)
        resources.connect(self.client)
        self._closing.callback(resources.connect, None)

    def _temporary_home(self) -> Path:
        temporary = tempfile.TemporaryDirectory(prefix="noria-cloud-", ignore_cleanup_errors=True)
        self._closing.callback(temporary.cleanup)
        return Path(temporary.name)

    def _quieten(self) -> None:
        """Send what moto's interpreter says of failed states to a file, not to the terminal."""
        logger = logging.getLogger("moto.stepfunctions")
        handler = logging.FileHandler(self.home / "moto.log", delay=True)
        logger.addHandler(handler)
        propagate, logger.propagate = logger.propagate, False

        def undo() -> None:
            logger.removeHandler(handler)
            logger.propagate = propagate
            handler.close()

        self._closing.callback(undo)

    def close(self) -> None:
        """End every process, server and patch; a second call does nothing."""
        for served in self._served:
            served.close()
        self._served.clear()
        if hasattr(self, "machines"):
            self._abort_executions()
        self._closing.close()

    def _abort_executions(self) -> None:
        """Stop what still runs, so that no interpreter wakes up in a world that is gone."""
        from moto.core.exceptions import AWSError
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends

        backend = stepfunctions_parser_backends[self.account][self.region]
        for arn in self.machines.running():
            with contextlib.suppress(AWSError):
                backend.stop_execution(arn)

    # -- what users call -----------------------------------------------------------------------

    client: Any  # client(service) -> boto3 client; made anew per cloud, kept per service

    def _make_client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        session = boto3.session.Session(
            aws_access_key_id=self.credentials.access_key,
            aws_secret_access_key=self.credentials.secret_key,
            region_name=self.region,
        )
        config = Config(
            retries={"total_max_attempts": 1}, read_timeout=900, max_pool_connections=32,
            s3={"addressing_style": "path"},
        )  # fmt: skip
        return session.client(service, endpoint_url=self.endpoint_url, config=config)

    def now(self) -> datetime:
        """Give the local clock's time: that of the last tick, or the real one before any."""
        return self._clock or datetime.now(UTC)

    def deploy(self, assembly: Path, stack_name: str) -> Deployed:
        """Create the stack of a synthesized assembly, or update it if it exists.

        Raises UnsupportedTemplateError before anything is created when the template uses what the
        local cloud does not run, DeploymentError when a resource cannot be created.
        """
        from infra.local.cloudformation.stacks import create_or_update, known_types

        given = Assembly(assembly, stack_name, self.account, self.region)
        check(given.template, known_types())
        self._bootstrap()
        self._upload(given)
        outputs = create_or_update(
            given.template, stack_name, account=self.account, region=self.region
        )
        self._warm_up()
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
        run = self.machines.follow(execution_arn, timeout, observer)
        return self._result(execution_arn, run)

    def tick(self, at: datetime, rule: str | None = None) -> Tick:
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
        return self.watch.tick(rule)

    def settle(self) -> list[Failure]:
        """Wait for every asynchronous invocation; give those that failed."""
        return self._later.settle()

    def serve_api(self, api: str | Mapping[str, str], port: int = 0) -> str:
        """Serve an HTTP API (its id, or outputs with an ApiId) on a loopback port; give its URL."""
        from moto.apigatewayv2.models import apigatewayv2_backends

        identifier = api if isinstance(api, str) else api["ApiId"]
        found = apigatewayv2_backends[self.account][self.region].get_api(identifier)
        served = Served(
            HttpApi(
                found, account=self.account, region=self.region, invoke=self._invoke_arn,
                secret_of=self._secret_of, identity_of=self._identity_of,
            ),
            port,
        )  # fmt: skip
        self._served.append(served)
        return served.url

    # -- deploying -----------------------------------------------------------------------------

    def _bootstrap(self) -> None:
        """Make what `cdk bootstrap` makes, as far as templates ask for it."""
        self.client("ssm").put_parameter(
            Name=BOOTSTRAP_VERSION, Value="21", Type="String", Overwrite=True
        )

    def _upload(self, assembly: Assembly) -> None:
        s3 = self.client("s3")
        buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        for asset in assembly.assets():
            if asset.bucket not in buckets:
                where = {"LocationConstraint": self.region}
                s3.create_bucket(Bucket=asset.bucket, CreateBucketConfiguration=where)
                buckets.add(asset.bucket)
            s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=asset.content())
            if asset.packaging == "zip":
                self.executor.assets[asset.bucket, asset.key] = asset.source.resolve()

    def _warm_up(self) -> None:
        backend = self._lambda_backend()
        names = [function.function_name for function in backend.list_functions()]
        self.executor.warm_up([self.executor.resolve(backend, name, None)[1] for name in names])

    # -- what other parts ask of the cloud ------------------------------------------------------

    def _lambda_backend(self) -> Any:
        from moto.awslambda.models import lambda_backends

        return lambda_backends[self.account][self.region]

    def invoke_later(self, backend: Any, name: str, qualifier: str | None, event: bytes) -> None:
        """Queue an asynchronous invocation."""
        self._later.put(backend, name, qualifier, event)

    def _invoke_arn_later(self, arn: str, event: bytes) -> None:
        self._later.put(self._lambda_backend(), arn, None, event)

    def _invoke_arn(self, arn: str, event: bytes) -> Answer:
        return self.executor.invoke(self._lambda_backend(), arn, None, event)

    def invoke_from_machine(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Invoke a function for a Task state, and answer in the API's own shape."""
        from infra.local.moto_patches import invoke_for_task

        return invoke_for_task(self, self._lambda_backend(), parameters)

    def _assume_role(self, role_arn: str, function: str) -> dict[str, str]:
        from moto.sts.models import sts_backends

        role = sts_backends[self.account]["aws"].assume_role(
            region_name=self.region, role_session_name=function[:64], role_arn=role_arn,
            policy="", duration=43_200, external_id="",
        )  # fmt: skip
        self.access.grant(role.access_key_id, function, role_arn)
        return {
            "AWS_ACCESS_KEY_ID": role.access_key_id,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token,
        }

    def _secret_of(self, key: str, headers: Mapping[str, str]) -> str | None:
        from moto.iam.access_control import CreateAccessKeyFailure, create_access_key

        if key == self.credentials.access_key:
            return self.credentials.secret_key
        named = {"X-Amz-Security-Token": headers.get("x-amz-security-token", "")}
        try:
            found = create_access_key(self.account, "aws", key, named)
        except CreateAccessKeyFailure:
            return None
        secret: str = found.create_credentials().secret_key
        return secret

    def _identity_of(self, key: str) -> str:
        if key == self.credentials.access_key:
            return f"arn:aws:iam::{self.account}:root"
        from moto.iam.models import iam_backends

        found = iam_backends[self.account]["aws"].get_all_access_keys_for_all_users()
        users = [user.user_name for user in found if user.access_key_id == key]
        return f"arn:aws:iam::{self.account}:{f'user/{users[0]}' if users else 'role'}"

    def _write_log(self, group: str, stream: str, lines: list[str]) -> None:
        from moto.logs.models import logs_backends

        backend = logs_backends[self.account][self.region]
        backend.ensure_log_group(group)
        if stream not in backend.groups[group].streams:
            backend.create_log_stream(group, stream)
        now = int(datetime.now(UTC).timestamp() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines if line]
        backend.put_log_events(group, stream, events)

    def _result(self, arn: str, run: Run) -> ExecutionResult:
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends

        backend = stepfunctions_parser_backends[self.account][self.region]
        execution = backend.describe_execution(arn)
        return ExecutionResult(
            name=execution.name,
            arn=arn,
            status=execution.status,
            output=execution.output if execution.status == "SUCCEEDED" else None,
            error=execution.error,
            cause=execution.cause,
            history=[dict(event) for event in backend.get_execution_history(arn)["events"]],
            waiting_at=None if execution.status in ENDINGS else run.waiting_at,
        )


__all__ = ["Deployed", "DeploymentError", "LocalCloud"]
