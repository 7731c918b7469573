"""The card's chapters say what the contract and the run's documents say, and no more."""

import re
from typing import Any

import numpy as np
import pytest

from noria.contracts import Problem
from noria.core.evaluation.evaluate import evaluate
from noria.core.evaluation.results import EvaluationResult
from noria.core.model.prediction_interval import PredictionInterval
from noria.core.model.robustness import FieldRobustness
from noria.core.model.signature import Field, Signature
from noria.core.reporting.model_card import render_model_card
from noria.core.reporting.run_evidence import RunEvidence
from noria.core.windows.lookup_spec import KeyColumn, LookupSpec
from noria.core.windows.tiles import WindowAggregation
from tests.support.model_data import problem
from tests.support.patients import chapters_of

ROWS = 400
Y = np.random.default_rng(0).integers(0, 2, ROWS)
NOISY = np.clip(Y * 0.4 + np.random.default_rng(1).random(ROWS) * 0.6, 0, 1)
FLIGHTS = {"entity_key": ["carrier"], "event_time": "departure"}


def signature(**changes: Any) -> Signature:
    known: dict[str, Any] = {
        "problem": "trial", "task": "binary", "target": "late", "classes": ("no", "yes"),
        "columns": (Field(name="distance", kind="number", minimum=0, maximum=9),
                    Field(name="hour", kind="number"), Field(name="lateness", kind="number")),
        "metric": "roc_auc", "recipe": "basic", "candidate": "ridge",
    }  # fmt: skip
    return Signature.model_validate(known | changes)


def judged(asked: Problem, groups: np.ndarray | None = None) -> EvaluationResult:
    columns = {} if groups is None else {"origin": groups}
    return evaluate(asked, Y, columns, NOISY, NOISY, None, {"constant": 0.5})


def chapters(
    asked: Problem, found: EvaluationResult | None = None, model: Signature | None = None,
    **documents: Any,
) -> dict[str, str]:  # fmt: skip
    evidence = RunEvidence(asked, **documents)
    found = found or judged(asked)
    return chapters_of(
        render_model_card(model or signature(), found, (), "v4", (), "run-1", evidence)
    )


def test_what_is_looked_up_is_no_part_of_a_request() -> None:
    window = WindowAggregation(name="lateness", column="late", function="mean", over=604_800)
    history = LookupSpec(
        feature_set="flights", keys=(KeyColumn(name="carrier"),), event_time="departure", delay=0,
        windows=(window,),
    )  # fmt: skip
    told = chapters(problem(**FLIGHTS), model=signature(history=history))["Intended use"]
    assert "a request gives distance, hour" in told
    assert "is looked up lateness: history of its carrier" in told
    assert "about one carrier" in told
    assert "as of departure: what is known only later is no input" in told


def test_a_group_below_its_floor_is_no_use_of_the_model() -> None:
    origin = np.where(np.arange(ROWS) < 390, "JFK", "LGA")
    asked = problem(objective={"slices": [{"column": "origin", "floor": 0.99}]})
    told = chapters(asked, judged(asked, origin))["Intended use"]
    assert "origin = JFK: ROC AUC 0." in told
    assert "on 390 rows misses the floor of 0.99" in told
    assert "origin = LGA (10): too few rows to be judged" in told


@pytest.mark.parametrize(("read", "words"), [
    (("sex",), "The model reads it"), ((), "other fields may stand in for it"),
])  # fmt: skip
def test_a_protected_column_is_told_whether_it_is_read_or_not(
    read: tuple[str, ...], words: str
) -> None:
    asked = problem(objective={"slices": [{"column": "sex", "floor": 0.1, "protected": True}]})
    sexes = np.where(np.arange(ROWS) % 2 == 0, "woman", "man")
    found = evaluate(asked, Y, {"sex": sexes}, NOISY, NOISY, None, {})
    model = signature(columns=tuple(Field(name=one, kind="category") for one in (*read, "hour")))
    assert words in chapters(asked, found, model)["Intended use"]


def test_who_lets_a_version_serve_is_told() -> None:
    asked = problem(deployment={"approval": True, "canary": None})
    assert "a person, asked by the run, all requests at once" in chapters(asked)["Intended use"]
    assert (
        "the run itself, by its verdicts, first on 10% of the requests"
        in (chapters(problem())["Intended use"])
    )


@pytest.mark.parametrize(("threshold", "words"), [
    (0.5, "within the threshold of 0.5"), (0.999, "short of the threshold of 0.999"),
])  # fmt: skip
def test_how_far_the_sure_side_is_from_the_objective(threshold: float, words: str) -> None:
    assert words in chapters(problem(objective={"threshold": threshold}))["Limits"]


def test_a_bound_near_the_objective_is_told() -> None:
    asked = problem()
    found = judged(asked)
    assert found.bound is not None
    near = problem(objective={"threshold": round(found.bound - 0.001, 4)})
    assert "and near it: new rows may tell otherwise" in chapters(near, judged(near))["Limits"]
    assert "near it" not in chapters(problem(objective={"threshold": 0.5}))["Limits"]


@pytest.mark.parametrize(("held", "words"), [
    (0.8, "Take them as too narrow"), (0.89, "what they promise, but for chance"),
])  # fmt: skip
def test_intervals_that_hold_too_few_are_told(held: float, words: str) -> None:
    interval = PredictionInterval(coverage=0.9, low=(-1.0,), high=(1.0,), rows=100)
    model = signature(task="regression", classes=(), metric="rmse", interval=interval)
    found = judged(problem()).model_copy(update={"coverage": held})
    assert words in chapters(problem(), found, model)["Limits"]


def test_only_losses_that_matter_are_named() -> None:
    fields = (FieldRobustness(field="distance", missing=0.2, unit=0.3),
              FieldRobustness(field="hour", missing=0.0001, unit=-0.01))  # fmt: skip
    told = chapters(problem(), model=signature(robustness=fields))["Limits"]
    assert "Without the field it loses most for distance (0.2), in ROC AUC" in told
    assert "In another unit (1,000 times) it loses most for distance (0.3)" in told
    assert "hour (" not in told


def test_columns_that_were_let_in_or_kept_out_are_named_with_the_reason() -> None:
    asked = problem(
        features={"exclude": ["arrival"], "known": ["hour"]}, analysis={"on_leak": "exclude"}
    )
    verdicts = [
        {"state": "Transform", "evidence": {"dropped_columns": {"empty": "all values are missing"},
                                            "left_out": {"id": "names single rows"}}},
        {"state": "Analyse", "evidence": {"suspects": ["delay"]}},
    ]  # fmt: skip
    told = chapters(asked, model=signature(unused=("weather",)), verdicts=verdicts)["Limits"]
    for words in (
        "arrival: left out by the contract (features.exclude)",
        "empty: dropped",
        "id: no feature",
        "delay: left out as they give the target away",
        "weather: not read",
        "hour: read as known in time, by the contract's word alone (features.known)",
    ):
        assert words in told


def test_data_are_told_with_their_time_and_what_was_quarantined() -> None:
    evidence = {"rows": 900, "accepted": 800, "quarantined": 100, "rules": {"distance: below 0": 9},
                "classes": {"no": 600, "yes": 200}}  # fmt: skip
    told = chapters(
        problem(**FLIGHTS),
        verdicts=[{"state": "Transform", "evidence": evidence}],
        analysis={"training_rows": 640, "holdout_rows": 160,
                  "time": {"start": 1_356_998_400, "end": 1_364_774_399, "gaps": []}},
        collected={"sources": [{"source": "flights", "kind": "s3", "rows": 900, "files": [{}]}]},
    )["Data"]  # fmt: skip
    for words in (
        "900 joined rows: 800 accepted, 100 quarantined, most of them for distance: below 0 (9)",
        "640 rows to learn from, 160 held out (the latest 20%)",
        "From 2013-01-01 to 2013-03-31",
        "no 75% and yes 25%",
        "flights s3 900",
    ):
        assert words in told


def test_who_let_which_version_serve_is_told_the_latest_first() -> None:
    by_hand = {"action": "rollback", "by": "ann", "reason": "v2 is worse at night", "token": "1"}
    before = {"run_id": "run-0", "metric": "roc_auc", "metrics": {"roc_auc": 0.75, "f1": 0.5}}
    promotions = [
        before | {"version": "v1", "promoted_at": "2026-01-02T03:04:05Z"},
        before | {"version": "v1", "promoted_at": "2026-02-02T03:04:05Z", "by_hand": by_hand},
    ]
    told = chapters(
        problem(), promotions=promotions, champion="v1", cause={"kind": "alarm", "alarm": "Drift"},
        origin={"as_of": "2026-03-01T00:00:00+00:00", "iteration": 2, "code_version": "abc1234"},
        judged_models=2,
    )  # fmt: skip
    lineage = told["Lineage"]
    by_run = "2026-01-02 03:04 UTC: v1 by run run-0; roc_auc 0.75"
    by_ann = "2026-02-02 03:04 UTC: v1 by ann (rollback): v2 is worse at night"
    assert 0 < lineage.index(by_ann) < lineage.index(by_run)
    for words in ("started by alarm Drift", "compared with v1", "code version abc1234"):
        assert words in lineage
    assert "to judge 2 models in this run" in told["Limits"]


def test_hostile_texts_are_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    page = render_model_card(
        signature(), judged(problem()), evidence=RunEvidence(
            problem(features={"exclude": [hostile]}),
            collected={"sources": [{"source": hostile, "files": [{"name": hostile}]}]},
            promotions=[{"version": hostile, "by_hand": {"by": hostile, "reason": hostile}}],
            plan={"recipe": hostile, "description": hostile, "why": hostile},
        ),
    )  # fmt: skip
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 7


def test_times_that_were_seen_are_written_as_times() -> None:
    at = Field(name="departure", kind="timestamp", minimum=1_356_998_400, maximum=1_364_774_340)
    told = chapters(problem(), model=signature(columns=(at,)))["Inputs"]
    assert "2013-01-01 00:00 to 2013-03-31 23:59 UTC" in told


def test_the_trial_that_was_trained_is_told_apart() -> None:
    tried = [
        {"candidate": "ridge", "metric": "roc_auc", "outcome": "0.1 behind extra_trees"},
        {"candidate": "extra_trees", "metric": "roc_auc", "outcome": "chosen: the best"},
    ]
    page = render_model_card(signature(), judged(problem()), tried)  # fmt: skip
    [best] = re.findall(r'<tr class="best">(.*?)</tr>', page, re.DOTALL)
    assert "extra" in best
    assert "ROC AUC" in best
    assert ">error</th>" not in page


def test_numbers_have_slices_and_no_rates_by_group() -> None:
    asked = problem(
        "regression", "mae",
        objective={"slices": [{"column": "sex", "floor": 9.0, "protected": True}]},
    )  # fmt: skip
    sexes = np.where(np.arange(ROWS) % 2 == 0, "woman", "man")
    found = evaluate(asked, Y.astype(float), {"sex": sexes}, NOISY, NOISY, None, {})
    told = chapters(asked, found, signature(task="regression", classes=(), metric="mae"))
    assert "other fields may stand in for it (see Slices)" in told["Intended use"]
    assert "Fairness" not in told
