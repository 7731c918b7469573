"""Every threshold is the contract's: another value there decides otherwise."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_curve

from noria.contracts import Analysis, Problem
from noria.core.analysis.analyse import analyse
from noria.core.analysis.dataset_shift import shifts
from noria.core.analysis.redundancy import redundant_pairs
from noria.core.analysis.seasonality import seasons
from noria.core.analysis.time_coverage import profile_time
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.post_outcome_columns import post_outcome_columns
from noria.core.evaluation.baselines import trivial_answers
from noria.core.evaluation.evaluate import evaluate
from noria.core.evaluation.parity import check_parity
from noria.core.evaluation.slices import slice_results
from noria.core.evaluation.verdicts import beats_champion
from noria.core.ml_need.decision import decide_need
from noria.errors import ParityError
from tests.support.data_frames import bundled, dataset_of, numbers, problem
from tests.support.planted_columns import DAY, HOUR, START, made, with_missing


def pairs(limits: dict[str, Any], **columns: Any) -> int:
    rows = len(next(iter(columns.values())))
    return len(redundant_pairs(made(np.arange(rows) % 2, **columns), Analysis(**limits)))


class TestPairs:
    """Columns of which one adds little."""

    def test_rows_in_common(self) -> None:
        x = np.random.default_rng(0).normal(size=40)
        assert pairs({}, x=x, y=2 * x) == 1
        assert pairs({"fewest_rows": 41}, x=x, y=2 * x) == 0

    def test_the_share_of_rows_in_common(self) -> None:
        x = np.random.default_rng(0).normal(size=1000)
        twice = with_missing(2 * x, np.arange(1000) >= 400)
        assert pairs({}, x=x, y=twice) == 0
        assert pairs({"shared_rows": 0.4}, x=x, y=twice) == 1

    def test_rows_that_could_contradict(self) -> None:
        odd = np.arange(400) < 8
        names, codes = np.where(odd, "odd", "usual"), np.where(odd, "1", "0")
        assert pairs({}, name=names, code=codes) == 0
        assert pairs({"contradictions": 7}, name=names, code=codes) == 1

    def test_rows_that_pairs_are_compared_on(self) -> None:
        frame = numbers(1000).assign(alike=lambda rows: rows["x"] + rows["noise"] / 10)
        found = []
        for rows in (100, 1000):
            contract = problem(analysis={"pair_rows": rows})
            (pair,) = analyse(dataset_of(frame, contract), contract).redundant
            found.append(pair.value)
        assert found[0] != found[1]
        assert found[0] == pytest.approx(found[1], abs=0.02)


class TestTime:
    """Rhythm, seasons and thirds of the time."""

    @staticmethod
    def pause(days: int, **limits: Any) -> float | None:
        """Rows in the daytime; two days of every five go on through the night."""
        hours = [
            START + day * DAY + hour * HOUR / 4
            for day in range(days)
            for hour in range(96 if day % 5 < 2 else 40)
        ]
        times = np.array(hours, dtype=np.int64)
        dataset = made(np.arange(len(times)) % 2, x=np.zeros(len(times)), times=times)
        found = profile_time(dataset, Analysis(gap=5, **limits))
        assert found is not None
        return found.usual_pause

    def test_the_share_of_days_that_make_a_rhythm(self) -> None:
        assert self.pause(20) is None
        assert self.pause(20, rhythm=0.5) == pytest.approx(14.25 * HOUR)

    def test_the_days_that_make_a_rhythm(self) -> None:
        assert self.pause(5, rhythm=0.4) is not None
        assert self.pause(5, rhythm=0.4, rhythm_cycles=6) is None

    def test_the_cycles_that_make_a_season(self) -> None:
        times = START + HOUR // 10 * np.arange(360)
        y = (times // HOUR % 24 >= 12).astype(int)
        dataset = made(y, x=np.zeros(360), times=times)
        assert seasons(dataset, Analysis()) == []
        assert [one.name for one in seasons(dataset, Analysis(season_cycles=1))] == ["hour of day"]

    def test_the_rows_of_a_third(self) -> None:
        x = np.repeat([0.0, 5.0], 60) + np.random.default_rng(0).normal(size=120)
        dataset = made(np.arange(120) % 2, x=x, times=START + DAY * np.arange(120))
        assert len(shifts(dataset, problem()).columns) == 1
        assert shifts(dataset, problem(analysis={"fewest_rows": 41})).columns == []

    def test_the_latest_rows_of_a_trivial_answer(self) -> None:
        training = made(np.arange(100) >= 80, x=np.zeros(100), times=START + DAY * np.arange(100))
        shares = [
            trivial_answers(training, training, "accuracy", recent)["recent shares"][0]
            for recent in (0.1, 0.4)
        ]
        assert shares == pytest.approx([10.5 / 11, 20.5 / 41])


class TestTarget:
    """Which targets and keys can be learnt, and what is known afterwards only."""

    @staticmethod
    def reasons(labels: list[Any], **limits: Any) -> str:
        frame = numbers(len(labels)).assign(y=labels)
        found = cleanse(frame, problem("multiclass", analysis=limits)).verdict
        return "" if found.decision == "usable" else "\n".join(found.reasons)

    def test_how_many_classes_can_be_learnt(self) -> None:
        labels = [f"c{i % 120}" for i in range(600)]
        assert "group them, or raise analysis.maximum_classes" in self.reasons(labels)
        assert self.reasons(labels, maximum_classes=120) == ""

    def test_how_many_fractions_are_a_quantity(self) -> None:
        labels = [i % 30 / 2 for i in range(600)]
        assert "continuous" in self.reasons(labels)
        assert self.reasons(labels, continuous_values=30) == ""

    def test_which_entity_keys_are_features(self) -> None:
        frame = numbers(600).assign(shop=[f"s{i % 30}" for i in range(600)])
        for limits, kept in (
            ({}, True), ({"entity_categories": 29}, False), ({"entity_rows": 21}, False),
            ({"entity_rows": 20}, True),
        ):  # fmt: skip
            contract = problem(entity_key=["shop"], analysis=limits)
            assert ("shop" in dataset_of(frame, contract).names()) is kept, limits

    def test_the_rows_that_tell_what_is_known_afterwards(self) -> None:
        target = pd.Series([1.0, 0.0] * 30 + [None] * 15)
        values = pd.DataFrame({"paid": target * 3})
        assert post_outcome_columns(values, target, ["paid"], late=0.5, fewest=20) == []
        assert post_outcome_columns(values, target, ["paid"], late=0.5, fewest=15) == ["paid"]


class TestJudging:
    """How models are held to the objective."""

    y = np.random.default_rng(0).integers(0, 2, 400)
    scores = 1 / (1 + np.exp(-(2 * (y - 0.5) + np.random.default_rng(1).normal(size=400))))

    def judged(self, champion: Any, **sections: Any) -> Any:
        return evaluate(problem(**sections), self.y, {}, self.scores, self.scores, champion, {})

    def test_slices(self) -> None:
        column = np.where(
            np.arange(400) < 29, "small", np.where(np.arange(400) < 100, "mid", "big")
        )
        objective = {
            "metric": "roc_auc", "threshold": 0.5, "slices": [{"column": "c", "floor": 0.99}],
        }  # fmt: skip

        def met(**evaluation: Any) -> dict[str, bool | None]:
            contract = problem(objective=objective, evaluation=evaluation)
            found = slice_results(contract, self.y, {"c": column}, self.scores)
            return {one.value: one.met for one in found}

        assert met() == {"big": False, "mid": False, "small": None}
        assert met(slice_rows=20) == {"big": False, "mid": False, "small": False}
        assert met(slice_values=2) == {"big": False, "mid": False}

    def test_parity(self) -> None:
        moved = np.clip(self.scores + 1e-5, 0, 1)
        assert check_parity(self.y, moved, self.scores, "binary", 1e-4).holds
        with pytest.raises(ParityError, match="differ by more than 1e-06"):
            check_parity(self.y, moved, self.scores, "binary", 1e-6)

    def test_the_champion(self) -> None:
        noise = np.random.default_rng(2).normal(size=400)
        champion = 1 / (1 + np.exp(-(2.1 * (self.y - 0.5) + noise)))
        by_default = beats_champion(self.judged(champion))
        assert by_default.decision == "wins"
        assert "with 80% confidence at least" in by_default.reasons[0]
        strict = beats_champion(self.judged(champion, evaluation={"champion_confidence": 0.999}))
        assert strict.decision == "loses"

    def test_intervals_of_rows_alike_are_wider(self) -> None:
        """Ten copies of each row, one after another, are no ten witnesses."""
        times = np.repeat(np.arange(400), 10)
        y, scores = np.repeat(self.y, 10), np.repeat(self.scores, 10)
        alone = evaluate(problem(), y, {}, scores, scores, None, {}).interval
        together = evaluate(problem(), y, {}, scores, scores, None, {}, times=times).interval
        honest = evaluate(problem(), self.y, {}, self.scores, self.scores, None, {}).interval
        width = honest.high - honest.low
        assert together.high - together.low == pytest.approx(width, rel=0.25)
        assert alone.high - alone.low < 0.5 * width


class TestPrecision:
    """The share of alarms that must be right."""

    @staticmethod
    def asking(precision: float | None) -> Problem:
        given = {} if precision is None else {"minimum_precision": precision}
        return problem(objective={"metric": "recall_at_precision", "threshold": 0.3, **given})

    @pytest.mark.parametrize("precision", [0.7, 0.8, 0.95])
    def test_a_model_is_judged_by_it(self, precision: float) -> None:
        y, scores = TestJudging.y, TestJudging.scores
        found = evaluate(self.asking(precision), y, {}, scores, scores, None, {})
        precisions, recalls, _ = precision_recall_curve(y, scores)
        assert found.value == pytest.approx(recalls[precisions >= precision].max())
        assert found.interval.low < found.value < found.interval.high
        assert found.metric == "recall_at_precision"

    def test_so_is_the_need_of_ml(self) -> None:
        columns = ["mean texture", "mean smoothness", "mean symmetry", "y"]
        frame = bundled("breast_cancer")[columns].assign(y=lambda rows: 1 - rows["y"])
        reached = []
        for precision in (0.6, None, 0.95):
            contract = self.asking(precision)
            verdict = decide_need(dataset_of(frame, contract), contract, 0)
            reached.append(verdict.evidence["scores"][-1]["score"])
        assert reached[0] > reached[1] > reached[2]
