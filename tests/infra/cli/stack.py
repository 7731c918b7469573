"""A stack on moto, as the commands find one on AWS."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from click.testing import Result
from typer.testing import CliRunner

from infra.cli.main import app
from tests.support.moto_session import aws_in_process

PLACE = {"LocationConstraint": "eu-west-1"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "lambda.amazonaws.com"}}  # fmt: skip
ANY = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "a", "Name": "a"}}
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Made:
    """A stack's name and bucket."""

    name: str
    bucket: str

    def put(self, key: str, document: Any) -> None:
        """Write a JSON object into the bucket."""
        body = json.dumps(document).encode()
        boto3.client("s3").upload_fileobj(io.BytesIO(body), self.bucket, key)

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        found = boto3.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]


@contextmanager
def made_stack(contract: Mapping[str, Any], outputs: Mapping[str, str] = {}) -> Iterator[Made]:
    """A stack with a bucket and a function that knows the contract."""
    made = Made(str(contract["name"]), f"{contract['name']}-bucket")
    given = {"BucketName": made.bucket, "MonitorFunctionName": "monitor",
             "StateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:m", **outputs}  # fmt: skip
    template = {"Resources": {"Any": ANY},
                "Outputs": {name: {"Value": value} for name, value in given.items()}}  # fmt: skip
    with aws_in_process():
        boto3.client("cloudformation").create_stack(
            StackName=made.name, TemplateBody=json.dumps(template)
        )
        boto3.client("s3").create_bucket(Bucket=made.bucket, CreateBucketConfiguration=PLACE)
        _deploy_monitor(contract)
        yield made


def _deploy_monitor(contract: Mapping[str, Any]) -> None:
    role = boto3.client("iam").create_role(
        RoleName="monitor", AssumeRolePolicyDocument=json.dumps({"Statement": [TRUST]})
    )
    boto3.client("lambda").create_function(
        FunctionName="monitor", Runtime="python3.13", Role=role["Role"]["Arn"],
        Handler="functions.monitor.handler", Code={"ZipFile": b"none"},
        Environment={"Variables": {"NORIA_PROBLEM": json.dumps(contract)}},
    )  # fmt: skip


def noria(*arguments: str, width: int | None = None) -> Result:
    """Run a command in this process; with a width, on a terminal that is so wide."""
    wide = {"COLUMNS": str(width), "FORCE_COLOR": "1"} if width else {}
    return CliRunner().invoke(app, list(arguments), env=wide)


def lines(result: Result) -> list[str]:
    """What a reader sees, line by line."""
    return [STYLE.sub("", line).rstrip() for line in result.stdout.splitlines()]
