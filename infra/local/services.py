"""The services of one local cloud, wired to each other and to moto."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.apigateway.client import Credentials
from infra.local.apigateway.http_api import HttpApi
from infra.local.awslambda import patches as awslambda_patches
from infra.local.awslambda.async_invocations import AsyncInvocations
from infra.local.awslambda.execution_environments import ExecutionEnvironments
from infra.local.awslambda.executor import Executor
from infra.local.awslambda.function import Answer
from infra.local.awslambda.function_resolver import FunctionResolver
from infra.local.awslambda.invoke_api import InvokeApi
from infra.local.clients import make_client
from infra.local.cloudwatch import log_groups
from infra.local.cloudwatch import patches as cloudwatch_patches
from infra.local.cloudwatch.alarms import Alarms
from infra.local.cloudwatch.log_groups import LogGroups
from infra.local.cloudwatch.metrics import AwsMetrics
from infra.local.eventbridge import patches as eventbridge_patches
from infra.local.eventbridge.bus import Bus, Clients
from infra.local.eventbridge.schedules import Schedules
from infra.local.firehose import patches as firehose_patches
from infra.local.iam import patches as iam_patches
from infra.local.iam.authorization import RoleAuthorizer
from infra.local.iam.credentials import AccessKeys
from infra.local.patching import Patches
from infra.local.stepfunctions import interpreter_patches, map_runs
from infra.local.stepfunctions import patches as stepfunctions_patches
from infra.local.stepfunctions.executions import Executions


class Services:
    """Everything behind moto's API that is ours; closed by its owner, part by part."""

    def __init__(
        self, *, clients: Clients, account: str, region: str, now: Callable[[], datetime],
        wait_cap: Callable[[], float], authorizer: RoleAuthorizer, access_keys: AccessKeys,
    ) -> None:  # fmt: skip
        self._clients, self._account, self._region = clients, account, region
        self._now, self._wait_cap = now, wait_cap
        self._authorizer, self._access_keys = authorizer, access_keys
        where: Any = {"clients": clients, "now": now, "invoke_async": self.invoke_async}
        self.bus = Bus(account=account, region=region, **where)
        self.schedules = Schedules(bus=self.bus, **where)
        self.alarms = Alarms(bus=self.bus, account=account, region=region, **where)
        self._metrics = AwsMetrics(bus=self.bus, account=account, region=region, now=now)
        self.executions = Executions(self._metrics.execution_ended, self._metrics.execution_began)

    def start_lambda(
        self, *, home: Path, endpoint_url: str, runtime: Path | None, seed: int
    ) -> None:
        """Make what runs functions."""
        environments = ExecutionEnvironments(
            home=home, endpoint_url=endpoint_url, region=self._region, runtime=runtime,
            assume_role=self._access_keys.assume_role,
            write_log=LogGroups(self._account, self._region, self._metrics.publish).write,
        )  # fmt: skip
        self.functions = FunctionResolver(home, seed)
        self.executor = Executor(
            environments=environments, resolver=self.functions, on_invoked=self._metrics.invoked
        )
        self.async_invocations = AsyncInvocations(self.executor, self._clients, self._wait_cap)

    def patch_moto(self) -> Patches:
        """Put all patches on."""
        patches = Patches()
        invoke_api = InvokeApi(self.executor, self.async_invocations)
        awslambda_patches.patch(patches, invoke_api, self.async_invocations)
        stepfunctions_patches.patch(patches, self.executions)
        interpreter_patches.patch(
            patches, clients=self._clients, wait_cap=self._wait_cap,
            invoke_lambda=lambda given: invoke_api.invoke_for_task(self.lambda_backend(), given),
        )  # fmt: skip
        map_runs.patch(patches, self.executions, self._reader_of_role)
        eventbridge_patches.patch(patches, self.bus)
        cloudwatch_patches.patch(patches, self.alarms)
        log_groups.patch(patches)
        firehose_patches.patch(patches, self._now)
        iam_patches.patch(patches, self._authorizer)
        return patches

    def lambda_backend(self) -> Any:
        """Give moto's Lambda of the account and region."""
        from moto.awslambda.models import lambda_backends

        return lambda_backends[self._account][self._region]

    def warm_up(self) -> None:
        """Import layers and initialise a worker per function, while the caller goes on."""
        backend = self.lambda_backend()
        names = [function.function_name for function in backend.list_functions()]
        self.executor.warm_up([self.executor.resolve(backend, name, None)[1] for name in names])

    def http_api(self, api_id: str) -> HttpApi:
        """Give an HTTP API that answers requests."""
        from moto.apigatewayv2.models import apigatewayv2_backends

        return HttpApi(
            apigatewayv2_backends[self._account][self._region].get_api(api_id),
            account=self._account, region=self._region, invoke=self._invoke,
            secret_of=self._access_keys.secret_of, identity_of=self._access_keys.identity_of,
        )  # fmt: skip

    def invoke_async(self, arn: str, event: bytes) -> None:
        """Queue an asynchronous invocation."""
        self.async_invocations.put(self.lambda_backend(), arn, None, event)

    def _reader_of_role(self, role_arn: str) -> Any:
        """Give an S3 client under the role of a state machine."""
        keys = self._access_keys.assume_role(role_arn, "ItemReader")
        credentials = Credentials(
            keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"]
        )
        endpoint_url = self._clients("s3").meta.endpoint_url
        return make_client(
            "s3", credentials=credentials, region=self._region, endpoint_url=endpoint_url
        )

    def _invoke(self, arn: str, event: bytes) -> Answer:
        return self.executor.invoke(self.lambda_backend(), arn, None, event)
