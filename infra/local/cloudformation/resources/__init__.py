"""CloudFormation resource types for moto: those it lacks, and those it creates only in part."""

from infra.local.cloudformation.resources import apigateway, awslambda, cloudwatch, s3
from infra.local.cloudformation.resources.resource_type import TYPES, connect

__all__ = ["TYPES", "apigateway", "awslambda", "cloudwatch", "connect", "s3"]
