"""The contract that a refresh of the feature store follows: that of the model which serves."""

from typing import NamedTuple

from noria.context import Stage
from noria.contracts import Problem
from noria.core.feature_sets import DEFAULT_SET
from noria.core.feature_variations import variation_of
from noria.errors import ContractError


class RunContract(NamedTuple):
    """A run's contract, and the feature set that its rows go into."""

    problem: Problem
    feature_set: str


def served_variation(stage: Stage, deployed: Problem) -> RunContract | None:
    """The variation whose model serves, where it looks history up in a set of its own.

    None where the deployed contract's set serves, or the deployed contract no longer allows the
    variation: its rows cannot be made then.
    """
    champion = stage.registry.champion()
    if champion is None:
        return None
    signature = stage.registry.json_file(champion.version, "signature.json")
    name = (signature.get("history") or {}).get("feature_set", DEFAULT_SET)
    changes = stage.store.get_json(f"runs/{champion.run_id}/problem.json", None)
    if name == DEFAULT_SET or changes is None:
        return None
    try:
        problem = deployed.merged(changes)
    except ContractError:
        return None
    return RunContract(problem, name) if variation_of(problem) == name else None
