"""Whether a new version may get live traffic at all: judged by requests that are asked again."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from noria.common.messages import ascii_repr, counted
from noria.common.verdict import Verdict
from noria.core.lifecycle.canary import TOLERATED_REFUSALS, is_slower, share

# Of the holdout's rows: that may be answered otherwise than they were judged, for an odd value may
# be written differently in a request.
TOLERATED_DEPARTURES = 0.05
OK, REFUSED, FAILED = 200, 400, 500  # statuses: a request that is refused has one from 400 on
LEAST_ROWS = 5  # of the holdout, below which one row is more than the tolerance


@dataclass(frozen=True)
class ReplayedAnswer:
    """What a version answered to one row: a prediction with its probability, or why not (ms)."""

    status: int
    milliseconds: float = 0.0
    prediction: Any = None
    score: float | None = None
    detail: str = ""

    @property
    def value(self) -> Any:
        """What two answers are compared by: the probability, else the value or the class."""
        return self.prediction if self.score is None else self.score


@dataclass(frozen=True)
class AnswerChange:
    """How a version's answers to the same rows differ from another's.

    `changed` is the share of decisions, of numbers that of values that moved by more than a tenth
    of their standard deviation; `psi` the population stability index of the scores.
    """

    rows: int
    changed: float
    psi: float


@dataclass(frozen=True)
class Departures:
    """How many rows of the holdout were answered otherwise than judged, and one of them."""

    rows: int
    departed: int
    example: str = ""


class ReplayedTraffic:
    """The counts of one version's answers; its 95th percentile in ms leaves out the first one."""

    def __init__(self, version: str, answers: Sequence[ReplayedAnswer]) -> None:
        self.version, self.requests = version, len(answers)
        failures = [one for one in answers if one.status >= FAILED]
        refusals = [one for one in answers if REFUSED <= one.status < FAILED]
        self.failed, self.refused = len(failures), len(refusals)
        self.failure = next((one.detail for one in failures), "")
        self.refusal = next((one.detail for one in refusals), "")
        # The first answer of a process waits for its model.
        times = sorted(one.milliseconds for one in answers[1:] if one.status == OK)
        self.latency = times[math.ceil(0.95 * len(times)) - 1] if times else None


def judge_replay(
    new: ReplayedTraffic,
    old: ReplayedTraffic | None,
    change: AnswerChange | None,
    departures: Departures | None,
    asked: str,
) -> Verdict:
    """Decide `passed` or `failed`; `asked` names the rows, such as `logged requests`."""
    found = [*_complaints(new, old, departures, asked)]
    told = [_answered(new, old, asked), *_changes(change, old), *_as_judged(departures)]
    evidence = {
        "asked": asked,
        "new": _counts(new),
        "old": _counts(old) if old else None,
        "changed": change.changed if change else None,
        "psi": change.psi if change else None,
        "holdout_rows": departures.rows if departures else 0,
        "answered_otherwise": departures.departed if departures else 0,
    }
    decision = "failed" if found else "passed"
    return Verdict(decision=decision, reasons=[*found, *told], evidence=evidence)


def departures_of(answers: Sequence[ReplayedAnswer], judged: Sequence[Any]) -> Departures:
    """Compare answers with what the same rows were judged by, as far as there are answers.

    A row that is refused, or fails, is not answered as it was judged either.
    """
    pairs = list(zip(answers, judged, strict=False))
    scale = _spread([wanted for _, wanted in pairs])
    others = [
        f"{one.detail or ascii_repr(one.value)} in place of {ascii_repr(wanted)}"
        for one, wanted in pairs
        if one.status != OK or not is_equal(one.value, wanted, scale)
    ]
    return Departures(len(pairs), len(others), others[0] if others else "")


def is_equal(one: Any, other: Any, scale: float) -> bool:
    """Whether two answers are one: labels as they are, numbers to a thousandth of a scale."""
    if is_number(one) and is_number(other):
        return bool(abs(one - other) <= 1e-3 * scale)
    return bool(one == other)


def most_common_share(answers: Sequence[Any]) -> float:
    """The share of the answer that is given most often; 1 without answers."""
    if not answers:
        return 1.0
    counts: dict[Any, int] = {}
    for one in answers:
        counts[one] = counts.get(one, 0) + 1
    return max(counts.values()) / len(answers)


def _complaints(
    new: ReplayedTraffic, old: ReplayedTraffic | None, departures: Departures | None, asked: str
) -> Iterator[str]:
    if new.failed:
        yield f"{new.failed} of {new.requests} {asked} failed: {new.failure}"
    before = share(old.refused, old.requests) if old else 0.0
    if share(new.refused, new.requests) > before + TOLERATED_REFUSALS:
        yield (
            f"{share(new.refused, new.requests):.1%} of {new.requests} {asked} are refused "
            f"({new.refusal}): if callers are to ask otherwise from now on, promote the version "
            "by hand (noria models promote)"
        )
    if old is not None and is_slower(new.latency, old.latency):
        yield (
            f"the 95th percentile of {asked} is {new.latency or 0:.0f} ms, {old.latency or 0:.0f} "
            f"ms is version {old.version}'s"
        )
    if departures is not None and _departs(departures):
        yield (
            f"{departures.departed} of {counted(departures.rows, 'row')} of the holdout are "
            f"answered otherwise than they were judged ({departures.example}): what serves is not "
            "what was evaluated"
        )


def _departs(seen: Departures) -> bool:
    return seen.rows >= LEAST_ROWS and share(seen.departed, seen.rows) > TOLERATED_DEPARTURES


def _answered(new: ReplayedTraffic, old: ReplayedTraffic | None, asked: str) -> str:
    told = f"{new.requests:,} {asked} were asked again: {new.failed} failed, {new.refused} were "
    told += "refused"
    if new.latency is None:
        return told
    beside = ""
    if old is not None and old.latency is not None:
        beside = f" ({old.latency:.0f} ms is version {old.version}'s)"
    return f"{told}, the 95th percentile is {new.latency:.0f} ms{beside}"


def _changes(change: AnswerChange | None, old: ReplayedTraffic | None) -> Iterator[str]:
    if change is not None and old is not None:
        yield (
            f"{change.changed:.1%} of the decisions are others than version {old.version}'s, the "
            f"population stability index of the scores is {change.psi:.3f}"
        )


def _as_judged(departures: Departures | None) -> Iterator[str]:
    if departures is not None and departures.rows and not _departs(departures):
        same = departures.rows - departures.departed
        yield f"{same} of {counted(departures.rows, 'row')} of the holdout are answered as judged"


def _counts(one: ReplayedTraffic) -> dict[str, Any]:
    return {
        "version": one.version, "requests": one.requests, "failed": one.failed,
        "refused": one.refused, "latency_p95_ms": one.latency,
    }  # fmt: skip


def _spread(values: Sequence[Any]) -> float:
    """The standard deviation of numbers, 1 where they are none or all the same."""
    numbers = [float(one) for one in values if is_number(one)]
    if not numbers:
        return 1.0
    mean = math.fsum(numbers) / len(numbers)
    variance = math.fsum((one - mean) ** 2 for one in numbers) / len(numbers)
    return math.sqrt(variance) or 1.0


def is_number(value: Any) -> bool:
    """Whether a value is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)
