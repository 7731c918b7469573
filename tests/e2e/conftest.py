"""One synth, one local cloud and six stacks for all end-to-end tests: all are slow to make."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.app import synthesize
from infra.local import LocalCloud
from infra.packaging.assets import build_runtime
from tests.e2e.stack import Stack
from tests.support.data_sets import SETS

CONTRACTS = sorted((Path(__file__).parent / "contracts").glob("*.yaml"))


@pytest.fixture(scope="package")
def stacks() -> Iterator[dict[str, Stack]]:
    """The six stacks, deployed from their synthesized templates, with their data dropped in."""
    assembly = synthesize(None, CONTRACTS)
    with LocalCloud(runtime=build_runtime(), wait_cap=0.05) as cloud:
        made = {}
        for contract in CONTRACTS:
            name = contract.stem
            made[name.removeprefix("e2e-")] = Stack(cloud, cloud.deploy(assembly, name))
        for name, stack in made.items():
            for source, frame in SETS[name]().items():
                stack.drop(source, frame.to_csv(index=False).encode())
        yield made


@pytest.fixture
def wine(stacks: dict[str, Stack]) -> Stack:
    """Multiclass: cultivars of wine, with a canary."""
    return stacks["wine"]


@pytest.fixture
def vintages(stacks: dict[str, Stack]) -> Stack:
    """Multiclass: a use for each recipe, and more trials than an inline Map takes."""
    return stacks["vintages"]


@pytest.fixture
def cancer(stacks: dict[str, Stack]) -> Stack:
    """Binary: malignant tumours, two joined sources, a person approves."""
    return stacks["cancer"]


@pytest.fixture
def diabetes(stacks: dict[str, Stack]) -> Stack:
    """Regression: progression of diabetes, retrained on drift."""
    return stacks["diabetes"]


@pytest.fixture
def airplanes(stacks: dict[str, Stack]) -> Stack:
    """Binary: late flights, told by what their airplanes did before."""
    return stacks["airplanes"]
