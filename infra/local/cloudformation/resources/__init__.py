"""CloudFormation resource types for moto: those it lacks, and those it creates only in part."""

from infra.local.cloudformation.resources import (
    apigateway,
    awslambda,
    cdk,
    cloudwatch,
    firehose,
    glue,
    logs,
    messaging,
    s3,
    scheduler,
    stepfunctions,
)
from infra.local.cloudformation.resources.resource_type import TYPES, connect

__all__ = [
    "TYPES",
    "apigateway",
    "awslambda",
    "cdk",
    "cloudwatch",
    "connect",
    "firehose",
    "glue",
    "logs",
    "messaging",
    "s3",
    "scheduler",
    "stepfunctions",
]
