"""Who calls an endpoint, at which address: a stack's own or another, signed or by a token."""

import re
from typing import Annotated
from urllib.parse import urlsplit

import typer

from infra.cli.aws_errors import NO_CREDENTIALS, NO_REGION, remedied
from infra.cli.deployed_stack import StackAccess, StackError
from infra.cli.endpoint import Endpoint
from infra.cli.errors import UsageMistakeError

Token = Annotated[
    str | None,
    typer.Option(
        envvar="NORIA_TOKEN", metavar="JWT", help="Of your identity provider, in place of signing."
    ),
]
Url = Annotated[
    str | None,
    typer.Option(help="Another address than the stack's own, such as that of a domain."),
]
HERE = ("localhost", "127.0.0.1", "::1")
TOKEN = re.compile(r"[!-~]+")


def endpoint_of(stack: str, local: str | None, token: str | None, url: str | None) -> Endpoint:
    """The endpoint to call; of another address AWS is asked nothing, by token not even for keys."""
    bearer = None if token is None else checked_token(token)
    if url is None:
        return StackAccess.open(stack, local=local).endpoint(bearer)
    if local is not None:
        raise UsageMistakeError("--url and --local name two places: leave one of them out")
    _refuse_address(url, secret=bearer is not None)
    return Endpoint(url, None, "", bearer) if bearer else _signing(url)


def _signing(url: str) -> Endpoint:
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        session = boto3.session.Session()
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise StackError(f"requests cannot be signed: {remedied(error)}") from error
    if credentials is None:
        raise StackError(f"requests cannot be signed: {NO_CREDENTIALS}, or give a --token")
    if session.region_name is None:
        raise StackError(f"requests cannot be signed: {NO_REGION}")
    return Endpoint(url, credentials, session.region_name)


def checked_token(token: str) -> str:
    """A token as it stands in a header; with or without the word in front of it."""
    found = token.strip().removeprefix("Bearer ").strip()
    if not TOKEN.fullmatch(found):
        raise UsageMistakeError(
            "--token (or NORIA_TOKEN) is empty or has blanks in it: give the JWT as it is"
        )
    return found


def _refuse_address(url: str, *, secret: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise UsageMistakeError(f"--url '{url}' is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise UsageMistakeError(f"--url '{url}' is no web address: write https://HOST")
    if secret and parts.scheme == "http" and host not in HERE:
        raise UsageMistakeError(
            f"--url '{url}' would send the token unencrypted: write https://{parts.netloc}"
        )
