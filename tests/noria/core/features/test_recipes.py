"""Recipes climb a ladder; encodings are exact, leak nothing and take whatever comes."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.evaluation.error_findings import Findings
from noria.core.features.encoders import OneHot, Ordinal, TargetMeans
from noria.core.features.feature_encoder import FeatureEncoder, frame_of
from noria.core.features.plan import Plan, has_next, ladder, make_plan
from noria.core.features.time_encoders import Calendar
from noria.errors import FeatureError
from tests.support.examples import examples
from tests.support.model_data import mixed, problem, real

NUMBER, CATEGORY, TIME, TEXT = (
    Column("n", "number"),
    Column("c", "category"),
    Column("t", "timestamp"),
    Column("words", "text"),
)

SEVEN = ("basic", "calendar", "windows", "target_encoding", "interactions", "text", "selection")


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ([NUMBER], ["basic", "interactions"]),
        ([NUMBER, Column("m", "number")], ["basic", "interactions"]),
        ([CATEGORY], ["basic", "target_encoding"]),
        ([TIME], ["basic", "calendar"]),
        ([NUMBER, CATEGORY, TIME], ["basic", "calendar", "target_encoding", "interactions"]),
        ([TEXT], ["basic"]),
        ([NUMBER, TEXT], ["basic", "interactions", "text"]),
        (
            [NUMBER, CATEGORY, TIME, TEXT],
            ["basic", "calendar", "target_encoding", "interactions", "text", "selection"],
        ),
    ],
)
def test_ladder_leaves_out_what_changes_nothing(columns: list[Column], names: list[str]) -> None:
    found = [recipe.name for recipe in ladder(columns, problem())]
    assert [name for name in found if name in SEVEN] == names


def test_next_rung_stops_at_the_top_and_at_the_contract() -> None:
    dataset = mixed(300, 2)
    names = [rung.name for rung in ladder(dataset, problem())]
    plans = [make_plan(dataset, problem(), turn) for turn in range(len(names))]
    left = [has_next(dataset, problem(), turn, one, Findings()) for turn, one in enumerate(plans)]
    assert left == [turn < min(3, len(names) - 1) for turn in range(len(names))]
    once = problem(features={"maximum_iterations": 1})
    assert [has_next(dataset, once, i, plans[i], Findings()) for i in range(2)] == [True, False]


def test_each_rung_adds_features_and_survives_json() -> None:
    dataset = mixed(300, 2)
    widths = []
    for iteration in range(4):  # the fifth, selection, takes features away
        plan = make_plan(dataset, problem(), iteration, "few = a lags")
        assert Plan.model_validate_json(plan.model_dump_json()) == plan
        encoder = FeatureEncoder(plan, "tree", 2).fit(frame_of(dataset), dataset.target)
        widths.append(len(encoder.get_feature_names_out()))
        assert encoder.transform(frame_of(dataset)).shape == (300, widths[-1])
    assert sorted(set(widths)) == widths
    assert "few = a lags" in plan.why


def test_no_columns_and_no_such_rung_are_errors() -> None:
    with pytest.raises(FeatureError, match=r"features\.exclude"):
        ladder([], problem())
    with pytest.raises(FeatureError, match="iteration 9"):
        make_plan(mixed(50, 2), problem(), 9)


@examples(200)
@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_calendar_agrees_with_the_standard_library(moment: datetime) -> None:
    seconds = int((moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // SECOND)
    frame = pd.DataFrame({"t": np.array([seconds, MISSING_TIMESTAMP])})
    found = Calendar("t", cycles=True).transform(frame)
    expected = [
        moment.hour * 60 + moment.minute, moment.weekday(), moment.timetuple().tm_yday
    ]  # fmt: skip
    assert found[0, :3].tolist() == expected
    assert np.isnan(found[1]).all()
    assert found[0, 3] == pytest.approx(np.sin(2 * np.pi * expected[0] / 1440), abs=1e-6)


SECOND = datetime(1970, 1, 1, 0, 0, 1) - datetime(1970, 1, 1)  # noqa: DTZ001


def test_categories_keep_rank_and_pool_the_unseen() -> None:
    train = pd.DataFrame({"c": ["b", "b", "a", None, "a", "b"]})
    new = pd.DataFrame({"c": ["b", "a", "", "zebra"]})
    ordinal = Ordinal("c").fit(train, np.zeros(6))
    assert ordinal.transform(new).ravel().tolist() == [0, 1, 2, -1]
    hot = OneHot("c", texts=2).fit(train, np.zeros(6))
    assert hot.names == ["c = b", "c = a", "c = other"]
    assert hot.transform(new).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]


def test_target_means_do_not_leak_into_training_rows() -> None:
    """With one category per row the mean of the other rows says nothing about the target."""
    rows = 400
    target = np.random.default_rng(0).integers(0, 2, rows)
    frame = pd.DataFrame({"c": [f"id{i}" for i in range(rows)]})
    step = TargetMeans("c", 2)
    trained = step.fit_transform(frame, target).ravel()
    assert abs(np.corrcoef(trained, target)[0, 1]) < 0.2
    assert np.corrcoef(step.transform(frame).ravel(), target)[0, 1] > 0.99
    unseen = step.transform(pd.DataFrame({"c": ["new"]}))
    assert unseen[0, 0] == pytest.approx(target.mean())


@pytest.mark.parametrize("family", ["forest", "linear"])
def test_families_that_need_it_get_no_missing_values(family: str) -> None:
    dataset = mixed(300, 3)
    encoder = FeatureEncoder(make_plan(dataset, problem(), 3), family, 3)
    trained = encoder.fit_transform(frame_of(dataset), dataset.target)
    fresh = encoder.transform(frame_of(mixed(200, 3, seed=5, unseen=True)))
    assert trained.dtype == fresh.dtype == np.float32
    assert np.isfinite(trained).all()
    assert np.isfinite(fresh).all()
    assert trained.shape[1] == len(encoder.get_feature_names_out())


def test_a_column_without_values_and_a_constant_are_harmless() -> None:
    dataset = Dataset(
        (NUMBER, Column("k", "number")),
        {"n": np.full(20, np.nan), "k": np.full(20, 3e38)},
        np.arange(20) % 2,
        ("0", "1"),
        np.zeros(20, bool),
    )
    for family in ("tree", "forest", "linear"):
        encoder = FeatureEncoder(make_plan(dataset, problem(), 1), family, 2)
        values = encoder.fit_transform(frame_of(dataset), dataset.target)
        assert not np.isinf(values).any()


def test_strongest_numbers_come_first() -> None:
    dataset, asked = real("binary")
    plan = make_plan(dataset, asked, 1)
    assert len(plan.parts["pairs"]) == 6
    assert plan.parts["pairs"][0][0].startswith("worst")
