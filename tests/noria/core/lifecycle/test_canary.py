"""Whether a canary may take over, must go, or is to be looked at again."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.lifecycle.canary import CanaryWindow, first_pause, judge_canary, next_pause


@dataclass(frozen=True)
class Seen:
    """A version's traffic; latency is the 95th percentile in ms."""

    requests: int = 100
    failed: int = 0
    refused: int = 0
    latency: float | None = 20
    version: str = "1"


OLD = Seen(requests=1000, failed=10, refused=20)
OVER = CanaryWindow(waited=600, lasts=600, longest=3600, enough=100)
BEGUN = CanaryWindow(waited=60, lasts=600, longest=3600, enough=100)
IMPATIENT = CanaryWindow(waited=3600, lasts=600, longest=3600, enough=100)


@pytest.mark.parametrize(
    ("new", "decision", "told"),
    [
        (Seen(), "healthy", "answered 100 requests: 0 failed"),
        (Seen(failed=2), "healthy", "2 failed"),  # one percent more than before
        (Seen(failed=3), "unhealthy", "3.0% of the canary's 100 answers failed, 1.0% of version 1"),
        (Seen(failed=100), "unhealthy", "100.0%"),
        (Seen(refused=7), "healthy", "7 were refused"),
        (Seen(refused=8), "unhealthy", "8.0% of the canary's 100 answers were refused"),
        (Seen(latency=119), "healthy", "119 ms (20 ms is version 1's)"),  # nobody notices
        (Seen(latency=121), "unhealthy", "95th percentile is 121 ms, 20 ms is version 1's"),
        (Seen(latency=None), "healthy", "answered"),
    ],
)
def test_failures_refusals_and_latency_decide_at_the_end(
    new: Seen, decision: str, told: str
) -> None:
    verdict = judge_canary(new, OLD, OVER)
    assert verdict.decision == decision
    assert told in verdict.reasons[0]


@pytest.mark.parametrize(
    ("new", "decision"),
    [
        (Seen(requests=0, latency=None), "observing"),
        (Seen(requests=500), "observing"),  # enough came, but its time is not over
        (Seen(requests=20, failed=20), "unhealthy"),
        (Seen(requests=1, failed=1), "unhealthy"),
        (Seen(requests=60, failed=1), "observing"),  # chance would explain it
        (Seen(requests=60, failed=5), "unhealthy"),
        (Seen(requests=60, refused=6), "observing"),
        (Seen(requests=60, refused=30), "unhealthy"),
        (Seen(requests=20, latency=500), "unhealthy"),
        (Seen(requests=19, latency=500), "observing"),  # one slow answer would be all of it
    ],
)
def test_a_canary_ends_at_once_where_chance_does_not_explain_it(new: Seen, decision: str) -> None:
    assert judge_canary(new, OLD, BEGUN).decision == decision


def test_the_slow_version_it_replaces_is_no_measure_below_what_is_noticed() -> None:
    old = Seen(latency=300)
    assert judge_canary(Seen(latency=590), old, OVER).decision == "healthy"
    assert judge_canary(Seen(latency=610), old, OVER).decision == "unhealthy"


def test_too_few_requests_are_waited_for_and_then_it_is_said() -> None:
    """GIVEN no traffic THEN nothing is called healthy before patience ends, and then it is said."""
    few = Seen(requests=12)
    waiting = judge_canary(few, OLD, OVER)
    assert waiting.decision == "observing"
    assert "12 of 100 requests came" in waiting.reasons[0]
    ended = judge_canary(few, OLD, IMPATIENT)
    assert ended.decision == "healthy"
    assert "judged by the replay alone: only 12 requests of 100 came in 60" in ended.reasons[0]
    assert judge_canary(Seen(requests=12, failed=1), OLD, IMPATIENT).decision == "unhealthy"
    assert "replay alone" not in judge_canary(Seen(), OLD, IMPATIENT).reasons[0]


def test_what_else_is_known_ends_it_too() -> None:
    verdict = judge_canary(Seen(failed=50, version="8"), OLD, BEGUN, ("all answers are 0.5",))
    assert verdict.decision == "unhealthy"
    assert verdict.reasons[1] == "all answers are 0.5"
    assert verdict.evidence["new"] == {
        "version": "8", "requests": 100, "failed": 50, "refused": 0, "latency_p95_ms": 20,
    }  # fmt: skip
    assert verdict.evidence["old"]["requests"] == 1000


@given(st.integers(1, 10**4), st.floats(0, 1), st.floats(0, 1), st.sampled_from([BEGUN, OVER]))
def test_more_failures_never_heal(
    requests: int, one: float, other: float, window: CanaryWindow
) -> None:
    fewer, more = (
        judge_canary(Seen(requests=requests, failed=int(requests * share)), OLD, window).decision
        for share in sorted((one, other))
    )
    assert (fewer, more) not in {("unhealthy", "healthy"), ("unhealthy", "observing")}


@given(st.integers(0, 10**4), st.floats(0, 1440), st.floats(0, 1440), st.integers(0, 1000))
def test_a_canary_ends(requests: int, minutes: float, patience: float, enough: int) -> None:
    """GIVEN any contract THEN its pauses are whole seconds and add up to its longest time."""
    lasts, longest = minutes * 60, max(minutes, patience) * 60
    waited, pause = 0, first_pause(lasts)
    pauses = 0
    while True:
        waited, pauses = waited + pause, pauses + 1
        window = CanaryWindow(waited, lasts, longest, enough)
        if judge_canary(Seen(requests=requests), OLD, window).decision != "observing":
            break
        pause = next_pause(requests, window)
        assert 1 <= pause <= 300
        assert waited < lasts or requests < enough
        assert pauses <= 1500
    assert waited <= longest + 2


def test_a_minute_passes_between_two_looks_and_more_where_few_come() -> None:
    assert first_pause(600) == 60
    assert first_pause(30) == 30
    assert next_pause(1000, BEGUN) == 60
    assert next_pause(0, BEGUN) == 60
    assert next_pause(90, OVER) == 67  # in which ten requests are expected
    assert next_pause(0, OVER) == 300
    assert next_pause(0, CanaryWindow(3550, 600, 3600, 100)) == 50
    assert next_pause(0, CanaryWindow(590, 600, 3600, 100)) == 10
