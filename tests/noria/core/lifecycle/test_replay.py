"""Whether a version may get traffic, by requests that were asked again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.verdict import Verdict
from noria.core.lifecycle.replay import (
    AnswerChange,
    Departures,
    ReplayedAnswer,
    ReplayedTraffic,
    departures_of,
    judge_replay,
    most_common_share,
)

GOOD = ReplayedAnswer(200, 5.0, prediction="yes", score=0.7)
FAILED = ReplayedAnswer(503, 1.0, detail="model.onnx does not match its checksum")
REFUSED = ReplayedAnswer(422, 1.0, detail="row 0: the model has no field 'colour'")
SLOW = replace(GOOD, milliseconds=250.0)


def judged(
    new: list[ReplayedAnswer],
    old: list[ReplayedAnswer] | None = None,
    departures: Departures | None = None,
) -> Verdict:
    before = None if old is None else ReplayedTraffic("3", old)
    change = None if old is None else AnswerChange(len(old), 0.042, 0.031)
    return judge_replay(ReplayedTraffic("4", new), before, change, departures, "logged requests")


def test_a_version_that_answers_alike_passes_and_says_how() -> None:
    verdict = judged([GOOD] * 40, [GOOD] * 40, Departures(200, 1))
    assert verdict.decision == "passed"
    assert verdict.reasons == [
        "40 logged requests were asked again: 0 failed, 0 were refused, the 95th percentile is "
        "5 ms (5 ms is version 3's)",
        "4.2% of the decisions are others than version 3's, the population stability index of the "
        "scores is 0.031",
        "199 of 200 rows of the holdout are answered as judged",
    ]
    assert verdict.evidence["psi"] == 0.031


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ([GOOD] * 39 + [FAILED], "1 of 40 logged requests failed: model.onnx does not match"),
        ([FAILED] * 40, "40 of 40"),
        ([GOOD] * 37 + [REFUSED] * 3, "7.5% of 40 logged requests are refused (row 0: the model"),
        ([SLOW] * 40, "the 95th percentile of logged requests is 250 ms, 5 ms is version 3's"),
    ],
)
def test_failures_refusals_and_latency_refuse_it(new: list[ReplayedAnswer], told: str) -> None:
    verdict = judged(new, [GOOD] * 40)
    assert verdict.decision == "failed"
    assert told in verdict.reasons[0]


def test_a_refusal_names_the_way_out() -> None:
    [first, *_] = judged([REFUSED] * 20, [GOOD] * 20).reasons
    assert "promote the version by hand (noria models promote)" in first


def test_what_the_champion_refuses_too_is_no_fault() -> None:
    assert judged([REFUSED] * 20, [REFUSED] * 20).decision == "passed"
    assert judged([GOOD] * 38 + [REFUSED] * 2, [GOOD] * 40).decision == "passed"


def test_the_first_answer_waits_for_its_model_and_is_not_measured() -> None:
    cold = replace(GOOD, milliseconds=4000.0)
    assert judged([cold, *[GOOD] * 10], [GOOD] * 11).decision == "passed"
    assert ReplayedTraffic("4", [cold]).latency is None


def test_a_first_version_is_compared_with_nothing_but_the_holdout() -> None:
    assert judged([SLOW] * 40, None, Departures(40, 0)).decision == "passed"
    constant = judged([GOOD] * 40, None, Departures(40, 30, "0.7 in place of 0.2"))
    assert constant.decision == "failed"
    assert "30 of 40 rows of the holdout are answered otherwise" in constant.reasons[0]
    assert "0.7 in place of 0.2" in constant.reasons[0]


@pytest.mark.parametrize(
    ("departures", "decision"),
    [
        (Departures(200, 10), "passed"),  # an odd value may be written otherwise in a request
        (Departures(200, 11), "failed"),
        (Departures(4, 4), "passed"),  # too few rows to tell
        (Departures(0, 0), "passed"),
    ],
)
def test_the_holdout_is_answered_as_it_was_judged(departures: Departures, decision: str) -> None:
    assert judged([GOOD] * 5, None, departures).decision == decision


def test_departures_are_told_in_the_scale_of_what_was_judged() -> None:
    def values(*scores: float) -> list[ReplayedAnswer]:
        return [ReplayedAnswer(200, prediction=one) for one in scores]

    judged_by = [1000.0, 2000.0, 3000.0]
    same = departures_of(values(1000.1, 1999.8, 3000.0), judged_by)
    assert (same.rows, same.departed) == (3, 0)
    other = departures_of(values(1010.0, 2000.0, 3000.0), judged_by)
    assert (other.departed, other.example) == (1, "1010.0 in place of 1000.0")
    labels = departures_of([GOOD, ReplayedAnswer(200, prediction="b")], [0.7, "a"])
    assert (labels.departed, labels.example) == (1, "'b' in place of 'a'")
    failed = departures_of([FAILED, GOOD], [0.7, 0.7])
    assert (failed.rows, failed.departed) == (2, 1)
    assert failed.example == "model.onnx does not match its checksum in place of 0.7"
    assert departures_of([GOOD], [0.7, 0.7, 0.7]).rows == 1  # time ran out


@given(st.lists(st.sampled_from(["a", "b", 1.5]), min_size=1))
def test_the_most_common_answer_has_the_largest_share(answers: list[str | float]) -> None:
    shares = [answers.count(one) / len(answers) for one in set(answers)]
    assert most_common_share(answers) == max(shares)


def test_no_answers_are_no_surprise() -> None:
    assert most_common_share([]) == 1.0
    assert judged([]).decision == "passed"
