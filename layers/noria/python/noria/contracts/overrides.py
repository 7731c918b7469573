"""What an execution's input may change in a deployed contract, and how it is merged."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from noria.contracts.sources import SOURCES, BaseSource
from noria.errors import ContractError

if TYPE_CHECKING:
    from noria.contracts.problem import Problem

#: Of each kind its own fields, but for its limits.
FIXED_SOURCE_FIELDS = tuple(
    dict.fromkeys(
        field
        for kind in SOURCES
        for field in kind.model_fields
        if field not in BaseSource.model_fields and field not in kind.limits
    )
)


def refuse_protected(deployed: "Problem", changed: "Problem") -> None:
    """Refuse what decides where data come from and who may call; ContractError that names it."""
    if changed.name != deployed.name:
        raise ContractError(
            f"input.problem.name '{changed.name}' differs from the deployed '{deployed.name}'; "
            "deploy a contract of its own for another problem"
        )
    if changed.deployment != deployed.deployment:
        raise ContractError(
            "input.problem.deployment cannot be changed by an execution; change the contract "
            "and deploy it"
        )
    if changed.mlflow != deployed.mlflow:
        raise ContractError(
            "input.problem.mlflow cannot be changed by an execution, as it decides where data and "
            "a secret are sent; change the contract and deploy it"
        )
    for field in ("retention", "refresh"):
        if getattr(changed.features, field) != getattr(deployed.features, field):
            raise ContractError(
                f"input.problem.features.{field} cannot be changed by an execution, as it is the "
                "stack's; change the contract and deploy it"
            )
    if changed.features.windows and not deployed.features.windows:
        raise ContractError(
            "input.problem.features.windows needs a stack that was deployed with windows, for it "
            "has the table that they are looked up in; change the contract and deploy it"
        )
    before = {source.name: source for source in deployed.sources}
    for source in changed.sources:
        known = before.get(source.name)
        fixed = [
            f for f in FIXED_SOURCE_FIELDS if getattr(source, f, None) != getattr(known, f, None)
        ]
        if fixed:
            raise ContractError(
                f"input.problem.sources '{source.name}' changes {', '.join(fixed)}, which only a "
                "deployed contract may set; change the contract and deploy it"
            )


def deep_merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a document over another: mappings merge, lists and scalars replace."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = deep_merged(merged[key], value) if both else value
    return merged
