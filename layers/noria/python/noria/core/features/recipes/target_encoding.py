"""Recipe `target_encoding`: the smoothed mean of the target per category."""

from collections.abc import Sequence

from noria.core.features.encoders import Step, TargetMeans
from noria.core.features.recipes.base import Needs, Parts, Recipe, Turn, alone, distinct


def _parts(turn: Turn) -> Parts:
    """Take those of the turn before and those found weak; all categories where none is."""
    weak = [one.columns[:1] for one in turn.findings.for_recipe("target_encoding")]
    chosen = [*turn.before.get("target_means", ()), *weak]
    return {"target_means": distinct(chosen or alone(turn.dataset.names("category")))}


def _steps(parts: Parts, needs: Needs) -> Sequence[Step]:
    smoothing = needs.limits.smoothing_rows
    return [TargetMeans(c, needs.classes, smoothing) for (c,) in parts.get("target_means", ())]


RECIPE = Recipe(
    description="the smoothed mean of the target per category, fitted in folds",
    applies=lambda kinds, problem: "category" in kinds.values(),
    parts=_parts,
    steps=_steps,
    uses="category",
)
