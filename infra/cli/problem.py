"""`noria problem`: the contract's schema, its mistakes, and answers to a machine that asks."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.contract_costs import costs_of
from infra.cli.errors import MISTAKEN, UsageMistakeError
from infra.cli.options import Local, StackName, refuse_absent
from infra.settings import load_contract
from noria.common.messages import counted
from noria.contracts import Problem
from noria.contracts.yaml_loader import read_document
from noria.errors import ContractError

app = typer.Typer(no_args_is_help=True, help="Problem contracts: schema, validation, revision.")


@app.command()
def schema() -> None:
    """Print the contract's JSON Schema."""
    print(json.dumps(Problem.model_json_schema(), indent=2))


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A contract, in YAML.")],
) -> None:
    """Check a contract: exit status 0, or 2 with a line per mistake."""
    try:
        problem = load_contract(file)
    except ContractError as error:
        for line in str(error).splitlines():
            print(line, file=sys.stderr)
        raise typer.Exit(MISTAKEN) from error
    objective, sources = problem.objective, counted(len(problem.sources), "source")
    print(
        f"{file}: valid: {problem.name}, {problem.task}, target {problem.target.name}, "
        f"{objective.metric} {objective.threshold:g}, {sources}"
    )
    for line in costs_of(problem):
        print(line)


@app.command()
def revise(
    stack: StackName,
    revision: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="YAML or JSON, merged over the contract."),
    ] = None,
    halt: Annotated[bool, typer.Option("--halt", help="End the run instead.")] = False,
    run: Annotated[str | None, typer.Option(help="The run (default: the latest waiting).")] = None,
    local: Local = None,
) -> None:
    """Answer a machine that waits at ReevaluateProblem: with a revised contract, or halt.

    A revision that makes no valid contract is refused here, and the run goes on waiting.
    """
    from infra.cli.approval import answer
    from infra.cli.deployed_stack import StackAccess

    if (revision is None) != halt:
        raise UsageMistakeError("give either --input FILE or --halt")
    given: dict[str, Any] = {"decision": "halt", "reasons": ["a person chose to halt"]}
    check = None
    if revision is not None:
        changes = _changes(revision)
        given = {"decision": "revise", "problem": changes}
        check = partial(_merged, changes)
    access = StackAccess.open(stack, local=local)
    answered = answer(access, "ReevaluateProblem", given, run, check)
    print(f"Run {answered} goes on: {given['decision']}")


def _merged(changes: dict[str, Any], contract: Any) -> Problem:
    """The run's contract with the changes; raises ContractError for every mistake in them."""
    return Problem.parse(contract).merged(changes)


def _changes(file: Path) -> dict[str, Any]:
    refuse_absent(file, "--input")
    document = read_document(file)
    if not isinstance(document, dict):
        raise UsageMistakeError(f"--input '{file}' has no mapping of contract fields; write one")
    found = document.get("problem", document)
    return dict(found)
