"""What a contract says of deployment: the canary, how patient it is, and whether it is a shadow."""

from datetime import timedelta
from typing import Any

import pytest

from noria.contracts import Canary, Problem
from noria.errors import ContractError
from tests.noria.contracts.test_problem import document, small

__all__ = ["document", "small"]


def test_a_canary_waits_for_a_hundred_requests_and_not_for_ever(small: Problem) -> None:
    canary = small.deployment.canary
    assert canary is not None
    assert canary.minimum_requests == 100
    assert canary.patience == timedelta(hours=1)
    assert small.deployment.shadow is False


def test_its_own_time_is_never_cut_by_its_patience() -> None:
    assert Canary(minutes=10).longest == timedelta(hours=1)
    assert Canary(minutes=120).longest == timedelta(hours=2)


def test_a_shadow_without_a_canary_is_refused(document: dict[str, Any]) -> None:
    document["deployment"] = {"shadow": True, "canary": None}
    with pytest.raises(ContractError, match="deployment: shadow: true needs a canary, whose"):
        Problem.parse(document)


def test_a_shadow_is_as_long_as_the_canary_says(document: dict[str, Any]) -> None:
    document["deployment"] = {"shadow": True, "canary": {"minutes": 5, "patience": "2h"}}
    deployment = Problem.parse(document).deployment
    assert deployment.shadow
    assert deployment.canary == Canary(minutes=5, patience=timedelta(hours=2))


def test_a_patience_without_unit_is_refused(document: dict[str, Any]) -> None:
    document["deployment"] = {"canary": {"patience": 60}}
    with pytest.raises(
        ContractError, match=r"deployment\.canary\.patience: a duration is a number"
    ):
        Problem.parse(document)
