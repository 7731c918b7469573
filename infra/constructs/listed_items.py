"""The items of a Distributed Map, from a list that a function wrote into the bucket."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn

from infra.constructs import grants


class ListedItems(sfn.S3JsonItemReader):
    """Reads the list whose key is at a path of the state; CDK's own would read the whole bucket."""

    def __init__(self, bucket: s3.IBucket, path: str, files: Sequence[str]) -> None:
        super().__init__(bucket=bucket, key=sfn.JsonPath.string_at(path))
        self._files = files

    def provide_policy_statements(self) -> list[iam.PolicyStatement]:
        """What the machine's role may read."""
        return [grants.allow(["s3:GetObject"], self._files)]
