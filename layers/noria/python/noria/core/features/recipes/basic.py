"""Recipe `basic`: numbers as they are, categories encoded as the estimator needs them."""

from collections.abc import Sequence

from noria.core.features.encoders import Numbers, OneHot, Ordinal, Step
from noria.core.features.recipes.base import Needs, Parts, Recipe, Turn, alone


def _parts(turn: Turn) -> Parts:
    """Numbers and categories; where there are none, times as they elapse, or texts."""
    names = turn.dataset.names
    numbers, categories, times = names("number"), names("category"), names("timestamp")
    bare = not numbers and not categories
    return {
        "numbers": alone(numbers),
        "categories": alone(categories),
        "elapsed": alone(times) if bare else (),
        "texts": alone(names("text")) if bare and not times else (),
    }


def _steps(parts: Parts, needs: Needs) -> Sequence[Step]:
    numbers = [name for (name,) in parts["numbers"]]
    steps: list[Step] = [Numbers(numbers)] if numbers else []
    for (name,) in parts["categories"]:
        steps.append(OneHot(name, needs.limits.one_hot_values) if needs.linear else Ordinal(name))
    return steps


RECIPE = Recipe(
    description="numbers as they are, categories encoded",
    applies=lambda kinds, problem: True,
    parts=_parts,
    steps=_steps,
)
