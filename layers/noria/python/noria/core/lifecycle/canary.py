"""Whether a canary answers as well as the version that it is to replace, judged while it lasts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.core.lifecycle.binomial import at_least

TOLERATED_FAILURES = 0.01  # share above the old version's, as AWS SAM's canary examples alarm at
# Of requests that are refused: whose they are is chance, so the two versions' shares differ more.
TOLERATED_REFUSALS = 0.05
LATENCY_RATIO = 2.0  # times the old version's 95th percentile
# Milliseconds: what takes a tenth of a second less seems to come at once (Miller 1968, "Response
# time in man-computer conversational transactions").
NOTICED = 100.0
CHANCE = 0.05  # how probable what is seen may be, at most, where a canary ends before its time
MEASURABLE = 20  # requests from which on a 95th percentile is not the slowest of them
CHECK = 60  # seconds: metrics come by the minute
LONGEST_PAUSE = 300  # seconds between two checks while few requests come
REQUESTS_BETWEEN = 10  # that may come between two checks once the canary's own time is over

State = Literal["healthy", "unhealthy", "observing"]


class TrafficLike(Protocol):
    """What is known of a version's traffic; `latency` is its 95th percentile in ms."""

    @property
    def version(self) -> str: ...
    @property
    def requests(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def latency(self) -> float | None: ...


@dataclass(frozen=True)
class CanaryWindow:
    """How far a canary is: seconds so far, of how many, at most how many; requests to wait for."""

    waited: float
    lasts: float
    longest: float
    enough: int

    def has_seen(self, requests: int) -> bool:
        """Whether its time is over and enough requests came."""
        return self.waited >= self.lasts and requests >= self.enough

    @property
    def is_out_of_patience(self) -> bool:
        """Whether it waits no longer for requests."""
        return self.waited >= max(self.lasts, self.longest)


def judge_canary(
    new: TrafficLike, old: TrafficLike, window: CanaryWindow, complaints: tuple[str, ...] = ()
) -> Verdict:
    """Decide `healthy`, `unhealthy` or `observing`; `complaints` are what else is known.

    Before its time is over a canary ends where chance does not explain what it failed or refused.
    """
    ends = window.has_seen(new.requests) or window.is_out_of_patience
    found = [*_complaints(new, old, ends), *complaints]
    if found:
        return _verdict("unhealthy", found, new, old, window)
    if not ends:
        return _verdict("observing", [_progress(new, window)], new, old, window)
    told = [_answered(new, old)]
    if new.requests < window.enough:
        told.insert(0, _by_replay_alone(new, window))
    return _verdict("healthy", told, new, old, window)


def next_pause(requests: int, window: CanaryWindow) -> int:
    """Seconds until the next check: a minute, and more once few requests are waited for."""
    left = window.longest if window.waited >= window.lasts else window.lasts
    pause = float(CHECK)
    if window.waited >= window.lasts:
        expected = window.waited / max(requests, 0.1) * REQUESTS_BETWEEN
        pause = min(max(expected, CHECK), LONGEST_PAUSE)
    return max(1, round(min(pause, left - window.waited)))


def first_pause(lasts: float) -> int:
    """Seconds until the first check of a canary that lasts so many."""
    return round(min(CHECK, lasts))


def is_slower(new: float | None, old: float | None) -> bool:
    """Whether a latency (ms) is so much above another that callers notice; not where unknown."""
    if new is None or old is None:
        return False
    return new > LATENCY_RATIO * old and new - old >= NOTICED


def _complaints(new: TrafficLike, old: TrafficLike, ends: bool) -> Iterator[str]:
    for word, one, other, tolerated in (
        ("failed", new.failed, old.failed, TOLERATED_FAILURES),
        ("were refused", new.refused, old.refused, TOLERATED_REFUSALS),
    ):
        before = share(other, old.requests)
        if _exceeds(one, new.requests, before + tolerated, ends):
            yield (
                f"{share(one, new.requests):.1%} of the canary's {counted(new.requests, 'answer')} "
                f"{word}, {before:.1%} of version {old.version}'s"
            )
    if new.requests >= MEASURABLE and is_slower(new.latency, old.latency):
        yield (
            f"the canary's 95th percentile is {new.latency or 0:.0f} ms, "
            f"{old.latency or 0:.0f} ms is version {old.version}'s"
        )


def _exceeds(count: int, requests: int, allowed: float, ends: bool) -> bool:
    """Whether a share is above what is allowed: at the end as it is, before beyond chance."""
    if share(count, requests) <= allowed:
        return False
    return ends or at_least(count, requests, allowed) < CHANCE


def share(count: int, requests: int) -> float:
    """A count per request, 0 without requests."""
    return count / requests if requests else 0.0


def _progress(new: TrafficLike, window: CanaryWindow) -> str:
    came = f"{new.requests} of {counted(window.enough, 'request')} came, {new.failed} failed"
    waited, lasts = window.waited / 60, window.lasts / 60
    if window.waited < window.lasts:
        return f"{waited:g} of {lasts:g} minutes are over: {came}"
    return f"{waited:g} minutes are over, it waits for up to {window.longest / 60:g}: {came}"


def _answered(new: TrafficLike, old: TrafficLike) -> str:
    told = (
        f"the canary answered {counted(new.requests, 'request')}: {new.failed} failed, "
        f"{new.refused} were refused"
    )
    if new.latency is None:
        return told
    beside = "" if old.latency is None else f" ({old.latency:.0f} ms is version {old.version}'s)"
    return f"{told}, the 95th percentile is {new.latency:.0f} ms{beside}"


def _by_replay_alone(new: TrafficLike, window: CanaryWindow) -> str:
    waited = max(window.lasts, window.longest) / 60
    return (
        f"it was judged by the replay alone: only {counted(new.requests, 'request')} of "
        f"{window.enough} came in {waited:g} minutes (deployment.canary.minimum_requests, "
        "patience)"
    )


def _verdict(
    decision: State, reasons: list[str], new: TrafficLike, old: TrafficLike, seen: CanaryWindow
) -> Verdict:
    evidence = {
        name: {
            "version": one.version, "requests": one.requests, "failed": one.failed,
            "refused": one.refused, "latency_p95_ms": one.latency,
        }
        for name, one in (("new", new), ("old", old))
    }  # fmt: skip
    return Verdict(
        decision=decision, reasons=reasons, evidence={**evidence, "seconds": seen.waited}
    )
