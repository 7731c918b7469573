"""`noria console`: a small web app on this machine, over a stack on AWS or the local cloud."""

from typing import Annotated

import typer
from rich.console import Console

from infra.cli.callers import Token, checked_token
from infra.cli.options import Local


def console(
    stack: Annotated[
        str | None, typer.Argument(metavar="STACK", help="The stack (default: choose there).")
    ] = None,
    port: Annotated[int, typer.Option(help="Its port on 127.0.0.1 (0: any).")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")
    ] = True,
    token: Token = None,
    local: Local = None,
) -> None:
    """Look at a stack, and steer it, in the browser: runs, models, live use, predictions.

    It listens on this machine alone and acts with your credentials.
    """
    from infra.console.server import serve
    from infra.console.stacks import StackBook

    book = StackBook(stack, local, None if token is None else checked_token(token))
    if stack is not None:
        book.open(stack)  # a mistake is told here, not in the browser
    else:
        book.names()
    serve(book, port, open_browser=browser, say=_say)


def _say(text: str) -> None:
    Console().print(text, highlight=False, soft_wrap=True, markup=False)
