"""How commands end: 0 as meant, 1 where something failed, 2 for a contract or a usage mistake."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from noria.errors import ContractError, NoriaError

FAILED, MISTAKEN = 1, 2


class UsageMistakeError(NoriaError):
    """An argument that cannot be right."""


class ReportingGroup(TyperGroup):
    """Turns Noria's own errors into a line per mistake on standard error and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except NoriaError as error:
            print(error, file=sys.stderr)
            mistaken = isinstance(error, ContractError | UsageMistakeError)
            raise typer.Exit(MISTAKEN if mistaken else FAILED) from error
