"""History windows that cannot be: each is told with its field and remedy, before anything runs."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from noria.contracts import Problem, parse_duration
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.data.dataset import Dataset
from noria.core.feature_store.feature_set import define
from noria.core.feature_store.versioning import compare_versions, evolve
from noria.core.windows.run_windows import with_windows
from noria.errors import ContractError, DataError, FeatureError

WINDOW = {"column": "amount", "function": "mean", "over": "7d", "as": "usual"}
ORDERS: dict[str, Any] = {
    "name": "orders", "statement": "Will this order be returned by its buyer?", "task": "binary",
    "target": "returned", "entity_key": ["buyer"], "event_time": "ordered",
    "sources": [{"name": "orders", "kind": "s3", "primary": True}],
    "quality": {"minimum_rows": 10}, "objective": {"metric": "roc_auc", "threshold": 0.7},
}  # fmt: skip


def orders(**features: Any) -> Problem:
    return Problem.parse(ORDERS | {"features": {"windows": [WINDOW], **features}})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"entity_key": []}, "features.windows needs entity_key: 'usual' is the history of an"),
        ({"event_time": None}, "features.windows needs event_time"),
        ({"features": {"windows": [{**WINDOW, "over": "1d"}]}},
         r"'usual' over 1d never sees a row, as each is known only after features.delay 2d"),
        ({"features": {"windows": [WINDOW], "delay": "3h", "refresh": "12h"}},
         "features.delay 3h is shorter than features.refresh 12h, in which rows reach"),
        ({"features": {"windows": [WINDOW], "delay": "0s"}}, "delay 0s is shorter than .* 1h"),
        ({"features": {"windows": [WINDOW], "delay": "2w"}}, "shorten the delay or widen"),
        ({"features": {"windows": [WINDOW], "retention": "3d"}},
         "retention 3d is shorter than window 'usual' over 7d"),
        ({"features": {"windows": [{**WINDOW, "column": "returned"}], "delay": "6h"}},
         "'usual' is of a column that is known afterwards only, monitoring.label_delay 1d after"),
        ({"features": {"windows": [WINDOW], "exclude": ["amount"], "delay": "6h"}},
         "widen the delay, or say how soon outcomes come in label_delay"),
        ({"features": {"windows": [WINDOW, WINDOW]}}, "windows give 'usual' to two features"),
        ({"features": {"windows": [{**WINDOW, "as": "run"}]}},
         r"features.windows\[0\].as: 'run' is a column that the feature store has for itself"),
        ({"features": {"windows": [WINDOW], "refresh": "30m"}}, "refresh is .* 1h or more"),
        ({"features": {"windows": [{**WINDOW, "over": "0.5s"}]}}, "over is a whole number of sec"),
        ({"features": {"windows": [{**WINDOW, "function": "median"}]}}, "function: .*'time_since'"),
    ],
)  # fmt: skip
def test_windows_that_cannot_be(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError, match=told):
        Problem.parse(ORDERS | {"features": {"windows": [WINDOW]}} | changes)


@pytest.mark.parametrize(
    ("features", "delay", "refresh"),
    [({}, "2d", "1d"), ({"delay": "1h"}, "1h", "1h"), ({"delay": "6h"}, "6h", "3h"),
     ({"refresh": "12h"}, "36h", "12h")],
)  # fmt: skip
def test_history_is_as_old_as_labels_and_a_refresh_unless_said(
    features: dict[str, Any], delay: str, refresh: str
) -> None:
    problem = orders(**features)
    spans = problem.feature_delay, problem.feature_refresh
    assert spans == (parse_duration(delay), parse_duration(refresh))


def test_an_execution_cannot_ask_for_what_the_stack_has_no_table_for() -> None:
    changes = {"features": {"windows": [WINDOW]}}
    with pytest.raises(ContractError, match="needs a stack that was deployed with windows"):
        Problem.parse(ORDERS).merged(changes)
    longer = {"features": {"windows": [{**WINDOW, "over": "30d"}]}}
    assert orders().merged(longer).features.windows[0].over == timedelta(days=30)


def table(rows: int = 40) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "buyer": [f"b{n % 4}" for n in range(rows)],
            "ordered": pd.date_range("2024-05-01", periods=rows, freq="6h", tz="UTC"),
            "amount": [float(n) for n in range(rows)],
            "shop": ["Oslo", "Kyiv"] * (rows // 2),
            "returned": [n % 3 == 0 for n in range(rows)],
        }
    )


def expanded(problem: Problem) -> Dataset:
    cleansing = cleanse(table(), problem)
    dataset = to_dataset(cleansing.accepted, problem, cleansing.columns)
    return with_windows(dataset, cleansing.accepted, problem)


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({"column": "price"}, "'usual' reads 'price', which the accepted rows do not have; they"),
        ({"column": "shop"}, "'usual' is the mean of 'shop', which holds no numbers; use count"),
        ({"as": "amount"}, "'amount' is a column already; choose another as"),
        ({"as": "returned"}, "'returned' is a column already; choose another as"),
    ],
)
def test_windows_that_do_not_fit_the_data(window: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        expanded(orders(windows=[{**WINDOW, **window}]))


def test_history_of_a_targets_positive_class() -> None:
    """GIVEN a buyer with an order a day THEN a window of the target is the share of returns."""
    share = {"column": "returned", "function": "mean", "over": "5d", "as": "share"}
    shops = {"column": "shop", "function": "count", "over": "5d", "as": "orders_before"}
    found = expanded(orders(windows=[share, shops], delay="1d")).data
    # Orders of a buyer are a day apart, and yesterday's is not known until a tile after a day.
    assert found["orders_before"][[0, 4, 8, 12, 39]].tolist() == [0, 0, 1, 2, 4]
    assert found["share"][39] == sum(n % 3 == 0 for n in (19, 23, 27, 31)) / 4


FEATURES = [{"name": "amount", "kind": "number"}, {"name": "shop", "kind": "text"}]
BUYER = [{"name": "buyer", "kind": "text"}]
SUM = {"name": "spent", "column": "amount", "function": "sum", "over": 3_600}


@pytest.mark.parametrize(
    ("windows", "told"),
    [
        ([{**SUM, "column": "x"}], "window 'spent' reads 'x', which is no column of the set"),
        ([{**SUM, "column": "shop"}], "sum needs numbers, and 'shop' is text; use count or"),
        ([{**SUM, "name": "amount"}], "'amount' is taken"),
        ([SUM, SUM], "'spent' is taken"),
        ([{**SUM, "name": "event_time"}], "'event_time' is taken"),
    ],
)
def test_sets_whose_windows_cannot_be(windows: list[Any], told: str) -> None:
    with pytest.raises(FeatureError, match=told):
        define(entity_key=BUYER, features=FEATURES, windows=windows)


def test_a_set_without_entities_has_no_history() -> None:
    with pytest.raises(FeatureError, match="give the set an entity_key"):
        define(features=FEATURES, windows=[SUM])


def test_a_window_is_added_to_a_version_and_changed_in_a_new_one() -> None:
    plain = define(entity_key=BUYER, features=FEATURES)
    added = evolve(plain, define(entity_key=BUYER, features=FEATURES, windows=[SUM], delay=60))
    assert (added.version, [window.name for window in added.windows]) == (1, ["spent"])
    assert compare_versions(plain, added).sentences == ["added: spent"]
    for changed in ({"windows": [{**SUM, "over": 7_200}], "delay": 60},
                    {"windows": [SUM], "delay": 90}, {"windows": [], "delay": 60}):  # fmt: skip
        other = evolve(added, define(entity_key=BUYER, features=FEATURES, **changed))
        assert other.version == 2


@pytest.mark.parametrize(
    ("names", "stored", "windows"),
    [(None, ["amount", "shop"], ["spent"]), (["spent"], [], ["spent"]),
     (["shop", "spent"], ["shop"], ["spent"]), (["shop"], ["shop"], [])],
)  # fmt: skip
def test_features_and_windows_are_asked_for_by_name(
    names: list[str] | None, stored: list[str], windows: list[str]
) -> None:
    one = define(entity_key=BUYER, features=FEATURES, windows=[SUM])
    found = one.split(names)
    assert ([f.name for f in found[0]], [w.name for w in found[1]]) == (stored, windows)
    with pytest.raises(FeatureError, match="no feature 'spend'"):
        one.split(["spend"])
