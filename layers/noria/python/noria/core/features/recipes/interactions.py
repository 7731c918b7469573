"""Recipe `interactions`: ratios and products of numbers, and squares where columns are few."""

from collections.abc import Collection, Sequence

import numpy as np

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset
from noria.core.evaluation.error_findings import Findings
from noria.core.features.encoders import FeatureStep, Products, Ratios
from noria.core.features.recipes.base import (
    Groups,
    Iteration,
    Needs,
    Parts,
    Recipe,
    alone,
    distinct,
    pairs,
)

MOST_PAIRS = 6
SAMPLE_ROWS = 20_000
STRONGEST = 4
FEW_COLUMNS = 10


def _parts(iteration: Iteration) -> Parts:
    """Take those of the last iteration and those found weak, then the strongest numbers' pairs."""
    free = [one for one in strongest_numbers(iteration.dataset) if one not in iteration.alone]
    strongest = free[:STRONGEST]
    weak = _without(iteration.alone, weak_pairs(iteration.findings))[:MOST_PAIRS]
    kept = distinct([*iteration.before.get("pairs", ()), *weak])
    few = len(iteration.dataset.columns) <= FEW_COLUMNS
    ranges = _without(iteration.alone, weak_ranges(iteration.findings))
    squares = [*iteration.before.get("squares", ()), *ranges]
    return {
        "pairs": distinct([*kept, *pairs(strongest)])[: max(len(kept), MOST_PAIRS)],
        "squares": distinct([*squares, *(alone(strongest) if few else ())]),
    }


def _without(names: Collection[str], groups: Groups) -> Groups:
    """The groups that have none of these columns in them."""
    return tuple(group for group in groups if not set(group) & set(names))


def weak_pairs(findings: Findings) -> Groups:
    """List the pairs whose ratio or product still explains of the errors, strongest first."""
    found = [one.columns for one in findings.for_recipe("interactions")]
    return distinct([one for one in found if len(one) == 2])


def weak_ranges(findings: Findings) -> Groups:
    """List the numbers whose size still explains of the errors, strongest first."""
    return tuple(one.columns[:1] for one in findings.weaknesses if one.aspect == "range")


def strongest_numbers(dataset: Dataset) -> list[str]:
    """Rank number columns by the absolute correlation of their ranks with the target's."""
    rows = np.flatnonzero(~dataset.holdout)[-SAMPLE_ROWS:]
    target = _ranks(dataset.target[rows].astype(np.float64))
    strength = {
        name: _correlation(dataset.data[name][rows], target) for name in dataset.names("number")
    }
    return sorted(strength, key=lambda name: (-strength[name], name))


def _correlation(values: Array, target: Array) -> float:
    known = ~np.isnan(values)
    ranks, other = _ranks(values[known]), target[known]
    if len(ranks) < 3 or ranks.std() == 0 or other.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(ranks, other)[0, 1]))


def _ranks(values: Array) -> Array:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.float64)


def _steps(parts: Parts, needs: Needs) -> Sequence[FeatureStep]:
    paired = [(one, other) for one, other in parts.get("pairs", ())]
    products = [*paired, *((name, name) for (name,) in parts.get("squares", ()))]
    steps: list[FeatureStep] = [Ratios(paired)] if paired else []
    return [*steps, Products(products)] if products else steps


RECIPE = Recipe(
    description="ratios and products of the numbers most informative about the target, and "
    "squares where there are few columns",
    applies=lambda kinds, problem: "number" in kinds.values(),
    parts=_parts,
    steps=_steps,
    display_formats={"pairs": "{0} / {1}, {0} * {1}"},
)
