"""The card of a version tells of its own run: use, data, limits and lineage."""

import json

import pytest

from tests.support.patients import chapters_of, judged_patients
from tests.support.stages import Outcome


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return judged_patients()


@pytest.fixture(scope="module")
def card(outcome: Outcome) -> dict[str, str]:
    return chapters_of(outcome.files["models/v1/model_card.html"].decode())


def test_its_chapters_are_in_the_order_of_a_careful_reader(card: dict[str, str]) -> None:
    wanted = [
        "Decision", "Intended use", "Data", "Performance on the holdout", "Calibration",
        "Decision threshold", "Slices", "Fairness", "Permutation importance",
        "Partial dependence", "Robustness", "Learning curve", "Limits", "Inputs", "Candidates",
        "Lineage",
    ]  # fmt: skip
    assert [name for name in card if name in wanted] == wanted


def test_it_says_what_it_is_for_and_what_not(card: dict[str, str]) -> None:
    told = card["Intended use"]
    assert "whether ill is yes, with its probability" in told
    assert "as a missed yes costs 5 where a false alarm costs 1" in told
    assert "a request gives age, dose, ward, sex" in told
    unread = told.partition("may be given, unread ")[2].partition(" lets it serve ")[0]
    assert set(unread.split(", ")) == {"afterwards", "constant"}
    assert "ROC AUC at least 0.7, and at least 0.6 for each sex" in told
    assert "Decisions by sex, which is protected. The model reads it" in told
    assert "ward = tiny" in told


def test_its_limits_are_those_of_the_run(card: dict[str, str], outcome: Outcome) -> None:
    told, found = card["Limits"], json.loads(outcome.files["models/v1/evaluation.json"])
    assert f"within the threshold of 0.7 by {found['bound'] - 0.7:.3g}" in told
    assert "Without the field it loses most for age" in told
    assert "afterwards: left out by the contract (features.exclude)" in told
    assert "constant: dropped" in told
    assert "population stability index of 0.2" in told
    assert "to judge 1 model in this run" in told


def test_its_probabilities_are_drawn_where_nothing_corrects_them(
    card: dict[str, str], outcome: Outcome
) -> None:
    signature = json.loads(outcome.files["models/v1/signature.json"])
    assert signature["calibration"] is None
    assert sum(one["rows"] for one in signature["reliability"]) == signature["rows"]
    assert f"Not corrected: {signature['calibration_note']}" in card["Calibration"]


def test_whether_more_rows_would_help_is_what_the_search_found(
    card: dict[str, str], outcome: Outcome
) -> None:
    [verdict] = [one for one in outcome.verdicts if one["state"] == "JudgeTrials"]
    told = verdict["reasons"][-1]
    assert told.startswith("twice the rows, ")
    assert told[1:] in card["Learning curve"]


def test_its_lineage_is_what_was_noted(card: dict[str, str], outcome: Outcome) -> None:
    told, noted = card["Lineage"], json.loads(outcome.files["models/v1/lineage.json"])
    digests = [one["sha256"][:12] for one in noted["inputs"].values()]
    assert digests
    assert [one for one in digests if one not in told] == []
    assert "rows.csv" in told
    assert "No version served when this one was judged." in told


def test_a_repeated_run_writes_the_same_but_for_times(card: dict[str, str]) -> None:
    again = chapters_of(judged_patients().files["models/v1/model_card.html"].decode())
    timed = {"Candidates", "Lineage"}  # seconds of the trials, when files were put there
    assert len(card) > len(timed)
    assert {k: v for k, v in again.items() if k not in timed} == {
        k: v for k, v in card.items() if k not in timed
    }
