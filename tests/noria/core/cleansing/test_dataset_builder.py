"""The dataset: which columns are features, the holdout, and the rule's answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.contracts import Problem
from noria.core.cleansing import holdout_split
from noria.core.cleansing.joins import join_sources
from noria.core.data.dataset import MISSING_TIMESTAMP, Column
from noria.errors import DataError
from tests.support.data_frames import FLIGHTS, bundled, dataset_of, flights, numbers, problem
from tests.support.examples import examples


def test_the_flights_dataset_knows_nothing_from_afterwards() -> None:
    contract = Problem.parse(FLIGHTS)
    dataset = dataset_of(join_sources(flights(8000), contract), contract)
    names = set(dataset.names())
    assert not names & {"arr_delay", "late", "dep_delay", "dep_time", "air_time", "arr_time"}
    assert "flight" not in names  # thousands of flight numbers would be learnt by heart
    assert Column("carrier", "category") in dataset.columns
    assert Column("event_time", "timestamp") in dataset.columns
    assert dataset.classes == ("false", "true")
    assert dataset.event_time is not None
    latest_training = dataset.event_time[~dataset.holdout].max()
    assert latest_training < dataset.event_time[dataset.holdout].min()
    assert dataset.holdout.mean() == pytest.approx(0.2, abs=0.01)
    assert dataset.rule is not None
    assert (dataset.rule == (dataset.data["hour"] >= 17)).all()


def test_kinds_and_missing_values() -> None:
    frame = numbers(40).assign(
        word=["a", None] * 20, flag=[True, None] * 20, when=["2024-01-01T00:00:10Z", "NA"] * 20
    )
    frame.loc[0, "x"] = None
    frame = frame.assign(when=frame["when"].where(frame.index > 1, "2024-01-02"))
    contract = problem(quality={"minimum_rows": 10, "maximum_missing": 0.9})
    frame.loc[3, "flag"] = False
    dataset = dataset_of(frame, contract)
    assert np.isnan(dataset.data["x"][0])
    assert dataset.data["word"].tolist()[:2] == ["a", ""]
    assert dataset.data["flag"].tolist()[0] == 1.0
    assert dataset.data["flag"].tolist()[3] == 0.0
    assert dataset.data["when"][2] == 1704067210
    assert dataset.data["when"][3] == MISSING_TIMESTAMP


def test_a_target_column_that_the_rule_needs_stays_a_feature() -> None:
    frame = numbers(50)
    target = {"name": "t", "expression": "x > 0.1 or noise > 3"}
    dataset = dataset_of(frame, problem(target=target, baseline={"rule": "x > 0"}))
    assert dataset.names() == ["x", "y"]


def test_what_slices_go_by_is_kept_for_evaluation_alone() -> None:
    """GIVEN slices by a feature, an excluded column and a name of rows THEN all are there."""
    frame = numbers(60).assign(
        sex=["woman", None] * 30, age=np.arange(60) / 2, id=[f"p{row}" for row in range(60)]
    )
    slices = [{"column": name, "floor": 0.1} for name in ("noise", "sex", "age", "id")]
    excluded = {"exclude": ["sex", "age"]}
    objective = {"metric": "roc_auc", "threshold": 0.8, "slices": slices}
    contract = problem(features=excluded, objective=objective)
    dataset = dataset_of(frame, contract)
    assert dataset.names() == ["x", "noise"]
    assert [*dataset.slices] == ["noise", "sex", "age", "id"]
    assert dataset.slices["sex"].tolist()[:2] == ["woman", ""]
    assert dataset.slices["age"].tolist() == (np.arange(60) / 2).tolist()
    assert (dataset.slices["noise"] == dataset.data["noise"]).all()
    without = dataset_of(frame, problem(features=excluded))
    assert (dataset.holdout == without.holdout).all()


def test_no_feature_left_is_an_error() -> None:
    contract = problem(features={"exclude": ["x", "noise"]})
    with pytest.raises(DataError, match="no feature is left"):
        dataset_of(numbers(50), contract)


def test_rules_answer_for_every_task() -> None:
    frame = numbers(60).assign(z=lambda rows: rows["x"] * 2)
    regression = problem("regression", "z", baseline={"rule": "x * 2"})
    assert np.allclose(dataset_of(frame, regression).rule, frame["z"])
    words = frame.assign(guess=np.where(frame["y"] == 1, "up", "down"), w=frame["y"])
    words["w"] = np.where(words["w"] == 1, "up", "down")
    multi = problem("multiclass", "w", baseline={"rule": "guess"})
    assert (dataset_of(words, multi).rule == dataset_of(words, multi).target).all()
    with pytest.raises(DataError, match="none of the classes"):
        dataset_of(words, problem("multiclass", "w", baseline={"rule": "y"}))
    missing = frame.assign(x=frame["x"].where(frame.index > 5))
    rule = dataset_of(missing, problem(baseline={"rule": "x > -100"})).rule
    assert rule is not None
    assert rule.tolist()[:7] == [0, 0, 0, 0, 0, 0, 1]


def test_the_holdout_without_time_is_stable_and_has_every_class() -> None:
    frame = bundled("wine")
    whole = dataset_of(frame, problem("multiclass"))
    part = dataset_of(frame.iloc[20:150], problem("multiclass"))
    assert (whole.holdout[20:150] == part.holdout).all()
    assert 0.1 < whole.holdout.mean() < 0.3
    for side in (whole.training, whole.holdout_rows):
        assert set(side.target.tolist()) == {0, 1, 2}


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60), st.floats(0.05, 0.8))
@examples(200)
def test_the_latest_rows_are_held_out_and_ties_stay_together(
    times: list[int], share: float
) -> None:
    values = np.array(times, dtype=np.int64)
    mask = holdout_split.latest_rows(values, share)
    if mask is None:
        assert len(set(times)) == 1
        return
    assert mask.any()
    assert not mask.all()
    assert values[~mask].max() < values[mask].min()


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), min_size=2, max_size=40))
@examples(200)
def test_duplicates_are_on_one_side_whatever_the_order(rows: list[tuple[int, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["n", "c"])
    data = {"n": frame["n"].to_numpy(np.float32), "c": frame["c"].to_numpy(dtype="U1")}
    mask = holdout_split.hashed_rows(data, None, 0.3)
    sides = frame.assign(side=mask).groupby(["n", "c"])["side"].nunique()
    assert (sides == 1).all()
    backward = holdout_split.hashed_rows({k: v[::-1] for k, v in reversed(data.items())}, None, 0.3)
    assert (backward[::-1] == mask).all()


def test_several_rows_of_a_patient_are_on_one_side() -> None:
    """GIVEN visits without a time THEN no patient is learnt from and judged by."""
    visits = numbers(2_000).assign(patient=[f"p{row % 500}" for row in range(2_000)])
    patients = visits["patient"].to_numpy()
    dataset = dataset_of(visits, problem(entity_key=["patient"]))
    assert "patient" not in dataset.names()
    assert dataset.groups is not None
    assert pd.Series(dataset.groups).groupby(patients).nunique().eq(1).all()
    assert len(np.unique(dataset.groups)) == 500
    assert not set(patients[dataset.holdout]) & set(patients[~dataset.holdout])
    assert dataset.holdout.mean() == pytest.approx(0.2, abs=0.06)
    again = dataset_of(visits.iloc[::-1], problem(entity_key=["patient"]))
    assert (again.holdout[::-1] == dataset.holdout).all()


def test_a_key_that_is_a_feature_or_of_one_row_each_groups_nothing() -> None:
    rows = numbers(2_000)
    few = rows.assign(shop=[f"s{row % 20}" for row in range(2_000)])
    found = dataset_of(few, problem(entity_key=["shop"]))
    assert "shop" in found.names()
    assert found.groups is None
    alone = rows.assign(patient=[f"p{row}" for row in range(2_000)])
    assert dataset_of(alone, problem(entity_key=["patient"])).groups is None
