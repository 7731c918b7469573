"""The templates that the tests look at, synthesized once per run (and not at all when cached)."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from infra.app import synthesize
from tests.infra.template import Template

CONTRACTS = Path(__file__).parent / "contracts"
Synthesized = Callable[[str, str], Template]


@pytest.fixture(scope="session")
def synthesized() -> Synthesized:
    """A contract's template for a platform: ``synthesized("penguins", "host")``."""

    @cache
    def assembly(platform: str) -> Path:
        contracts: Sequence[Path] = sorted(CONTRACTS.glob("*.yaml"))
        return synthesize(None, contracts, platform)

    return lambda name, platform: Template.read(assembly(platform), name)


@pytest.fixture(scope="session")
def penguins(synthesized: Synthesized) -> Template:
    """The smallest contract there is, as it would be deployed."""
    return synthesized("penguins", "lambda")


@pytest.fixture(scope="session")
def house_prices(synthesized: Synthesized) -> Template:
    """A contract with a secret, JWT, approval and triggers of its own."""
    return synthesized("house-prices", "lambda")
