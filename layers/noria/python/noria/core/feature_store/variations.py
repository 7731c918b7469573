"""Which feature set a run's rows go into: a variation that makes other rows has one of its own."""

import hashlib
import json

from noria.contracts import Problem
from noria.core.feature_store.feature_set import DEFAULT_SET

VARIATION = "variation_"
# What stored rows, and what windows make of them, follow from.
SECTIONS = {
    "sources", "target", "task", "positive_class", "entity_key", "event_time", "quality",
}  # fmt: skip
# Of quality: what says whether a run goes on, or is told to people only.
NO_ROWS = {"minimum_rows", "maximum_quarantined", "on_violation", "schema_drift", "outliers",
           "outlier_values"}  # fmt: skip


def feature_set_of(problem: Problem, deployed: Problem) -> str:
    """The deployed contract's feature set, or a name that follows from what makes rows differ.

    Rows of another target, or by other rules, would be corrections of the deployed contract's rows:
    the history that its model looks up would change under it.
    """
    own = variation_of(problem)
    return DEFAULT_SET if own == variation_of(deployed) else own


def variation_of(problem: Problem) -> str:
    """The name of a feature set that holds the rows of this contract, and of no other."""
    return VARIATION + hashlib.sha256(_basis(problem)).hexdigest()[:10]


def _basis(problem: Problem) -> bytes:
    facts = problem.model_dump(
        mode="json", by_alias=True, include=SECTIONS, exclude={"quality": NO_ROWS}
    )
    facts |= problem.features.model_dump(
        mode="json", by_alias=True, include={"exclude", "windows"}
    )  # fmt: skip
    delay = problem.feature_delay.total_seconds()
    return json.dumps([facts, delay], sort_keys=True).encode()
