"""An execution's input, checked before anything is deployed or started."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.cli.deployed_stack import StackAccess
from infra.cli.errors import UsageMistakeError
from infra.cli.options import json_object
from noria.contracts import Problem
from noria.errors import ContractError
from noria.lifecycle.execution_input import check_input, check_variation

OPTION = "--input"


def execution_input(text: str) -> dict[str, Any]:
    """Parse an execution's input and check what can be told without the contract."""
    given = json_object(text, OPTION)
    try:
        check_input(given, datetime.now(UTC))
    except ContractError as error:
        raise _mistaken(str(error), "input.") from error
    return given


def refuse_variation(problem: Problem, given: Mapping[str, Any]) -> None:
    """Refuse an input whose `problem` makes no valid contract; UsageMistakeError tells why."""
    try:
        check_variation(problem, given)
    except ContractError as error:
        raise _mistaken(str(error), "input.problem.", "problem.") from error


def refuse_variation_of(access: StackAccess, given: Mapping[str, Any]) -> None:
    """The same by the contract that is deployed; where it cannot be read, the machine checks."""
    if "problem" not in given:
        return
    problem = access.readable_contract(f"the machine itself checks {OPTION}")
    if problem is not None:
        refuse_variation(problem, given)


def _mistaken(told: str, before: str, place: str = "") -> UsageMistakeError:
    """Name the place in the option's JSON, where the machine says `input.` or a field."""
    lines = (f"{OPTION}: {place}{line.removeprefix(before)}" for line in told.splitlines())
    return UsageMistakeError("\n".join(lines))
