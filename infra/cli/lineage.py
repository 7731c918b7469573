"""`noria lineage`: from a prediction, or a model version, back to the raw data."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.deployed_stack import StackAccess, StackError
from infra.cli.errors import FAILED, UsageMistakeError
from infra.cli.options import AsJson, Local, StackName

PICTURES = (".html", ".svg")


def lineage(
    stack: StackName,
    asked: Annotated[
        str | None,
        typer.Argument(
            metavar="PREDICTION_ID | MODEL_VERSION | RUN", help="Default: the champion's version."
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it as a picture too: .html (a page) or .svg."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every object and compare its SHA-256.")
    ] = False,
    as_json: AsJson = False,
    local: Local = None,
) -> None:
    """Trace a prediction or a model version back to run, data, raw objects, contract and code.

    Exit status: 0 where it is whole, 1 where a link is missing or changed, 2 for an unknown id.
    """
    if picture is not None and picture.suffix.lower() not in PICTURES:
        raise UsageMistakeError(f"--picture '{picture}': end it in {' or '.join(PICTURES)}")
    from botocore.exceptions import BotoCoreError, ClientError

    from noria.errors import RequestError
    from noria.lineage.trace import drawn, trace, written

    access = StackAccess.open(stack, local=local)
    deployed, client = _deployed(access), access.client("s3")
    try:
        found = trace(client, access.bucket, stack, asked, deployed, verify=verify)
    except RequestError as error:
        raise UsageMistakeError(str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise StackError(
            f"bucket '{access.bucket}' of '{stack}' cannot be read: {error}"
        ) from error
    if picture is not None:
        _write(picture, drawn(found, as_page=picture.suffix.lower() == ".html"))
    print(found.model_dump_json(indent=2) if as_json else written(found))
    if found.problems:
        raise typer.Exit(FAILED)


def _write(picture: Path, content: str) -> None:
    try:
        picture.write_text(content, encoding="utf-8")
    except OSError as error:
        raise UsageMistakeError(f"--picture '{picture}' cannot be written: {error}") from error


def _deployed(access: StackAccess) -> Any:
    """The deployed contract and code, as a function that knows both has them."""
    from noria.lineage.trace import DeployedStack

    if "MonitorFunctionName" not in access.outputs:
        return DeployedStack()
    try:
        given = access.environment()
    except StackError as error:
        print(f"what is deployed cannot be read, nor compared with: {error}", file=sys.stderr)
        return DeployedStack()
    contract = json.loads(given.problem) if given.problem else None
    return DeployedStack(contract, given.code_version or None)
