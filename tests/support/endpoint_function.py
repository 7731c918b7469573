"""The endpoint's function in moto, for what points its alias somewhere."""

import io
import json
import zipfile

import boto3

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole"}]}  # fmt: skip


def make_endpoint(name: str) -> None:
    """Make the endpoint's function with its alias `live` at version 1."""
    role = boto3.client("iam").create_role(
        RoleName="endpoint", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    client = boto3.client("lambda")
    client.create_function(
        FunctionName=name, Runtime="python3.13", Handler="app.handler",
        Role=role["Role"]["Arn"], Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"NORIA_MODEL": "champion"}},
    )  # fmt: skip
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
