"""The governor: whether an execution may run now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.contracts import Retraining, format_duration

SKIPPED = "Skipped"
FAILED_CHALLENGERS = frozenset({"KeepChampion", "HaltNotEffective", "RollBack"})


@dataclass(frozen=True)
class PastRun:
    """An admitted run: its logical time, how it ended (None while it runs), who started it."""

    run_id: str
    as_of: datetime
    ending: str | None
    automatic: bool


def admit(
    *,
    run_id: str,
    holder: str | None,
    past: Sequence[PastRun],
    rules: Retraining,
    automatic: bool,
    as_of: datetime,
) -> Verdict:
    """Decide `run` or `skip`.

    Everybody keeps to one run at a time and to the monthly budget; the cooldown and the stop
    after failed challengers hold back automatic starts only, so a person can always try.
    """
    # A start that was skipped is no run: it must not renew the cooldown that skipped it.
    others = [run for run in past if run.run_id != run_id and run.ending != SKIPPED]
    refusals = [_held(holder, run_id), _over_budget(others, rules, as_of)]
    if automatic:
        refusals += [_within_cooldown(others, rules, as_of), _challengers_failed(others, rules)]
    reasons = [reason for reason in refusals if reason]
    evidence = {"automatic": automatic, "as_of": as_of.isoformat(), "past_runs": len(others)}
    if reasons:
        return Verdict(decision="skip", reasons=reasons, evidence=evidence)
    who = "an alarm" if automatic else "a person"
    return Verdict(decision="run", reasons=[f"started by {who}; nothing holds it back"],
                   evidence=evidence)  # fmt: skip


def failed_in_a_row(past: Sequence[PastRun]) -> int:
    """How many challengers failed since the last one that was promoted."""
    count = 0
    for run in reversed(past):
        if run.ending == "Promote":
            break
        count += run.ending in FAILED_CHALLENGERS
    return count


def _held(holder: str | None, run_id: str) -> str | None:
    if holder in (None, run_id):
        return None
    return f"run '{holder}' is still on; one run at a time"


def _over_budget(past: Sequence[PastRun], rules: Retraining, as_of: datetime) -> str | None:
    recent = [run for run in past if timedelta(0) <= as_of - run.as_of < timedelta(days=30)]
    if len(recent) < rules.monthly_runs:
        return None
    return (
        f"{counted(len(recent), 'run')} in the last 30 days; retraining.monthly_runs allows "
        f"{rules.monthly_runs}"
    )


def _within_cooldown(past: Sequence[PastRun], rules: Retraining, as_of: datetime) -> str | None:
    since = [as_of - run.as_of for run in past if as_of >= run.as_of]
    if not since or min(since) >= rules.cooldown:
        return None
    return (
        f"the last run was {format_duration(min(since))} ago; retraining.cooldown is "
        f"{format_duration(rules.cooldown)}"
    )


def _challengers_failed(past: Sequence[PastRun], rules: Retraining) -> str | None:
    failed = failed_in_a_row(past)
    if failed < rules.stop_after_failed_challengers:
        return None
    return (
        f"{failed} challengers failed in a row; look at their reports, then start an execution "
        "by hand (retraining.stop_after_failed_challengers)"
    )
