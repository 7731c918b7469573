"""Recipe `text`: counts of the words and word pairs of free text."""

from collections.abc import Sequence

from noria.contracts import Problem
from noria.core.features.encoders import FeatureStep
from noria.core.features.recipes.base import HISTORY, Iteration, Kinds, Needs, Parts, Recipe, alone
from noria.core.features.text_encoders import HashedWords


def _applies(kinds: Kinds, problem: Problem) -> bool:
    """A table of nothing but texts has their words in `basic` already."""
    found = {*kinds.values()} - {HISTORY}
    return "text" in found and found != {"text"}


def _parts(iteration: Iteration) -> Parts:
    return {"texts": alone(iteration.dataset.names("text"))}


def _steps(parts: Parts, needs: Needs) -> Sequence[FeatureStep]:
    return [HashedWords(name, needs.limits) for (name,) in parts["texts"]]


RECIPE = Recipe(
    description="counts of the words and word pairs most informative about the target, hashed",
    applies=_applies,
    parts=_parts,
    steps=_steps,
    uses="text",
)
