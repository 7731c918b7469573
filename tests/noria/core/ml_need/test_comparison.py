"""Ways to answer side by side: as sure as evaluation is of the same answers on the same rows."""

import numpy as np
import pandas as pd

from noria.core.ml_need.comparison import compare_answers
from noria.core.statistics.autocorrelation import serial
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.confidence_intervals import interval_of
from noria.core.statistics.permutation_tests import target_columns
from tests.support.data_frames import dataset_of, problem

ROWS = 4000


def test_compare_answers_is_as_sure_of_a_rule_as_evaluation_is() -> None:
    """GIVEN a rule right on 800 rows that go by days THEN they are as many witnesses as days."""
    days = np.repeat(np.random.default_rng(4).integers(0, 2, ROWS // 40), 40)
    frame = pd.DataFrame({
        "at": pd.date_range("2026-01-01", periods=ROWS, freq="h"),
        "open": days,
        "noise": np.random.default_rng(5).normal(size=ROWS),
        "y": days,
    })  # fmt: skip
    contract = problem(
        "binary", objective={"metric": "accuracy", "threshold": 0.9}, event_time="at",
        baseline={"rule": "open >= 0.5"},
    )  # fmt: skip
    dataset = dataset_of(frame, contract)
    judged, training = dataset.holdout_rows, dataset.training
    compared = compare_answers(
        dataset, training, judged, contract, np.random.default_rng(0), seed=0
    )
    rule, confidence = compared.rule, contract.evaluation.confidence
    assert rule is not None
    assert rule.score == 1

    together = serial(target_columns(judged.target, rule.prediction), judged.event_time)
    assert together is not None
    assert together.length == compared.block
    replicates = Replicates("accuracy", judged.target, 0, together)
    found = interval_of(replicates, rule.prediction, confidence)
    assert (rule.interval.low, rule.interval.high) == (found.low, found.high)
    assert rule.interval.low < 0.9
