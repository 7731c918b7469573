"""The functions of the lifecycle: what varies between them is a row of one table."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.assets import Asset
from infra.store import Store
from noria.contracts import Problem
from noria.errors import ContractError
from noria.runtime import Environment

RETENTION = logs.RetentionDays.THREE_MONTHS
# Lambda allows 4 KB for all variables of a function; the others need the rest.
LARGEST_CONTRACT = 3 * 1024
SMALL, MEDIUM, LARGE = 1024, 2048, 3008  # MB; new AWS accounts get no more than 3008
QUICK, LONG = 60, 900  # seconds


@dataclass(frozen=True, kw_only=True)
class Row:
    """A function: its handler's module, its layer, its size, and all that it may do."""

    name: str
    layer: str
    memory: int = SMALL
    timeout: int = QUICK
    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    deletes: Sequence[str] = ()
    powers: Sequence[str] = ()
    knows: Sequence[str] = ()


RUNS, REGISTRY = "runs/", "registry/"

STAGES = (
    Row(name="admit", layer="serve", reads=[RUNS, REGISTRY], writes=[RUNS, REGISTRY],
        knows=["problem"]),
    Row(name="define_problem", layer="serve", reads=[RUNS, REGISTRY], writes=[RUNS, REGISTRY],
        knows=["problem"]),
    Row(name="collect", layer="data", memory=MEDIUM, timeout=LONG, powers=["read_secrets"],
        reads=["incoming/", RUNS], writes=["raw/", RUNS]),
    Row(name="transform", layer="data", memory=LARGE, timeout=LONG,
        reads=["raw/", RUNS], writes=["clean/", "quarantine/", RUNS]),
    Row(name="analyse", layer="model", memory=LARGE, timeout=LONG,
        reads=["clean/", RUNS, REGISTRY], writes=[RUNS]),
    Row(name="ask", layer="serve", powers=["notify"], reads=[RUNS, REGISTRY],
        writes=[RUNS, REGISTRY], knows=["topic"]),
    Row(name="engineer_features", layer="data", memory=LARGE, timeout=LONG, powers=["catalog"],
        reads=["clean/", "features/", RUNS], writes=["features/", RUNS],
        deletes=["features/"]),
    Row(name="explore", layer="model", memory=LARGE, timeout=LONG,
        reads=[RUNS, "clean/"], writes=[RUNS, "experiments/"]),
    Row(name="train", layer="model", memory=LARGE, timeout=LONG,
        reads=[RUNS, "clean/"], writes=[RUNS, "models/"]),
    Row(name="score_holdout", layer="serve", memory=MEDIUM, timeout=LONG,
        reads=[RUNS, "clean/", "models/", REGISTRY], writes=[RUNS]),
    Row(name="evaluate", layer="model", memory=LARGE, timeout=LONG,
        reads=[RUNS, "clean/", "models/", REGISTRY], writes=[RUNS, "models/"]),
    Row(name="publish_challenger", layer="serve", timeout=LONG, powers=["publish"],
        reads=[RUNS, REGISTRY], knows=["endpoint_function"]),
    Row(name="shift_canary", layer="serve", timeout=LONG, powers=["shift"],
        reads=[RUNS], knows=["endpoint_function"]),
    Row(name="check_canary", layer="serve", timeout=LONG, powers=["look_at", "read_metrics"],
        reads=[RUNS], writes=[RUNS],
        knows=["endpoint_function"]),
    Row(name="promote", layer="serve", timeout=LONG, powers=["shift", "notify"],
        reads=[RUNS, "models/", REGISTRY], writes=[RUNS, REGISTRY],
        knows=["endpoint_function", "topic"]),
    Row(name="roll_back", layer="serve", timeout=LONG, powers=["shift", "notify"],
        reads=[RUNS, "models/", REGISTRY], writes=[RUNS, REGISTRY],
        knows=["endpoint_function", "topic"]),
    Row(name="conclude", layer="serve", powers=["notify"], reads=[RUNS, REGISTRY],
        writes=[RUNS, REGISTRY], knows=["topic"]),
    Row(name="record_failure", layer="serve", powers=["notify", "shift"], reads=[RUNS, REGISTRY],
        writes=[RUNS, REGISTRY], knows=["endpoint_function", "topic"]),
    Row(name="monitor", layer="data", memory=MEDIUM, timeout=LONG, powers=["put_metrics"],
        reads=["incoming/", "predictions/", "labels/", "monitoring/", "models/", RUNS, REGISTRY],
        writes=["monitoring/"], knows=["problem"]),
)  # fmt: skip

ENDPOINT = Row(
    name="endpoint", layer="serve", memory=MEDIUM, timeout=29, powers=["stream"],
    reads=["models/", REGISTRY], knows=["problem", "predictions_stream", "labels_stream", "model"],
)  # fmt: skip

LOOK = ("lambda:GetAlias", "lambda:GetFunction", "lambda:GetFunctionConfiguration")
SHIFT = (*LOOK, "lambda:UpdateAlias")
PUBLISH = (*LOOK, "lambda:PublishVersion", "lambda:UpdateFunctionConfiguration")


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
        store: Store,
        environment: Environment,
        powers: Mapping[str, Callable[[], iam.PolicyStatement | None]],
    ) -> lambda_.Function:
        """A row as a function, with a role and a log group of its own."""
        title = _title(row.name)
        group = logs.LogGroup(
            scope, f"{title}Logs", retention=RETENTION, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        role = iam.Role(
            scope,
            f"{title}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What functions/{row.name}.py may do",
        )
        group.grant_write(role)
        granted = [power() for power in (powers[name] for name in row.powers)]
        for statement in [*_storage(row, store), *filter(None, granted)]:
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
            environment=environment.to_variables(),
            role=role,
            log_group=group,
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
        problem: Problem,
        store: Store,
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
            "catalog": lambda: _catalog(store),
            "look_at": lambda: _on_endpoint(endpoint, LOOK),
            "notify": lambda: _allow(["sns:Publish"], [topic.topic_arn]),
            "publish": lambda: _on_endpoint(endpoint, PUBLISH),
            "put_metrics": lambda: _put_metrics(environment.namespace),
            "read_metrics": lambda: _allow(["cloudwatch:GetMetricData"], ["*"]),
            "read_secrets": lambda: _secrets(problem),
            "shift": lambda: _on_endpoint(endpoint, SHIFT),
        }
        self._functions = {
            row.name: packages.function(
                self,
                row,
                store=store,
                environment=environment.model_copy(update={k: knowledge[k] for k in row.knows}),
                powers=powers,
            )
            for row in STAGES
        }

    def __getitem__(self, name: str) -> lambda_.Function:
        return self._functions[name]


def contract_variable(problem: Problem) -> str:
    """The contract as functions get it: compact JSON in an environment variable."""
    text = json.dumps(problem.to_document(), separators=(",", ":"), ensure_ascii=False)
    size = len(text.encode())
    if size > LARGEST_CONTRACT:
        raise ContractError(
            f"contract '{problem.name}' takes {size} bytes as JSON and a function's environment "
            f"holds {LARGEST_CONTRACT}: shorten its statement or its lists of columns"
        )
    return text


def _storage(row: Row, store: Store) -> list[iam.PolicyStatement]:
    """S3 by prefix and action. Listing spans the bucket: without it a missing key looks denied."""
    granted = {
        "s3:GetObject": store.objects(*row.reads),
        "s3:PutObject": store.objects(*row.writes),
        "s3:AbortMultipartUpload": store.objects(*row.writes),
        "s3:DeleteObject": store.objects(*row.deletes),
        "s3:ListBucket": [store.bucket.bucket_arn] if row.reads else [],
    }
    return [_allow([action], arns) for action, arns in granted.items() if arns]


def _catalog(store: Store) -> iam.PolicyStatement:
    partitions = ("GetPartition", "GetPartitions", "CreatePartition", "BatchCreatePartition")
    changes = ("UpdatePartition", "BatchUpdatePartition", "DeletePartition", "BatchDeletePartition")
    tables = ("GetDatabase", "GetTable", "GetTables", "CreateTable", "UpdateTable")
    actions = [f"glue:{name}" for name in (*tables, *partitions, *changes)]
    return _allow(actions, store.catalog_arns())


def _on_endpoint(endpoint: lambda_.IFunction, actions: Sequence[str]) -> iam.PolicyStatement:
    return _allow(actions, [endpoint.function_arn, f"{endpoint.function_arn}:*"])


def _put_metrics(namespace: str) -> iam.PolicyStatement:
    """CloudWatch has no resources for metrics: the namespace is the bound."""
    return iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
    )


def _secrets(problem: Problem) -> iam.PolicyStatement | None:
    """Only the secrets that the contract names, by ARN or by name (which ends in six letters)."""
    named = {getattr(source, "secret", None) for source in problem.sources} - {None}
    prefix = f"arn:{cdk.Aws.PARTITION}:secretsmanager:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:secret"
    arns = [
        n if n.startswith("arn:") else f"{prefix}:{n}-??????" for n in sorted(filter(None, named))
    ]
    return _allow(["secretsmanager:GetSecretValue"], arns) if arns else None


def _allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def _title(name: str) -> str:
    return name.title().replace("_", "")
