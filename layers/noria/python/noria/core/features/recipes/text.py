"""Recipe `text`: counts of the words and word pairs of free text."""

from collections.abc import Sequence

from noria.contracts import Problem
from noria.core.features.encoders import Step
from noria.core.features.recipes.base import HISTORY, Kinds, Needs, Parts, Recipe, Turn, alone
from noria.core.features.text_encoders import Words


def _applies(kinds: Kinds, problem: Problem) -> bool:
    """A table of nothing but texts has their words in `basic` already."""
    found = {*kinds.values()} - {HISTORY}
    return "text" in found and found != {"text"}


def _parts(turn: Turn) -> Parts:
    return {"texts": alone(turn.dataset.names("text"))}


def _steps(parts: Parts, needs: Needs) -> Sequence[Step]:
    return [Words(name, needs.limits) for (name,) in parts["texts"]]


RECIPE = Recipe(
    description="counts of the words and word pairs most informative about the target, hashed",
    applies=_applies,
    parts=_parts,
    steps=_steps,
    uses="text",
)
