"""What a request's path names: a stack, a run, a model version."""

from typing import Annotated

from fastapi import Depends, Path, Request

from infra.console.protection import Gate
from infra.console.stacks import ShownStack

RunName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]
VersionName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,120}$")]


def _stack(
    request: Request, stack: Annotated[str, Path(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")]
) -> ShownStack:
    found: ShownStack = request.app.state.book.open(stack)
    return found


def gate_of(request: Request) -> Gate:
    """The gate of the console that is asked."""
    found: Gate = request.app.state.gate
    return found


Stack = Annotated[ShownStack, Depends(_stack)]
