"""The governor: who may start a run, and when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.verdict import Verdict
from noria.contracts import Retraining
from noria.core.lifecycle.run_admission import PastRun, admit, failed_in_a_row

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RULES = Retraining()  # cooldown 6h, 30 runs in 30 days, stop after 3 failed challengers


def ended(
    ending: str | None, *, ago: timedelta, run_id: str = "earlier", automatic: bool = True
) -> PastRun:
    return PastRun(run_id, NOW - ago, ending, automatic)


def judge(past: list[PastRun] | None = None, **changes: Any) -> Verdict:
    arguments: dict[str, Any] = {
        "run_id": "this", "holder": "this", "past": past or [], "rules": RULES, "automatic": True,
        "as_of": NOW,
    }  # fmt: skip
    return admit(**{**arguments, **changes})


def test_the_first_run_is_admitted() -> None:
    verdict = judge(holder=None)
    assert verdict.decision == "run"
    assert verdict.reasons == ["started by an alarm; nothing holds it back"]
    assert verdict.evidence == {"automatic": True, "as_of": NOW.isoformat(), "past_runs": 0}
    assert "a person" in judge(automatic=False).reasons[0]


@pytest.mark.parametrize("automatic", [True, False])
def test_one_run_at_a_time(automatic: bool) -> None:
    verdict = judge(holder="other", automatic=automatic)
    assert verdict.decision == "skip"
    assert verdict.reasons == ["run 'other' is still on; one run at a time"]


@pytest.mark.parametrize(
    ("ago", "decision"),
    [
        (timedelta(0), "skip"),
        (timedelta(hours=5, minutes=59), "skip"),
        (timedelta(hours=6), "run"),
        (timedelta(days=3), "run"),
        (timedelta(hours=-1), "run"),  # a run of a later logical time says nothing about now
    ],
)
def test_cooldown_holds_back_alarms(ago: timedelta, decision: str) -> None:
    past = [ended("Promote", ago=timedelta(days=9)), ended("Promote", ago=ago)]
    assert judge(past).decision == decision
    assert judge(past, automatic=False).decision == "run"


def test_cooldown_counts_from_a_run_that_is_on_or_failed() -> None:
    for ending in (None, "Failed", "HaltBadData", "KeepChampion"):
        verdict = judge([ended(ending, ago=timedelta(hours=2))])
        assert verdict.reasons == ["the last run was 2h ago; retraining.cooldown is 6h"]


def test_a_skipped_start_renews_no_cooldown_and_costs_no_budget() -> None:
    skipped = [ended("Skipped", ago=timedelta(hours=h), run_id=f"s{h}") for h in range(1, 40)]
    verdict = judge([ended("Promote", ago=timedelta(days=2)), *skipped])
    assert verdict.decision == "run"
    assert verdict.evidence["past_runs"] == 1


@pytest.mark.parametrize(
    ("runs", "decision"), [(29, "run"), (30, "skip"), (31, "skip")]
)  # fmt: skip
@pytest.mark.parametrize("automatic", [True, False])
def test_budget_of_thirty_days(runs: int, decision: str, automatic: bool) -> None:
    past = [ended("Promote", ago=timedelta(hours=7 + 20 * n), run_id=str(n)) for n in range(runs)]
    old = [ended("Promote", ago=timedelta(days=30 + n), run_id=f"o{n}") for n in range(40)]
    verdict = judge([*old, *past], automatic=automatic)
    assert verdict.decision == decision
    if decision == "skip":
        assert f"{runs} runs in the last 30 days" in verdict.reasons[0]
        assert "allows 30" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("endings", "failed"),
    [
        ([], 0),
        (["Promote"], 0),
        (["KeepChampion", "HaltNotEffective", "RollBack"], 3),
        (["RollBack", "Promote", "RollBack"], 1),
        (["RollBack", "Failed", "HaltBadData", "RuleSuffices", "Skipped", "RollBack"], 2),
        (["KeepChampion", "KeepChampion", "Promote"], 0),
        (["KeepChampion", None], 1),
    ],
)
def test_failed_challengers_in_a_row(endings: list[str | None], failed: int) -> None:
    past = [ended(ending, ago=timedelta(days=20 - n)) for n, ending in enumerate(endings)]
    assert failed_in_a_row(past) == failed
    verdict = judge(past, rules=Retraining(stop_after_failed_challengers=max(failed, 1)))
    assert verdict.decision == ("skip" if failed else "run")


def test_a_person_may_try_after_failed_challengers() -> None:
    past = [ended("KeepChampion", ago=timedelta(days=9 - n), run_id=str(n)) for n in range(3)]
    stopped = judge(past)
    assert stopped.decision == "skip"
    assert "3 challengers failed in a row; look at their reports" in stopped.reasons[0]
    assert judge(past, automatic=False).decision == "run"


def test_every_reason_is_told() -> None:
    past = [ended("RollBack", ago=timedelta(minutes=n), run_id=str(n)) for n in range(40, 1, -1)]
    verdict = judge(past, holder="other")
    assert len(verdict.reasons) == 4
    assert len(judge(past, holder="other", automatic=False).reasons) == 2


def test_a_repeated_delivery_is_not_held_back_by_itself() -> None:
    itself = PastRun("this", NOW, None, automatic=True)
    rules = Retraining(monthly_runs=1)
    assert judge([itself], rules=rules).decision == "run"


@given(st.lists(st.integers(0, 60 * 24 * 40), max_size=60))
def test_no_flood_of_alarms_breaks_cooldown_or_budget(minutes: list[int]) -> None:
    rules = Retraining(monthly_runs=5)
    past: list[PastRun] = []
    for number, minute in enumerate(sorted(minutes)):
        as_of = NOW + timedelta(minutes=minute)
        verdict = judge(past, run_id=str(number), holder=None, rules=rules, as_of=as_of)
        ending = "Promote" if verdict.decision == "run" else "Skipped"
        past.append(PastRun(str(number), as_of, ending, automatic=True))
    runs = [run.as_of for run in past if run.ending == "Promote"]
    assert not minutes or runs[0] == past[0].as_of
    assert all(later - earlier >= rules.cooldown for earlier, later in pairwise(runs))
    for start in runs:
        assert sum(start <= run < start + timedelta(days=30) for run in runs) <= 5
