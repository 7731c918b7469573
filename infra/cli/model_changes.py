"""`noria models promote`, `rollback` and `retire`: a person decides, and says why."""

import json
import uuid
from typing import Annotated, Any

import typer

from infra.cli.deployed_stack import StackAccess
from infra.cli.options import AsJson, Local, StackName
from noria.errors import RegistryError

LONGEST_CALL = 900  # seconds, of a function
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for those who look later.")
]
Named = Annotated[str, typer.Argument(metavar="MODEL_VERSION")]


def promote(
    stack: StackName, version: Named, reason: Reason, as_json: AsJson = False, local: Local = None
) -> None:
    """Let a version serve all traffic from now on, whatever it scored."""
    _tell(_changed(stack, local, action="promote", version=version, reason=reason), as_json)


def rollback(
    stack: StackName, reason: Reason, as_json: AsJson = False, local: Local = None
) -> None:
    """Let the version serve that served before the champion."""
    _tell(_changed(stack, local, action="rollback", reason=reason), as_json)


def retire(
    stack: StackName, version: Named, reason: Reason, as_json: AsJson = False, local: Local = None
) -> None:
    """Never let a version serve again; its files stay."""
    _tell(_changed(stack, local, action="retire", version=version, reason=reason), as_json)


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=2))
    elif found["action"] == "retire":
        print(f"{found['version']} is retired: {found['reason']}")
    else:
        before = f" in place of {found['previous']}" if found["previous"] else ""
        print(f"{found['version']} serves{before}: {found['reason']}")


def _changed(stack: str, local: str | None, **change: str) -> dict[str, Any]:
    return changed(StackAccess.open(stack, local=local), uuid.uuid4().hex, **change)


def changed(access: StackAccess, token: str, **change: str) -> dict[str, Any]:
    """Call the stack's function; RegistryError with what it refuses.

    The token makes a call that is repeated, as boto3 does, the same one.
    """
    from botocore.config import Config

    patient = Config(read_timeout=LONGEST_CALL, retries={"total_max_attempts": 3})
    function = access.session.client("lambda", endpoint_url=access.endpoint_url, config=patient)
    event = change | {"token": token, "by": _caller(access)}
    answer = function.invoke(
        FunctionName=access.output("ChampionFunctionName"), Payload=json.dumps(event)
    )
    found: Any = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise RegistryError(str(found.get("errorMessage")))
    return dict(found)


def _caller(access: StackAccess) -> str:
    """Who asks, as AWS knows them."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return str(access.client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return "a caller that AWS does not name"
