"""A stack that exists, on AWS or on the local cloud: its outputs, its clients, its endpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from infra.assets import ROOT
from infra.commands.endpoint import Endpoint
from infra.commands.errors import UsageMistakeError
from noria.errors import NoriaError

LOCAL_FILE = ROOT / ".noria" / "local.json"


class StackError(NoriaError):
    """A stack, or the cloud it is on, that cannot be reached."""


@dataclass(frozen=True)
class StackAccess:
    """What commands need of a stack; `client(service)` gives a boto3 client."""

    name: str
    outputs: Mapping[str, str]
    session: Any
    endpoint_url: str | None = None
    api_url: str | None = None

    @classmethod
    def open(cls, name: str, *, local: bool) -> Self:
        """Find a stack by its name."""
        return cls._local(name) if local else cls._aws(name)

    @classmethod
    def _aws(cls, name: str) -> Self:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        session = boto3.session.Session()
        try:
            answer = session.client("cloudformation").describe_stacks(StackName=name)
        except (BotoCoreError, ClientError) as error:
            raise StackError(
                f"stack '{name}' cannot be read on AWS: {error}. Deploy it with `make deploy`, "
                "set credentials and a region, or add --local for the local cloud"
            ) from error
        outputs = {
            item["OutputKey"]: item["OutputValue"] for item in answer["Stacks"][0]["Outputs"]
        }
        return cls(name, outputs, session, api_url=outputs.get("EndpointUrl"))

    @classmethod
    def _local(cls, name: str) -> Self:
        import boto3

        if not LOCAL_FILE.is_file():
            raise StackError("no local cloud is up: start one with `noria local up`")
        state = json.loads(LOCAL_FILE.read_text())
        if name not in state["stacks"]:
            known = ", ".join(sorted(state["stacks"]))
            raise UsageMistakeError(f"the local cloud has no stack '{name}'; it has {known}")
        session = boto3.session.Session(
            aws_access_key_id=state["access_key"],
            aws_secret_access_key=state["secret_key"],
            region_name=state["region"],
        )
        stack = state["stacks"][name]
        return cls(name, stack["outputs"], session, state["endpoint_url"], stack["api_url"])

    @property
    def bucket(self) -> str:
        """The stack's bucket."""
        return self.outputs["BucketName"]

    @property
    def machine_arn(self) -> str:
        """The stack's state machine."""
        return self.outputs["StateMachineArn"]

    def client(self, service: str) -> Any:
        """A client of an AWS service, made once."""
        return _client(self.session, service, self.endpoint_url)

    def endpoint(self) -> Endpoint:
        """The stack's HTTP API, called with signed requests."""
        if self.api_url is None:
            raise StackError(f"stack '{self.name}' has no EndpointUrl among its outputs")
        credentials = self.session.get_credentials()
        return Endpoint(self.api_url, credentials, self.session.region_name)


@cache
def _client(session: Any, service: str, endpoint_url: str | None) -> Any:
    from botocore.config import Config

    path_style = Config(s3={"addressing_style": "path"}) if endpoint_url else None
    return session.client(service, endpoint_url=endpoint_url, config=path_style)
