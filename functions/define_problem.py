"""DefineProblem and ReviseProblem: the run's contract, validated and written down."""

from typing import Any

from noria.contracts import Problem
from noria.core.feature_store.variations import feature_set_of
from noria.errors import ContractError
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged
from noria.materialization.refresh_contract import RunContract, contract_to_refresh

#: What a run that is asked anew has made of the contract that is revised.
OF_A_TURN = (
    "features", "search", "judge", "train", "score", "evaluate", "refit", "final", "not_fitted",
    "approval",
)  # fmt: skip


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write the run's contract and hand on what the state machine itself must know of it.

    DefineProblem merges the execution's changes over the deployed contract, ReviseProblem a
    person's answer over the contract that the run had; ContractError where that is none. Of a
    revised run it hands on the whole state, without what earlier turns made of the old contract.
    """
    stage = Stage.open(event)
    deployed = Problem.model_validate_json(stage.environment.problem)
    problem, feature_set, notes = (
        _revised(stage, deployed) if stage.event.state == "ReviseProblem"
        else _defined(stage, deployed)
    )  # fmt: skip
    stage.store.put_json(stage.run.key("problem.json"), problem.to_document())
    defined = {
        "uri": stage.store.uri(stage.run.key("problem.json")),
        "name": problem.name,
        "task": problem.task,
        "approval": problem.deployment.approval,
        "sources": [source.name for source in problem.sources],
        "feature_set": feature_set,
        "notes": list(notes),
    }
    return _next_turn(stage, defined) if stage.event.state == "ReviseProblem" else defined


def _next_turn(stage: Stage, defined: dict[str, Any]) -> dict[str, Any]:
    """The state after a revision; iterations are counted on, so that no file is written over."""
    kept = {name: value for name, value in stage.event.input.items() if name not in OF_A_TURN}
    if stage.iteration:
        kept["features"] = {"iteration": stage.iteration, "before": stage.iteration}
    return kept | {"problem": defined}


def _defined(stage: Stage, deployed: Problem) -> RunContract:
    changes = stage.event.input.get("input", {}).get("problem", {})
    if stage.event.features_only and not changes:
        return contract_to_refresh(stage, deployed)
    problem = deployed.merged(changes)
    return RunContract(problem, feature_set_of(problem, deployed))


def _revised(stage: Stage, deployed: Problem) -> RunContract:
    """The revision is validated before the run goes on: a wrong one is asked for again."""
    answer = stage.event.result("answer")
    if "problem" not in answer:
        raise ContractError(
            'the answer says revise and has no problem: send {"decision": "revise", "problem": '
            "{...}} with the fields that change, {} where only the data changed"
        )
    problem = stage.problem.merged(answer["problem"])
    stage.retake_lease()
    return RunContract(problem, feature_set_of(problem, deployed))
