"""DefineProblem: the deployed contract with the execution's changes, validated and written down."""

from datetime import UTC, datetime
from typing import Any

from noria.context import Stage
from noria.contracts import Problem
from noria.errors import LeaseError


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write the run's contract and hand on what the state machine itself must know of it."""
    stage = Stage.open(event)
    deployed = Problem.model_validate_json(stage.environment.problem)
    problem = deployed.merged(stage.event.input.get("input", {}).get("problem", {}))
    revision = stage.event.result("answer").get("problem")
    if revision:
        _resume(stage)
        problem = problem.merged(revision)
    stage.store.put_json(stage.run.key("problem.json"), problem.to_document())
    return {
        "uri": stage.store.uri(stage.run.key("problem.json")),
        "name": problem.name,
        "task": problem.task,
        "approval": problem.deployment.approval,
        "sources": [source.name for source in problem.sources],
    }


def _resume(stage: Stage) -> None:
    """Take the lease back, which a run gives up while it waits for a person."""
    holder = stage.leases.acquire(stage.event.execution, datetime.now(UTC)).holder
    if holder != stage.event.execution:
        raise LeaseError(
            f"run '{holder}' started while this one waited for an answer; start a new execution "
            "with the revised problem"
        )
