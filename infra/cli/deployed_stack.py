"""A stack that exists, on AWS or on the local cloud: its outputs, its clients, its endpoint."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from infra.cli.aws_errors import remedied
from infra.cli.endpoint import Endpoint
from infra.cli.errors import UsageMistakeError
from infra.cli.local_clouds import read_cloud
from infra.packaging.assets import ROOT
from noria.contracts import Problem
from noria.errors import ContractError, NoriaError
from noria.lifecycle.environment import Environment

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
    def open(cls, name: str, *, local: str | None) -> Self:
        """Find a stack by its name, on a local cloud where that is named."""
        return cls._aws(name) if local is None else cls._local(name, local)

    @classmethod
    def _aws(cls, name: str) -> Self:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            session = boto3.session.Session()
            answer = session.client("cloudformation").describe_stacks(StackName=name)
        except (BotoCoreError, ClientError) as error:
            raise StackError(
                f"stack '{name}' cannot be read on AWS: {remedied(error)}, or add --local for "
                "the local cloud"
            ) from error
        told = answer["Stacks"][0].get("Outputs", [])  # none while it is made
        outputs = {item["OutputKey"]: item["OutputValue"] for item in told}
        return cls(name, outputs, session, api_url=outputs.get("EndpointUrl"))

    @classmethod
    def _local(cls, name: str, cloud: str) -> Self:
        import boto3

        state = read_cloud(cloud, LOCAL_FILE)
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

    def output(self, name: str) -> str:
        """What the stack says under a name; StackError where it says nothing."""
        if name not in self.outputs:
            raise StackError(
                f"stack '{self.name}' has no {name} among its outputs: it is not deployed yet, or "
                "by an earlier version of Noria; deploy it again"
            )
        return self.outputs[name]

    @property
    def bucket(self) -> str:
        """The stack's bucket."""
        return self.output("BucketName")

    @property
    def machine_arn(self) -> str:
        """The stack's state machine."""
        return self.output("StateMachineArn")

    def environment(self) -> Environment:
        """What the stack's functions are told: the deployed contract and the code's version.

        Raises StackError where it cannot be read.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        function = self.output("MonitorFunctionName")
        try:
            answer = self.client("lambda").get_function_configuration(FunctionName=function)
        except (BotoCoreError, ClientError) as error:
            raise StackError(
                f"what stack '{self.name}' was deployed with cannot be read: {error}"
            ) from error
        return Environment.read(answer.get("Environment", {}).get("Variables", {}))

    def contract(self) -> Problem:
        """The deployed contract; StackError where it cannot be read."""
        text = self.environment().problem
        if not text:
            raise StackError(f"stack '{self.name}' was deployed without a contract")
        try:
            return Problem.parse(json.loads(text))
        except ContractError as error:
            first = str(error).splitlines()[0]
            raise StackError(
                f"the contract that stack '{self.name}' was deployed with is not valid any more "
                f"({first}); mend and deploy it"
            ) from error

    def readable_contract(self, otherwise: str) -> Problem | None:
        """The deployed contract; where it cannot be read, None, and it is told what that means."""
        try:
            return self.contract()
        except StackError as error:
            print(f"{error}; {otherwise}", file=sys.stderr)
            return None

    def client(self, service: str) -> Any:
        """A client of an AWS service, made once."""
        return _client(self.session, service, self.endpoint_url)

    def endpoint(self, token: str | None = None) -> Endpoint:
        """The stack's HTTP API, called with signed requests, or by a token (JWT)."""
        if self.api_url is None:
            raise StackError(f"stack '{self.name}' has no EndpointUrl among its outputs")
        credentials = None if token else self.session.get_credentials()
        return Endpoint(self.api_url, credentials, self.session.region_name, token)


@cache
def _client(session: Any, service: str, endpoint_url: str | None) -> Any:
    from botocore.config import Config

    path_style = Config(s3={"addressing_style": "path"}) if endpoint_url else None
    return session.client(service, endpoint_url=endpoint_url, config=path_style)
