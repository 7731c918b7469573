"""Recipe `windows`: the columns of the entity's history, which the other recipes do not see."""

from noria.core.features.recipes.base import HISTORY, Recipe

RECIPE = Recipe(
    description="time-window aggregations of the entity, from the feature store",
    applies=lambda kinds, problem: HISTORY in kinds.values(),
    uses=HISTORY,
)
