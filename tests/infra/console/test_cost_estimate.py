"""What a run costs, against sums by hand."""

import pytest

from infra.console.cost_estimate import RunCost, cost_of
from tests.infra.console.histories import ARN, History

MEMORY = {f"{ARN}small": 512, f"{ARN}large": 2048}


def test_transitions_and_gigabyte_seconds_are_added_up() -> None:
    """Two tasks and a choice: three transitions; 4 s of half a GB and 3 s of 2 GB are 8 GB-s."""
    history = History().event("ExecutionStarted").task("One", "small", 4.0)
    history.entered("Choice", "Which").exited("Choice", "Which").task("Two", "large", 3.0)
    cost = cost_of(history.events, MEMORY.__getitem__)
    assert (cost.transitions, cost.invocations) == (3, 2)
    assert cost.gigabyte_seconds == pytest.approx(8.0)
    expected = 3 * 0.000025 + 2 * 0.0000002 + 8 * 0.0000133334
    assert cost.dollars == pytest.approx(expected)
    assert cost.told == f"${expected:.4f}"


def test_a_further_try_is_a_further_transition_and_is_paid() -> None:
    history = History().entered("Task", "One").invoked("small", 2.0, "Busy").invoked("small", 2.0)
    cost = cost_of(history.exited("Task", "One").events, MEMORY.__getitem__)
    assert (cost.transitions, cost.invocations) == (2, 2)
    assert cost.gigabyte_seconds == pytest.approx(2.0)


def test_nothing_that_ran_costs_nothing_to_tell() -> None:
    assert cost_of([], MEMORY.__getitem__) == RunCost()
    assert RunCost().told == ""
    assert RunCost(transitions=1_000_000).told == "$25.00"
