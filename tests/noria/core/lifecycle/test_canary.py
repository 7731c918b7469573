"""Whether a canary may take over."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.lifecycle.canary import error_rate, judge_canary


@dataclass(frozen=True)
class Seen:
    """A version's traffic; duration is the 95th percentile in ms."""

    invocations: float = 100
    errors: float = 0
    duration: float | None = 20
    version: str = "1"


OLD = Seen(invocations=1000, errors=10)


@pytest.mark.parametrize(
    ("new", "decision", "told"),
    [
        (Seen(), "healthy", "answered 100 requests with 0 errors"),
        (Seen(errors=2), "healthy", "with 2 errors"),  # one percent more than before
        (Seen(errors=3), "unhealthy", "3.0% of the canary's answers failed, 1.0% before"),
        (Seen(errors=100), "unhealthy", "100.0%"),
        (Seen(duration=40), "healthy", "answered"),
        (Seen(duration=41), "unhealthy", "95th percentile is 41 ms, 20 ms before"),
        (Seen(invocations=0, duration=None), "healthy", "answered 0 requests"),
    ],
)
def test_errors_and_latency_decide(new: Seen, decision: str, told: str) -> None:
    verdict = judge_canary(new, OLD)
    assert verdict.decision == decision
    assert told in verdict.reasons[0]


def test_both_complaints_are_told_with_the_numbers() -> None:
    verdict = judge_canary(Seen(errors=50, duration=500, version="8"), OLD)
    assert len(verdict.reasons) == 2
    assert verdict.evidence["new"] == {
        "version": "8", "invocations": 100, "errors": 50, "duration_p95_ms": 500,
    }  # fmt: skip
    assert verdict.evidence["old"]["invocations"] == 1000


def test_an_old_version_without_traffic_is_no_excuse_for_errors() -> None:
    silent = Seen(invocations=0, duration=None)
    assert error_rate(silent) == 0
    assert judge_canary(Seen(errors=2), silent).decision == "unhealthy"
    assert judge_canary(Seen(duration=9999), silent).decision == "healthy"


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_more_errors_never_heal(invocations: int, one: float, other: float) -> None:
    fewer, more = (
        judge_canary(Seen(invocations=invocations, errors=invocations * share), OLD).decision
        for share in sorted((one, other))
    )
    assert (fewer, more) != ("unhealthy", "healthy")
