"""Recipe `selection`: of all features so far only those that help (`feature_selection`)."""

from noria.contracts import Problem
from noria.core.features.recipes.base import HISTORY, Kinds, Recipe


def _applies(kinds: Kinds, problem: Problem) -> bool:
    columns = [kind for kind in kinds.values() if kind != HISTORY]
    return len(columns) >= problem.features.selection_columns


RECIPE = Recipe(
    description="only the features more informative than shuffled ones",
    applies=_applies,
    selects=True,
)
