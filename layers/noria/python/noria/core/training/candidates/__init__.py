"""The models that compete: a module each, of the name that the contract lists it by."""

from importlib import import_module

from noria.contracts.model_search import CANDIDATES as NAMES
from noria.core.training.candidates.base import Candidate

CANDIDATES: dict[str, Candidate] = {
    name: import_module(f"{__name__}.{name}").CANDIDATE for name in NAMES
}  # fmt: skip
"""Every candidate in the contract's order."""
