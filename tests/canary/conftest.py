"""One local cloud with two stacks, of which one deploys by a canary and the other by a shadow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from infra.app import synthesize
from infra.local import LocalCloud
from infra.packaging.assets import build_runtime
from tests.e2e.stack import Stack
from tests.support.data_sets import cancer

CONTRACTS = sorted(Path(__file__).parent.glob("*.yaml"))
BETWEEN = 4.0  # real seconds from one look to the next, for traffic


@pytest.fixture(scope="package")
def clouds() -> Iterator[dict[str, Stack]]:
    """Both stacks, with a champion that learnt from labels of which a third are wrong.

    It reads all columns, as its challengers do, and each of them beats it.
    """
    assembly = synthesize(None, CONTRACTS)
    frame = cancer()["biopsies"]
    wrong = np.random.default_rng(1).random(len(frame)) < 0.3
    mislabelled = frame.assign(malignant=frame["malignant"] ^ wrong)
    with LocalCloud(runtime=build_runtime(), wait_cap=BETWEEN) as cloud:
        made = {one.stem: Stack(cloud, cloud.deploy(assembly, one.stem)) for one in CONTRACTS}
        for stack in made.values():
            stack.drop("biopsies", mislabelled.to_csv(index=False).encode())
            waiting = stack.run()
            assert waiting.ending == "AwaitApproval", waiting.reasons
            stack.answer(waiting, decision="approve")
            ended = stack.follow(waiting.arn)
            assert ended.ending == "Promote", ended.reasons
            stack.drop("biopsies", frame.to_csv(index=False).encode())
        yield made


@pytest.fixture
def biopsies(clouds: dict[str, Stack]) -> Stack:
    """A share of 0.3 goes to a challenger."""
    return clouds["canary-biopsies"]


@pytest.fixture
def shadowed(clouds: dict[str, Stack]) -> Stack:
    """A challenger gets copies alone."""
    return clouds["canary-shadow"]
