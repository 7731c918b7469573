"""The contract that a refresh of the feature store follows: that of the model which serves."""

from typing import NamedTuple

from noria.contracts import Problem
from noria.contracts.overrides import refuse_protected
from noria.core.feature_store.feature_set import DEFAULT_SET
from noria.errors import ContractError
from noria.lifecycle.stage import Stage


class RunContract(NamedTuple):
    """A run's contract, the feature set that its rows go into, and what is to be said of it."""

    problem: Problem
    feature_set: str
    notes: tuple[str, ...] = ()


def contract_to_refresh(stage: Stage, deployed: Problem) -> RunContract:
    """The deployed contract, or the variation whose model serves, with a feature set of its own.

    A variation is followed as it was run, while the deployed contract would let it run; else the
    notes say that the history which is served grows old.
    """
    champion = stage.registry.champion()
    usual = RunContract(deployed, DEFAULT_SET)
    if champion is None:
        return usual
    signature = stage.registry.json_file(champion.version, "signature.json")
    name = (signature.get("history") or {}).get("feature_set", DEFAULT_SET)
    if name == DEFAULT_SET:
        return usual
    try:
        served = Problem.parse(stage.store.get_json(f"runs/{champion.run_id}/problem.json", None))
        problem = Problem.parse(_with_settings_of(deployed, served).to_document())
        refuse_protected(deployed, problem)
    except ContractError as error:
        return usual._replace(notes=(
            f"model {champion.version} serves by feature set '{name}', which can no longer be "
            f"refreshed ({error}): start a run, so that a model of the deployed contract serves",
        ))  # fmt: skip
    return RunContract(problem, name)


def _with_settings_of(deployed: Problem, served: Problem) -> Problem:
    """A variation with what is the stack's: how it is deployed, and what becomes of its rows."""
    settings = {name: getattr(deployed.features, name) for name in ("retention", "refresh")}
    features = served.features.model_copy(update=settings)
    return served.model_copy(update={"deployment": deployed.deployment, "features": features})
