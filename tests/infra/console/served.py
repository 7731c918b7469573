"""The console over a stack on moto, served for real and asked as its own pages ask."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx

from infra.console.protection import FORM_TOKEN, Gate
from infra.console.server import listening, web_server
from infra.console.stacks import StackBook
from tests.infra.cli.stack import Made, made_stack

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:{name}"
ROLE = "arn:aws:iam::123456789012:role/machine"
STATES = {
    "StartAt": "Admit",
    "States": {"Admit": {"Type": "Pass", "Next": "Skipped"}, "Skipped": {"Type": "Succeed"}},
}


@dataclass(frozen=True)
class Served:
    """A console with its stack; `client` has its cookie."""

    made: Made
    gate: Gate
    client: httpx.Client
    opened: ExitStack

    def get(self, path: str) -> Any:
        """A page of the stack."""
        return self.client.get(f"/stacks/{self.made.name}{path}")

    def post(self, path: str, **fields: str) -> Any:
        """Send a form of the console's."""
        given = {FORM_TOKEN: self.gate.token, **fields}
        return self.client.post(f"/stacks/{self.made.name}{path}", data=given)

    def stranger(self) -> httpx.Client:
        """A client without the cookie."""
        return self.opened.enter_context(httpx.Client(base_url=self.home, timeout=60))

    @property
    def home(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.gate.port}"


@contextmanager
def served(contract: Mapping[str, Any], more: Mapping[str, str] = {}) -> Iterator[Served]:
    """A console over a stack with an empty bucket and a machine of two states."""
    name = str(contract["name"])
    outputs = {
        "StateMachineArn": MACHINE.format(name=name), "ChampionFunctionName": "change",
        "EndpointFunctionName": "endpoint", **more,
    }  # fmt: skip
    with made_stack(contract, outputs) as made:
        boto3.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(STATES), roleArn=ROLE
        )
        with listening(0) as listener:
            gate = Gate(listener.getsockname()[1])
            with running(gate, StackBook(name, None), listener) as client, ExitStack() as opened:
                yield Served(made, gate, client, opened)


@contextmanager
def running(gate: Gate, book: StackBook, listener: Any) -> Iterator[httpx.Client]:
    """A console that answers, with a client that has its cookie."""
    server = web_server(book, gate)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{gate.port}", timeout=60) as client:
            client.get(gate.url)
            yield client
    finally:
        server.should_exit = True
        thread.join()


def words(html: str) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
