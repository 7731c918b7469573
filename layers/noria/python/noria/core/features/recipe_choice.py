"""Which recipe comes next, and on which columns, from what evaluation found weak."""

from collections.abc import Sequence

from noria.core.evaluation.error_findings import Findings
from noria.core.features.recipes import RECIPES
from noria.core.features.recipes.base import Kinds


def choose_next(open_recipes: Sequence[str], kinds: Kinds, findings: Findings) -> tuple[str, str]:
    """Return one of the open recipes (in the ladder's order) and why it is the one.

    First the recipe that can mend the strongest weakness; else the first that makes use of a
    column that the model does not use; else the next of the ladder.
    """
    for weakness in findings.weaknesses:
        if weakness.recipe in open_recipes:
            return weakness.recipe, weakness.sentence
    for recipe in open_recipes:
        columns = [name for name in findings.unused if kinds.get(name) == RECIPES[recipe].uses]
        if columns:
            return recipe, f"the model makes next to no use of {_listed(columns)}"
    if findings.unused and "selection" in open_recipes and _mostly(findings, kinds):
        told = f"the model makes next to no use of {len(findings.unused)} of {len(kinds)} columns"
        return "selection", told
    return open_recipes[0], "no column stands out in the errors"


def _mostly(findings: Findings, kinds: Kinds) -> bool:
    return 2 * len(findings.unused) > len(kinds)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in names[:3]) + more
