"""How commands end: 0 as meant, 1 where something failed, 2 for a contract or a usage mistake."""

import sys
from collections.abc import Collection, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from noria.errors import ContractError, NoriaError

FAILED, MISTAKEN = 1, 2
DEFAULT = "default"  # the local cloud that has no name of its own


class UsageMistakeError(NoriaError):
    """An argument that cannot be right."""


def with_local_name(arguments: Sequence[str], clouds: Collection[str]) -> list[str]:
    """The arguments with the default cloud's name behind a --local that has none.

    A word behind it is a name where one of the `clouds` has it, else an argument of its own.
    """
    named = []
    for place, argument in enumerate(arguments):
        named.append(argument)
        following = arguments[place + 1 : place + 2]
        if argument == "--local" and (not following or following[0] not in clouds):
            named.append(DEFAULT)
    return named


class ReportingGroup(TyperGroup):
    """Turns Noria's own errors into a line per mistake on standard error and an exit status."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, among which --local may stand without a name."""
        from infra.cli import deployed_stack, local_clouds

        clouds = local_clouds.names_noted(deployed_stack.LOCAL_FILE)
        return super().parse_args(ctx, with_local_name(args, clouds))

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except NoriaError as error:
            print(error, file=sys.stderr)
            mistaken = isinstance(error, ContractError | UsageMistakeError)
            raise typer.Exit(MISTAKEN if mistaken else FAILED) from error
