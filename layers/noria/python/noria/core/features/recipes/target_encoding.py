"""Recipe `target_encoding`: the smoothed mean of the target per category."""

from collections.abc import Sequence

from noria.core.features.encoders import FeatureStep, TargetMeans
from noria.core.features.recipes.base import Iteration, Needs, Parts, Recipe, alone, distinct


def _parts(iteration: Iteration) -> Parts:
    """Take those of the iteration before and those found weak; all categories where none is."""
    weak = [one.columns[:1] for one in iteration.findings.for_recipe("target_encoding")]
    chosen = [*iteration.before.get("target_means", ()), *weak]
    return {"target_means": distinct(chosen or alone(iteration.dataset.names("category")))}


def _steps(parts: Parts, needs: Needs) -> Sequence[FeatureStep]:
    smoothing = needs.limits.smoothing_rows
    return [TargetMeans(c, needs.classes, smoothing) for (c,) in parts.get("target_means", ())]


RECIPE = Recipe(
    description="the smoothed mean of the target per category, fitted in folds",
    applies=lambda kinds, problem: "category" in kinds.values(),
    parts=_parts,
    steps=_steps,
    uses="category",
)
