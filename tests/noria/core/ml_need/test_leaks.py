"""What becomes of columns that give the target away."""

from typing import Any

import pytest

from noria.common.verdict import Verdict
from noria.core.analysis.leakage import Suspect
from noria.core.ml_need.leaks import nothing_left, with_leaks
from tests.support.data_frames import problem

GO_ON = Verdict(decision="go_on", reasons=["There is signal."], evidence={"holdout_rows": 40})
REFUND = Suspect(column="refund", reason="decides the target alone")
STRONG = Suspect(column="score", reason="nearly determines the target alone", stops=False)


def decided(on_leak: str, *suspects: Suspect, verdict: Verdict = GO_ON) -> Verdict:
    return with_leaks(verdict, suspects, problem(analysis={"on_leak": on_leak}))


def test_a_run_asks_by_default() -> None:
    told = with_leaks(GO_ON, [REFUND, STRONG], problem())
    assert told.decision == "reevaluate"
    assert told.reasons[0] == "A column gives the target away: 'refund' decides the target alone."
    assert "features.exclude" in told.reasons[1]
    assert "features.known" in told.reasons[1]
    assert told.reasons[2] == "There is signal."
    assert told.evidence == {"holdout_rows": 40, "suspects": ["refund"], "asked_about": ["refund"]}


@pytest.mark.parametrize(("on_leak", "word"), [("exclude", "Left out"), ("allow", "Used")])
def test_a_run_goes_on_where_the_contract_says_so(on_leak: str, word: str) -> None:
    told = decided(on_leak, REFUND)
    assert told.decision == "go_on"
    assert word in told.reasons[-1]
    assert "'refund'" in told.reasons[-1]


def test_what_only_goes_strongly_with_the_target_stops_nothing() -> None:
    assert decided("ask", STRONG) == GO_ON


@pytest.mark.parametrize("decision", ["reevaluate", "rule_suffices", "serve_rule"])
def test_another_ending_stays_and_names_the_suspects(decision: str) -> None:
    verdict = Verdict(decision=decision, reasons=["No signal."], evidence={})
    told = decided("ask", REFUND, verdict=verdict)
    assert told.decision == decision
    assert (told.reasons[0], len(told.reasons)) == ("No signal.", 2)
    assert "asked_about" not in told.evidence


def test_leaving_out_every_column_asks() -> None:
    told: Any = nothing_left([REFUND, STRONG])
    assert told.decision == "reevaluate"
    assert told.reasons[0].startswith("No column is left")
