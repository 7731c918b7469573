"""What a run recorded about itself that a model card tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from noria.contracts import Problem

Document = Mapping[str, Any]


@dataclass(frozen=True)
class RunEvidence:
    """The contract, and documents as the run and the registry stored them; each may be empty.

    `origin` is the version's `lineage.json`, `collected` and `plan` are the run's documents of
    those names, `promotions` are the registry's, the latest last. `champion` is the version that
    this one was compared with, `cause` what started the run. `judged_models` is how many models
    this run's holdout has judged, this one included.
    """

    problem: Problem
    analysis: Document = field(default_factory=dict)
    verdicts: Sequence[Document] = ()
    collected: Document = field(default_factory=dict)
    origin: Document = field(default_factory=dict)
    plan: Document = field(default_factory=dict)
    promotions: Sequence[Document] = ()
    champion: str | None = None
    cause: Document = field(default_factory=dict)
    judged_models: int = 1

    def of(self, state: str) -> Document:
        """The evidence of a state's last verdict, empty where there is none."""
        found = [one for one in self.verdicts if one.get("state") == state]
        return (found[-1].get("evidence") or {}) if found else {}
