"""Whether a canary answered as well as the version that it is to replace."""

from typing import Protocol

from noria.common.verdict import Verdict

TOLERATED_ERRORS = 0.01  # share above the old version's, as AWS SAM's canary examples alarm at
LATENCY_RATIO = 2.0  # times the old version's 95th percentile


class TrafficLike(Protocol):
    """What is known of a version's traffic."""

    @property
    def version(self) -> str: ...
    @property
    def invocations(self) -> float: ...
    @property
    def errors(self) -> float: ...
    @property
    def duration(self) -> float | None: ...


def judge_canary(new: TrafficLike, old: TrafficLike) -> Verdict:
    """Decide `healthy` or `unhealthy` by errors and latency (ms) beside the old version."""
    complaints = [reason for reason in (_errs(new, old), _is_slow(new, old)) if reason]
    evidence = {
        name: {"version": one.version, "invocations": one.invocations, "errors": one.errors,
               "duration_p95_ms": one.duration}
        for name, one in (("new", new), ("old", old))
    }  # fmt: skip
    if complaints:
        return Verdict(decision="unhealthy", reasons=complaints, evidence=evidence)
    answered = f"the canary answered {new.invocations:g} requests with {new.errors:g} errors"
    return Verdict(decision="healthy", reasons=[answered], evidence=evidence)


def error_rate(traffic: TrafficLike) -> float:
    """Errors per invocation, 0 without traffic."""
    return traffic.errors / traffic.invocations if traffic.invocations else 0.0


def _errs(new: TrafficLike, old: TrafficLike) -> str | None:
    if error_rate(new) <= error_rate(old) + TOLERATED_ERRORS:
        return None
    return f"{error_rate(new):.1%} of the canary's answers failed, {error_rate(old):.1%} before"


def _is_slow(new: TrafficLike, old: TrafficLike) -> str | None:
    if new.duration is None or old.duration is None or new.duration <= LATENCY_RATIO * old.duration:
        return None
    return f"the canary's 95th percentile is {new.duration:.0f} ms, {old.duration:.0f} ms before"
