"""Recipe `basic`: numbers as they are, categories encoded as the estimator needs them."""

from collections.abc import Sequence

from noria.core.features.double_encoders import Ranked, Standardized
from noria.core.features.encoders import FeatureStep, Numbers, OneHot, Ordinal
from noria.core.features.recipes.base import Iteration, Needs, Parts, Recipe, alone


def _parts(iteration: Iteration) -> Parts:
    """Numbers and categories; where there are none, times as they elapse, or texts."""
    names = iteration.dataset.names
    numbers, categories, times = names("number"), names("category"), names("timestamp")
    doubles = [one.name for one in iteration.dataset.columns if one.double]
    bare = not numbers and not categories
    return {
        "numbers": alone([name for name in numbers if name not in doubles]),
        "doubles": alone(doubles),
        "categories": alone(categories),
        "elapsed": alone(times) if bare else (),
        "texts": alone(names("text")) if bare and not times else (),
    }


def _steps(parts: Parts, needs: Needs) -> Sequence[FeatureStep]:
    numbers = [name for (name,) in parts["numbers"]]
    steps: list[FeatureStep] = [Numbers(numbers)] if numbers else []
    for (name,) in parts.get("doubles", ()):
        steps.append(Standardized(name) if needs.linear else Ranked(name))
    for (name,) in parts["categories"]:
        steps.append(OneHot(name, needs.limits.one_hot_values) if needs.linear else Ordinal(name))
    return steps


RECIPE = Recipe(
    description="numbers as they are, categories encoded",
    applies=lambda kinds, problem: True,
    parts=_parts,
    steps=_steps,
    display_formats={"doubles": "{0} in double precision"},
)
