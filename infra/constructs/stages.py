"""Functions made from rows: what varies between those of the lifecycle is a row of one table."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs import grants
from infra.constructs.storage import Storage
from infra.packaging.assets import Asset
from noria.contracts import Problem
from noria.errors import ContractError
from noria.lifecycle.environment import Environment, packed

RETENTION = logs.RetentionDays.THREE_MONTHS
# Lambda allows 4 KB for all variables of a function; the others need the rest.
LARGEST_CONTRACT = 3 * 1024
SMALL, MEDIUM = 1024, 2048  # MB
# OpenMP's threads sleep while they wait: spinning, they take the cores from those that work.
THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}
# ONNX Runtime sends usage data to its maker by default, and keeps an identifier on disk.
NO_TELEMETRY = {"ORT_DISABLE_TELEMETRY": "1"}
LAYER_VARIABLES = {"model": THREADS, "serve": NO_TELEMETRY}
LARGE = 0  # what the contract's scaling.memory says
QUICK, LONG = 60, 900  # seconds
# MB of /tmp, the most there is: DuckDB spills what memory does not hold, and a new version of a set
# of 3.3 million rows with 42 columns took 5 GB. Only 512 are free of charge.
DISK = 10240


@dataclass(frozen=True, kw_only=True)
class Row:
    """A function: its handler's module, its layer, its size, and all that it may do."""

    name: str
    layer: str
    memory: int = SMALL
    timeout: int = QUICK
    disk: int | None = None
    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    deletes: Sequence[str] = ()
    tags: Sequence[str] = ()
    powers: Sequence[str] = ()
    knows: Sequence[str] = ()
    retention: logs.RetentionDays = RETENTION
    snap_start: bool = False


RUNS, REGISTRY = "runs/", "registry/"

ENDPOINT = Row(
    name="endpoint", layer="serve", memory=MEDIUM, timeout=29, powers=["stream", "look_up"],
    reads=["models/", REGISTRY], writes=[REGISTRY + "served/"],
    knows=["problem", "labels_stream", "model"], retention=logs.RetentionDays.TWO_WEEKS,
)  # fmt: skip


class Packages(Construct):
    """The layers and the code that functions are made of, and the making of a function."""

    def __init__(
        self, scope: Construct, construct_id: str, *, layers: Mapping[str, Asset], code: Asset
    ) -> None:
        super().__init__(scope, construct_id)
        self._code = lambda_.Code.from_asset(str(code.path), asset_hash=code.key)
        self._layers = {name: self._layer(name, asset) for name, asset in layers.items()}

    def function(
        self,
        scope: Construct,
        row: Row,
        *,
        storage: Storage,
        environment: Environment,
        powers: Mapping[str, Callable[[], iam.PolicyStatement | None]],
    ) -> lambda_.Function:
        """A row as a function, with a role and a log group of its own."""
        title = _title(row.name)
        group = logs.LogGroup(
            scope, f"{title}Logs", retention=row.retention, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        role = iam.Role(
            scope,
            f"{title}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What functions/{row.name}.py may do",
        )
        group.grant_write(role)
        granted = [power() for power in (powers[name] for name in row.powers)]
        for statement in [
            *grants.storage(
                storage, reads=row.reads, writes=row.writes, deletes=row.deletes, tags=row.tags
            ),
            *filter(None, granted),
        ]:
            role.add_to_policy(statement)
        return lambda_.Function(
            scope,
            title,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=self._code,
            handler=f"functions.{row.name}.handler",
            layers=[self._layers[row.layer], self._layers["noria"]],
            memory_size=row.memory,
            timeout=cdk.Duration.seconds(row.timeout),
            ephemeral_storage_size=cdk.Size.mebibytes(row.disk) if row.disk else None,
            environment=environment.to_variables() | LAYER_VARIABLES.get(row.layer, {}),
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if row.snap_start else None,
            role=role,
            log_group=group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
            tracing=lambda_.Tracing.ACTIVE,
            description=f"Noria: functions/{row.name}.py",
        )

    def _layer(self, name: str, asset: Asset) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            f"{name.title()}Layer",
            code=lambda_.Code.from_asset(str(asset.path), asset_hash=asset.key),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description=f"Noria: layers/{name}",
        )


class Stages(Construct):
    """All functions but the endpoint, by their handler's name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        rows: Sequence[Row],
        problem: Problem,
        storage: Storage,
        packages: Packages,
        environment: Environment,
        endpoint: lambda_.IFunction,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        knowledge = {
            "problem": contract_variable(problem),
            "topic": topic.topic_arn,
            "endpoint_function": endpoint.function_name,
        }
        powers = {
            "catalog": lambda: grants.catalog(storage),
            "delete_versions": lambda: grants.delete_versions(endpoint),
            "look_at": lambda: grants.on_endpoint(endpoint, grants.LOOK),
            "look_up": lambda: grants.look_up_features(storage),
            "notify": lambda: grants.allow(["sns:Publish"], [topic.topic_arn]),
            "publish": lambda: grants.on_endpoint(endpoint, grants.PUBLISH),
            "put_metrics": lambda: grants.put_metrics(environment.namespace),
            "read_metrics": lambda: grants.allow(["cloudwatch:GetMetricData"], ["*"]),
            "read_secrets": lambda: grants.source_secrets(problem),
            "replay": lambda: grants.ask_versions(endpoint),
            "serve_features": lambda: grants.online_features(storage),
            "shadow": lambda: grants.ask_versions(endpoint) if problem.deployment.shadow else None,
            "shift": lambda: grants.on_endpoint(endpoint, grants.SHIFT),
        }
        self._functions = {
            row.name: packages.function(
                self,
                replace(row, memory=row.memory or problem.scaling.memory),
                storage=storage,
                environment=environment.model_copy(update={k: knowledge[k] for k in row.knows}),
                powers=powers,
            )
            for row in rows
        }

    def __getitem__(self, name: str) -> lambda_.Function:
        return self._functions[name]


def contract_variable(problem: Problem) -> str:
    """The contract as functions get it: JSON in a variable, packed where it is long."""
    text = json.dumps(problem.to_document(), separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) <= LARGEST_CONTRACT:
        return text
    short = packed(text)
    if len(short) > LARGEST_CONTRACT:
        raise ContractError(
            f"contract '{problem.name}' takes {len(short)} bytes as compressed JSON and a "
            f"function's environment holds {LARGEST_CONTRACT}: shorten its statement or its lists "
            "of columns"
        )
    return short


def _title(name: str) -> str:
    return name.title().replace("_", "")
