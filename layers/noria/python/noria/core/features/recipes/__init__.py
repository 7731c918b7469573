"""The feature recipes: a module each, with the name that `noria.contracts.features` lists."""

from importlib import import_module

from noria.contracts.features import RECIPES as NAMES
from noria.core.features.recipes.base import Recipe

RECIPES: dict[str, Recipe] = {
    name: import_module(f"{__name__}.{name}").RECIPE for name in NAMES
}  # fmt: skip
"""Every recipe in the ladder's order."""
