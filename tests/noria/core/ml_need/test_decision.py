"""Is ML needed? Every outcome, its reasons, and that the rows said to be needed are enough."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.cleansing.joins import join_sources
from noria.core.ml_need.decision import decide_need
from noria.core.statistics import metrics
from noria.core.statistics.resampled_scores import Bounds, drawn_counts, resampled_scores
from noria.core.statistics.sample_size import half_width_on, rows_needed
from noria.errors import DataError
from tests.support.data_frames import FLIGHTS, bundled, dataset_of, flights, numbers, problem
from tests.support.examples import examples, most_by_chance, repeats

SETS = {
    "breast_cancer": ("binary", {"metric": "roc_auc", "threshold": 0.95}),
    "diabetes": ("regression", {"metric": "r2", "threshold": 0.3}),
    "wine": ("multiclass", {"metric": "accuracy", "threshold": 0.9}),
}


def decided(frame: pd.DataFrame, contract: Problem, seed: int = 0) -> Verdict:
    return decide_need(dataset_of(frame, contract), contract, seed)


def said(verdict: Verdict) -> str:
    return "\n".join(verdict.reasons)


@pytest.mark.parametrize("name", SETS)
def test_real_sets_need_ml(name: str) -> None:
    task, objective = SETS[name]
    verdict = decided(bundled(name), problem(task, objective=objective))
    assert verdict.decision == "go_on", verdict.reasons
    assert set(verdict.evidence["baseline"]) == {"name", "score"}
    assert json.loads(verdict.model_dump_json()) == verdict.model_dump()


@pytest.mark.parametrize(
    ("task", "metric"),
    [("binary", "roc_auc"), ("multiclass", "accuracy"), ("regression", "rmse"), ("binary", "f1")],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_noise_is_sent_back(task: str, metric: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(generator.normal(size=(400, 5)), columns=list("abcde"))
    drawn = generator.normal(size=400) if task == "regression" else generator.integers(0, 2, 400)
    frame["y"] = drawn if task != "multiclass" else generator.integers(0, 3, 400)
    threshold = 0.8 if metric != "f1" else 0.9
    contract = problem(task, objective={"metric": metric, "threshold": threshold})
    verdict = decided(frame, contract, seed)
    assert verdict.decision == "reevaluate", verdict.reasons
    assert "What would help" in verdict.reasons[1]


class TestEventTime:
    """Rows with an event time, whose neighbours are alike."""

    def test_a_relation_that_no_longer_helps_is_no_chance(self) -> None:
        """GIVEN a gauge that stuck THEN answers follow the target, further off than a constant."""
        generator, place = np.random.default_rng(0), np.arange(2000)
        gauge, x = np.minimum(place / 400, 4), generator.normal(size=2000)
        frame = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=2000, freq="h")})
        frame = frame.assign(gauge=gauge, x=x, y=np.where(place < 1600, gauge, 2) + x)
        objective = {"metric": "mae", "threshold": 0.5}
        verdict = decided(frame, problem("regression", objective=objective, event_time="at"))
        assert verdict.decision == "reevaluate"
        assert verdict.reasons[0].startswith("No better than a constant answer: ")

    @pytest.mark.parametrize("task", ["binary", "regression"])
    def test_series_that_wander_alone_are_sent_back(self, task: str) -> None:
        """Rows shuffled one by one called half of such walks signal."""
        count = repeats(12, 4)
        verdicts = [self.wandering(task, seed) for seed in range(count)]
        assert [one.decision for one in verdicts] == ["reevaluate"] * count
        told = [one for one in verdicts if "No better than chance" in one.reasons[0]]
        assert len(told) >= count // 2
        assert "sign-flip test over 16 time blocks, p = " in said(told[0])
        assert "Effects slower than one of the 16 time blocks" in told[0].reasons[2]
        assert told[0].evidence["permuted"] == "signs of time blocks"
        assert told[0].evidence["time_blocks"] == 16
        assert told[0].evidence["bootstrap_block_rows"] > 10

    def test_a_series_that_follows_another_goes_on(self) -> None:
        for seed in range(4):
            verdict = self.wandering("regression", seed, follows=True)
            assert verdict.decision == "go_on", verdict.reasons
            assert "sign-flip test over 16 time blocks" in verdict.reasons[0]

    def test_the_number_of_stretches_is_the_contracts(self) -> None:
        verdict = self.wandering("regression", 1, follows=True, analysis={"stretches": 40})
        assert verdict.evidence["time_blocks"] == 40

    def test_without_event_time_rows_are_shuffled(self) -> None:
        verdict = decided(numbers(400), problem())
        assert verdict.evidence["permuted"] == "rows"
        assert verdict.evidence["bootstrap_block_rows"] == 1
        assert "permutation test, p = 0.002" in verdict.reasons[0]

    @staticmethod
    def wandering(task: str, seed: int, follows: bool = False, **more: Any) -> Verdict:
        generator = np.random.default_rng(seed)
        x = np.cumsum(generator.normal(size=2000))
        if follows:  # within the range seen, for trees do not extrapolate
            x = 3 * np.sin(np.arange(2000) / 40) + generator.normal(size=2000)
        y = x + generator.normal(size=2000) if follows else np.cumsum(generator.normal(size=2000))
        frame = pd.DataFrame({"x": x, "at": pd.date_range("2020", periods=2000, tz="UTC")})
        frame["y"] = y if task == "regression" else (y > np.median(y)).astype(int)
        metric = {"metric": "rmse", "threshold": 1.5} if task == "regression" else None
        objective = metric or {"metric": "roc_auc", "threshold": 0.8}
        return decided(frame, problem(task, objective=objective, event_time="at", **more), seed)


def test_a_holdout_of_one_class_tells_nothing() -> None:
    frame = numbers(100).assign(at=pd.date_range("2024", periods=100, tz="UTC"))
    frame["y"] = (frame.index < 50).astype(int)
    verdict = decided(frame, problem(event_time="at"))
    assert verdict.decision == "reevaluate"
    assert "All 20 holdout rows have the target '0'" in verdict.reasons[0]


class TestRule:
    """The contract's rule, which people use today."""

    def test_a_rule_that_decides_suffices(self) -> None:
        frame = numbers(400).assign(x=lambda rows: rows["x"] * 4)
        contract = problem(
            target={"name": "big", "expression": "x > 3"},
            baseline={"rule": "x > 3"},
            objective={"metric": "accuracy", "threshold": 0.95},
        )
        verdict = decided(frame, contract)
        assert verdict.decision == "rule_suffices"
        assert verdict.evidence["baseline"] == {"name": "rule", "score": 1.0}
        assert "95% interval 0.9501 to 1" in verdict.reasons[0]
        assert "meets the threshold in 100.0% of 1,000 resamples" in said(verdict)

    def test_a_rule_that_is_lucky_on_few_rows_does_not_suffice(self) -> None:
        """Of rules that know nothing some meet the objective on few rows; hardly one suffices."""
        count = repeats(40, 12)
        verdicts = [self.tossed(140, 0.5, seed) for seed in range(count)]
        assert sum(map(self.is_lucky, verdicts)) >= count // 8
        most = most_by_chance(count, rate=0.05, chance=0.01)
        assert [one.decision for one in verdicts].count("rule_suffices") <= most

    def test_a_lucky_rule_beside_signal_is_said_to_be_lucky(self) -> None:
        lucky = []
        for seed in range(repeats(12, 6)):
            generator = np.random.default_rng(seed)
            y = generator.integers(0, 2, 200)
            frame = pd.DataFrame({"x": generator.normal(size=200), "y": y})
            frame["clue"] = y + generator.normal(size=200)
            contract = problem(
                objective={"metric": "accuracy", "threshold": 0.55}, baseline={"rule": "x > 0"}
            )
            verdict = decided(frame, contract, seed)
            if verdict.decision == "go_on" and self.is_lucky(verdict):
                lucky.append(said(verdict))
        assert lucky
        assert [
            one for one in lucky if "gain over class shares is not significant" not in one
        ] == []
        assert [one for one in lucky if "misses floors" in one] == []

    def test_a_rule_that_is_surely_better_suffices(self) -> None:
        for seed in range(4):
            verdict = self.tossed(3000, 0.65, seed)
            assert verdict.decision == "rule_suffices", verdict.reasons

    @staticmethod
    def is_lucky(verdict: Verdict) -> bool:
        scores = {item["name"]: item["score"] for item in verdict.evidence["scores"]}
        return scores["rule"] >= 0.55 and scores["rule"] > scores["class shares"]

    @staticmethod
    def tossed(rows: int, right: float, seed: int) -> Verdict:
        """The rule x > 0 is right with a probability."""
        generator = np.random.default_rng(seed)
        frame = pd.DataFrame({"x": generator.normal(size=rows)})
        frame["y"] = ((frame["x"] > 0) == (generator.random(rows) < right)).astype(int)
        contract = problem(
            objective={"metric": "accuracy", "threshold": 0.55}, baseline={"rule": "x > 0"}
        )
        return decided(frame, contract, seed)

    def test_a_rule_no_better_than_one_answer_for_all_does_not_suffice(self) -> None:
        frame = numbers(1000).assign(y=lambda rows: (rows["noise"] > -1.6).astype(int))
        contract = problem(
            objective={"metric": "accuracy", "threshold": 0.85}, baseline={"rule": "x > -5"}
        )
        verdict = decided(frame, contract)
        scores = {item["name"]: item["score"] for item in verdict.evidence["scores"]}
        assert scores["rule"] == scores["class shares"] >= 0.85
        assert verdict.decision != "rule_suffices"

    def test_how_sure_is_told_and_what_would_make_it_surer(self) -> None:
        verdict = self.tumours("worst_radius > 16.8", threshold=0.89)
        assert verdict.decision == "rule_suffices"
        assert 0.5 < verdict.evidence["rule_meets_share"] < 0.99
        assert "would put the threshold outside its interval" in said(verdict)

    def test_a_rule_that_falls_short_is_what_a_model_is_measured_by(self) -> None:
        verdict = self.tumours("worst_radius > 16.8", threshold=0.97)
        assert verdict.decision == "go_on", verdict.reasons
        low, high = verdict.evidence["gain_over_rule"]
        assert -0.05 < low < high < 0.15
        assert low < verdict.evidence["gain"][0]  # the rule is harder to beat than one answer
        assert "over it the quick model has a gain of" in verdict.reasons[1]

    def test_a_rule_below_a_floor_does_not_suffice(self) -> None:
        generator = np.random.default_rng(0)
        x, where = generator.normal(size=2000), generator.choice(["north", "south"], 2000)
        turned = np.where((where == "south") & (generator.random(2000) < 0.5), -x, x)
        frame = pd.DataFrame({"x": x, "where": where, "y": (turned > 0).astype(int)})
        asked: dict[str, Any] = {"metric": "accuracy", "threshold": 0.7}
        rule = {"rule": "x > 0"}
        assert decided(frame, problem(objective=asked, baseline=rule)).decision == "rule_suffices"
        asked["slices"] = [{"column": "where", "floor": 0.65}]
        verdict = decided(frame, problem(objective=asked, baseline=rule))
        assert verdict.decision != "rule_suffices"
        assert "where = south" in said(verdict)

    def test_the_rule_is_served_where_asked_and_possible(self) -> None:
        served = self.tumours("worst_radius > 16.8", threshold=0.85, serve=True)
        assert served.decision == "serve_rule"
        assert "baseline.serve" in served.reasons[1]
        outside = {"features": {"exclude": ["worst_radius"]}}
        kept = self.tumours("worst_radius > 16.8", threshold=0.85, serve=True, **outside)
        assert kept.decision == "rule_suffices"
        assert "column 'worst_radius' is no feature" in kept.reasons[1]
        assert kept.evidence["not_served"] == kept.reasons[1]

    def test_an_answer_that_is_no_number_counts_as_a_missing_one(self) -> None:
        frame = numbers(400).assign(zero=0.0)
        contract = problem(
            "regression", target="x", baseline={"rule": "noise / zero"},
            objective={"metric": "rmse", "threshold": 0.1},
        )  # fmt: skip
        verdict = decided(frame, contract)
        scores = {item["name"]: item["score"] for item in verdict.evidence["scores"]}
        assert scores["rule"] == pytest.approx(scores["mean"], rel=0.05)

    @staticmethod
    def tumours(rule: str, threshold: float, serve: bool = False, **more: Any) -> Verdict:
        frame = bundled("breast_cancer").rename(columns=lambda name: name.replace(" ", "_"))
        contract = problem(
            target={"name": "malignant", "expression": "y == 0"},
            positive_class=True,
            baseline={"rule": rule, "serve": serve},
            objective={"metric": "accuracy", "threshold": threshold},
            **more,
        )
        return decided(frame, contract)


class TestEmptyObjective:
    """An objective that the same answer for every row meets."""

    @pytest.mark.parametrize(
        ("task", "metric", "threshold"),
        [
            ("binary", "accuracy", 0.85),
            ("binary", "log_loss", 0.5),
            ("binary", "f1", 0.15),
            ("binary", "roc_auc", 0.5),
            ("multiclass", "accuracy", 0.85),
            ("regression", "rmse", 0.4),
            ("regression", "mae", 0.3),
        ],
    )
    def test_it_is_sent_back_with_what_to_ask_instead(
        self, task: str, metric: str, threshold: float
    ) -> None:
        verdict = decided(self.rare(), self.asking(task, metric, threshold))
        assert verdict.decision == "reevaluate", verdict.reasons
        assert "A constant prediction already meets the objective" in verdict.reasons[0]
        assert "objective.minimum_gain" in verdict.reasons[1]
        assert not re.search(rf"such as.*\b{metric}\b", verdict.reasons[1])

    def test_a_minimum_gain_asks_for_something(self) -> None:
        contract = self.asking("binary", "accuracy", 0.85, minimum_gain=0.03)
        assert decided(self.rare(), contract).decision == "go_on"

    def test_a_rule_that_is_better_still_suffices(self) -> None:
        contract = self.asking("binary", "accuracy", 0.85, rule="x > 1.4")
        assert decided(self.rare(), contract).decision == "rule_suffices"

    @staticmethod
    def rare() -> pd.DataFrame:
        """One row in ten is positive, and x tells which."""
        frame = numbers(1500)
        frame["y"] = (frame["x"] + 0.2 * frame["noise"] > 1.3).astype(int)
        return frame

    @staticmethod
    def asking(
        task: str, metric: str, threshold: float, rule: str | None = None, **more: Any
    ) -> Problem:
        objective = {"metric": metric, "threshold": threshold, **more}
        return problem(task, objective=objective, baseline={"rule": rule})


NEAR = {"metric": "roc_auc", "threshold": 0.55}
#: All rows in folds are not asked: what the holdout itself can tell.
HOLDOUT = {"small_holdout": 0}


def planted(rows: int, seed: int) -> pd.DataFrame:
    """A weak signal in one of three columns: the best AUC is about 0.69."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 3))
    chance = 1 / (1 + np.exp(-0.7 * x[:, 0]))
    return pd.DataFrame(x, columns=list("abc")).assign(y=(generator.random(rows) < chance) * 1)


class TestTooLittle:
    """An objective near what needs no ML takes many rows to be told."""

    @pytest.mark.parametrize(("rows", "seed"), [(400, 1), (400, 3), (800, 2)])
    def test_a_small_holdout_cannot_tell(self, rows: int, seed: int) -> None:
        verdict = decided(planted(rows, seed), problem(objective=NEAR, evaluation=HOLDOUT), seed)
        assert verdict.decision == "reevaluate"
        assert "Too little data to decide on the objective" in verdict.reasons[0]
        assert "What would help" in verdict.reasons[1]

    def test_the_rows_said_to_be_needed_are_about_enough(self) -> None:
        """What 400 rows say they need is simulated: there, most runs tell; at a fifth, few do."""
        verdict = decided(planted(400, 3), problem(objective=NEAR, evaluation=HOLDOUT), 3)
        needed = self.rows_in_all(verdict)
        assert 1000 < needed < 6000
        assert self.told(needed) >= 3
        assert self.told(needed // 5) <= 1

    def test_all_rows_in_folds_tell_what_a_small_holdout_cannot(self) -> None:
        """GIVEN 400 rows with a weak signal THEN most draws are told by all, few by 80 of them."""
        far = {"metric": "roc_auc", "threshold": 0.58}
        by_all, by_few = (
            [decided(planted(400, seed), problem(objective=far, **more), seed) for seed in range(8)]
            for more in ({}, {"evaluation": HOLDOUT})
        )
        gone_on = [sum(one.decision == "go_on" for one in found) for found in (by_all, by_few)]
        assert gone_on[0] >= gone_on[1] + 3
        told = next(one for one in by_all if one.evidence["out_of_fold"])
        assert told.evidence["holdout_rows"] == 400
        assert "were each answered by a quick model of 5 folds without it" in said(told)

    def test_noise_is_not_called_signal_by_all_rows_either(self) -> None:
        count = repeats(60, 15)
        noise = [
            planted(200, seed).assign(y=np.random.default_rng(seed + 99).integers(0, 2, 200))
            for seed in range(count)
        ]
        called = [decided(frame, problem(objective=NEAR)).decision for frame in noise]
        assert called.count("go_on") <= count * 0.07

    def test_a_clear_objective_is_told_by_few_rows(self) -> None:
        contract = problem(objective={"metric": "roc_auc", "threshold": 0.7})
        assert decided(numbers(120), contract).decision == "go_on"

    def test_what_noise_says_it_needs_is_told_too(self) -> None:
        frame = planted(300, 0).assign(y=np.random.default_rng(5).integers(0, 2, 300))
        verdict = decided(frame, problem(objective=NEAR, evaluation=HOLDOUT))
        assert "No better than chance" in verdict.reasons[0]
        assert self.rows_in_all(verdict) > 1000

    def test_a_sample_of_many_rows_does_not_hide_that_there_are_enough(self) -> None:
        small = problem(objective=NEAR, analysis={"sample_rows": 150})
        verdict = decided(planted(8000, 2), small)
        assert verdict.evidence["holdout_rows"] == 150
        assert "Too little data" not in said(verdict)

    @staticmethod
    def told(rows: int) -> int:
        """In how many of four draws the machine goes on."""
        limits = {"resamples": 300, "permutations": 200}
        quick = problem(objective=NEAR, analysis=limits, evaluation=HOLDOUT)
        outcomes = [decided(planted(rows, 100 + seed), quick, seed).decision for seed in range(4)]
        return outcomes.count("go_on")

    @staticmethod
    def rows_in_all(verdict: Verdict) -> int:
        found = re.search(r"\(([\d,]+) in all", said(verdict))
        assert found, verdict.reasons
        return int(found[1].replace(",", ""))


def test_the_flights_have_signal_beyond_the_hour() -> None:
    contract = Problem.parse(FLIGHTS)
    frame = join_sources(flights(6000), contract)
    verdict = decided(frame, contract)
    assert verdict.decision == "go_on", verdict.reasons
    assert verdict.evidence["gain_over_rule"][0] > 0
    assert "over it the quick model has a gain of" in verdict.reasons[1]


def test_thresholds_are_the_contracts() -> None:
    frame = numbers(400)
    contract = problem(analysis={"resamples": 150, "permutations": 120, "sample_rows": 100})
    verdict = decided(frame, contract)
    assert verdict.evidence["training_rows"] == 100
    assert verdict.evidence["permutation_p_value"] == pytest.approx(1 / 121)
    weak = planted(400, 0)
    strict = problem(objective=NEAR, analysis={"chance": 1e-6}, evaluation={"confidence": 0.999})
    assert "No better than chance" in decided(weak, strict).reasons[0]


@examples(60)
@given(
    metric=st.sampled_from(["roc_auc", "average_precision", "recall_at_precision"]),
    classes=st.integers(2, 4),
    seed=st.integers(0, 1000),
    decimals=st.integers(0, 3),
)
def test_all_resamples_at_once_score_as_one_by_one(
    metric: str, classes: int, seed: int, decimals: int
) -> None:
    generator = np.random.default_rng(seed)
    rows = int(generator.integers(2, 60))
    y = generator.integers(0, classes, rows)
    shape = (rows,) if classes == 2 else (rows, classes)
    prediction = generator.random(shape).round(decimals)
    counts = drawn_counts(rows, 30, generator)
    assert (counts.sum(axis=1) == rows).all()
    found = resampled_scores(metric, y, prediction, counts)
    for score, weights in zip(found, counts, strict=True):
        try:
            assert score == pytest.approx(metrics.score(metric, y, prediction, weights))
        except DataError:
            assert np.isnan(score)


def test_rows_follow_the_root_of_their_number() -> None:
    """The mean of n coins is known to 1.96 / (2 sqrt n): a tenth of the width, 100 times n."""
    generator = np.random.default_rng(0)

    def half_width(rows: int) -> float:
        y = generator.integers(0, 2, rows)
        counts = drawn_counts(rows, 1000, generator)
        drawn = resampled_scores("accuracy", y, np.ones(rows), counts)
        return Bounds.of(drawn, 0.95).half_width

    here = half_width(100)
    needed = rows_needed(here, here / 5, 100, 500)
    assert (needed.holdout, needed.total) == (2500, 12500)
    assert half_width(needed.holdout) == pytest.approx(here / 5, rel=0.15)
    assert half_width_on(here, 100, 2500) == pytest.approx(here / 5)


@pytest.mark.parametrize(("positives", "held"), [(3, 1), (9, 4)])
def test_too_few_rows_of_a_class_are_counted(positives: int, held: int) -> None:
    """GIVEN three positives in 600 rows THEN no model can be judged, however it ranks them."""
    frame = numbers(600).assign(at=pd.date_range("2024", periods=600, tz="UTC"))
    frame["y"] = 0
    frame.loc[[*range(0, 30 * (positives - held), 30), *range(500, 500 + held)], "y"] = 1
    contract = problem(event_time="at", objective={"metric": "average_precision", "threshold": 0.5})
    verdict = decided(frame, contract)
    assert verdict.decision == "reevaluate"
    told = f"{positives} of 600 rows have '1', {held} of them in the holdout, which needs 5"
    assert told in verdict.reasons[0]
    wanted = int(np.ceil(5 / (positives / 600 * 0.2)))
    assert f"about {wanted:,} rows in all" in verdict.reasons[0]


def test_a_class_of_one_season_is_sent_back_with_the_remedy() -> None:
    """GIVEN positives that training rows have at one time only THEN no fold can be scored."""
    frame = numbers(500).assign(at=pd.date_range("2024", periods=500, tz="UTC"))
    season = frame.index < 202
    frame["y"] = np.where(frame.index < 400, season, frame.index % 2).astype(int)
    frame["x"] = frame["y"] * 3 + np.random.default_rng(0).normal(size=500)
    verdict = decided(
        frame, problem(event_time="at", objective={"metric": "roc_auc", "threshold": 0.6})
    )
    assert verdict.decision == "reevaluate"
    assert verdict.reasons[0].startswith("No candidate can be compared: no folds that go forward")
    assert "collect more of them at other times" in verdict.reasons[0]
    assert verdict.evidence["folds"] == 0
