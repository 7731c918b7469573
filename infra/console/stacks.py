"""The stacks that a console shows, opened once each."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from infra.cli import deployed_stack
from infra.cli.aws_errors import remedied
from infra.cli.deployed_stack import StackAccess, StackError
from infra.cli.endpoint import Endpoint
from infra.cli.local_clouds import read_cloud
from infra.cli.run_records import Bucket
from infra.docs.machine import Json, states_in

if TYPE_CHECKING:
    from infra.console.run_views import RunView

#: A session makes its clients in one thread at a time.
SERVICES = ("s3", "stepfunctions", "lambda", "cloudwatch", "sts")
NEEDED = ("StateMachineArn", "ChampionFunctionName")  # the outputs by which a stack is known


@dataclass(frozen=True)
class ShownStack:
    """One stack with what its pages read and call."""

    access: StackAccess
    token: str | None = None
    memory: dict[str, int] = field(default_factory=dict)
    ended: dict[str, "RunView"] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.access.name

    @cached_property
    def bucket(self) -> Bucket:
        """The stack's bucket."""
        return Bucket(self.access.client("s3"), self.access.bucket)

    @cached_property
    def endpoint(self) -> Endpoint:
        """The stack's endpoint, called with the user's credentials, or by their token (JWT)."""
        return self.access.endpoint(self.token)

    @property
    def machine(self) -> Any:
        """A client of Step Functions."""
        return self.access.client("stepfunctions")

    def states(self) -> Json:
        """The states of the machine as it is deployed, by name."""
        answer = self.machine.describe_state_machine(stateMachineArn=self.access.machine_arn)
        return states_in(answer["definition"])

    def execution_arn(self, run: str) -> str:
        """The execution of a run."""
        return f"{self.access.machine_arn.replace(':stateMachine:', ':execution:')}:{run}"

    def memory_of(self, function: str) -> int:
        """A function's memory in MB; it is asked for once."""
        if function not in self.memory:
            told = self.access.client("lambda").get_function_configuration(FunctionName=function)
            self.memory[function] = int(told["MemorySize"])
        return self.memory[function]


class StackBook:
    """The stacks there are, on AWS or on a local cloud; `only` is the one that was asked for.

    With a `token` (JWT) their endpoints are asked by it, else by signed requests.
    """

    def __init__(self, only: str | None, local: str | None, token: str | None = None) -> None:
        self._only, self.local, self._token = only, local, token
        self._opened: dict[str, ShownStack] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The stacks' names; StackError or CloudNameError where they cannot be listed."""
        if self._only is not None:
            return [self._only]
        if self.local is not None:
            return sorted(read_cloud(self.local, deployed_stack.LOCAL_FILE)["stacks"])
        return _deployed()

    def open(self, name: str) -> ShownStack:
        """A stack by its name; StackError or UsageMistakeError where there is none."""
        with self._lock:
            if name not in self._opened:
                access = StackAccess.open(name, local=self.local)
                for service in SERVICES:
                    access.client(service)
                self._opened[name] = ShownStack(access, self._token)
            return self._opened[name]


def _deployed() -> list[str]:
    """Noria's stacks of this account and region."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        pages = boto3.client("cloudformation").get_paginator("describe_stacks").paginate()
        return sorted(
            stack["StackName"] for page in pages for stack in page["Stacks"] if _is_ours(stack)
        )
    except (BotoCoreError, ClientError) as error:
        raise StackError(
            f"the stacks cannot be listed on AWS: {remedied(error)}; or name one, as in "
            "`noria console STACK`, or add --local"
        ) from error


def _is_ours(stack: Mapping[str, Any]) -> bool:
    outputs = {output["OutputKey"] for output in stack.get("Outputs", [])}
    return outputs.issuperset(NEEDED)
