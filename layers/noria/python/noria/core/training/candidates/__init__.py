"""The models that compete: a module each, with the name that `noria.contracts.objective` lists."""

from importlib import import_module

from noria.contracts.objective import CANDIDATES as NAMES
from noria.core.training.candidates.base import Candidate

CANDIDATES: dict[str, Candidate] = {
    name: import_module(f"{__name__}.{name}").CANDIDATE for name in NAMES
}  # fmt: skip
"""Every candidate in the contract's order."""
