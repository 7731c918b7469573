"""What roles may be allowed, as policy statements: by prefix, by table, by function."""

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from infra.constructs.storage import Storage
from noria.contracts import Problem

LOOK = ("lambda:GetAlias", "lambda:GetFunction", "lambda:GetFunctionConfiguration")
SHIFT = (*LOOK, "lambda:UpdateAlias")
PUBLISH = (
    *LOOK,
    "lambda:ListAliases",
    "lambda:ListVersionsByFunction",
    "lambda:PublishVersion",
    "lambda:UpdateFunctionConfiguration",
)


def storage(
    storage: Storage,
    *,
    reads: Sequence[str],
    writes: Sequence[str],
    deletes: Sequence[str],
    tags: Sequence[str],
) -> list[iam.PolicyStatement]:
    """S3 by prefix and action. Listing spans the bucket: without it a missing key looks denied."""
    granted = {
        "s3:GetObject": storage.objects(*reads),
        "s3:PutObject": storage.objects(*writes),
        "s3:AbortMultipartUpload": storage.objects(*writes),
        "s3:DeleteObject": storage.objects(*deletes),
        "s3:PutObjectTagging": storage.objects(*tags),
        "s3:ListBucket": [storage.bucket.bucket_arn] if reads else [],
    }
    return [allow([action], arns) for action, arns in granted.items() if arns]


def catalog(storage: Storage) -> iam.PolicyStatement:
    """What the feature store calls to describe its tables and keep Athena's partitions in step."""
    tables = ("GetTable", "GetTables", "CreateTable", "UpdateTable")
    calls = (*tables, "GetPartitions", "BatchCreatePartition", "BatchDeletePartition")
    return allow([f"glue:{name}" for name in calls], storage.catalog_arns())


def online_features(storage: Storage) -> iam.PolicyStatement | None:
    """Putting entities' latest values, where the contract has a table for them."""
    calls = ["dynamodb:PutItem", "dynamodb:DescribeTable"]
    return allow(calls, [storage.online.table_arn]) if storage.online else None


def look_up_features(storage: Storage) -> iam.PolicyStatement | None:
    """Reading the latest values of entities, where the contract has a table for them."""
    return allow(["dynamodb:BatchGetItem"], [storage.online.table_arn]) if storage.online else None


def on_endpoint(endpoint: lambda_.IFunction, actions: Sequence[str]) -> iam.PolicyStatement:
    """Lambda's actions on the endpoint function, its versions and its alias."""
    return allow(actions, [endpoint.function_arn, f"{endpoint.function_arn}:*"])


def delete_versions(endpoint: lambda_.IFunction) -> iam.PolicyStatement:
    """Deleting versions of the endpoint, and never the function: its own ARN has no qualifier."""
    return allow(["lambda:DeleteFunction"], [f"{endpoint.function_arn}:*"])


def ask_versions(endpoint: lambda_.IFunction) -> iam.PolicyStatement:
    """Invoking the endpoint's published versions, whose names are numbers; not its alias."""
    versions = [f"{endpoint.function_arn}:{first}*" for first in range(1, 10)]
    return allow(["lambda:InvokeFunction"], versions)


def put_metrics(namespace: str) -> iam.PolicyStatement:
    """CloudWatch has no resources for metrics: the namespace is the bound."""
    return iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
    )


def source_secrets(problem: Problem) -> iam.PolicyStatement | None:
    """Only the secrets that the contract's sources name."""
    return secrets([getattr(source, "secret", None) for source in problem.sources])


def secrets(names: Iterable[str | None]) -> iam.PolicyStatement | None:
    """Reading secrets, by ARN or by name (which ends in six letters)."""
    prefix = f"arn:{cdk.Aws.PARTITION}:secretsmanager:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:secret"
    arns = [
        name if name.startswith("arn:") else f"{prefix}:{name}-??????"
        for name in sorted({name for name in names if name})
    ]
    return allow(["secretsmanager:GetSecretValue"], arns) if arns else None


def allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    """A statement without conditions."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
