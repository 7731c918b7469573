"""Mistakes in a contract: all at once, in words that a newcomer can act on."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.metric_table import METRICS
from noria.contracts import METRICS_OF, Problem
from noria.contracts.model_search import CANDIDATES_OF
from noria.contracts.objective import out_of_range
from noria.core.statistics import metrics
from noria.core.training.candidates import CANDIDATES
from noria.errors import ContractError, DataError
from tests.support.examples import examples

DELAYS: dict[str, Any] = {
    "name": "delays", "statement": "Will this flight arrive more than 15 minutes late?",
    "task": "binary", "target": "late", "objective": {"metric": "roc_auc", "threshold": 0.7},
    "sources": [{"name": "flights", "kind": "s3", "primary": True}],
}  # fmt: skip
WINDOW = {"column": "delay", "function": "mean", "over": "7d", "as": "usual"}
PYDANTIC = re.compile(r"[Ii]nput should|valid (list|string|dictionary|integer|number)|pattern|"
                      r"instance of|Field required|NoneType")  # fmt: skip


def mistakes(**changes: Any) -> list[str]:
    with pytest.raises(ContractError) as caught:
        Problem.parse(DELAYS | changes)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("metric", "threshold", "told"),
    [
        ("roc_auc", 1.7, "1.7 cannot be: roc_auc goes from 0 to 1"),
        ("accuracy", 90, "90 cannot be: accuracy goes from 0 to 1; did you mean 0.9?"),
        ("f1", -0.1, "-0.1 cannot be: f1 goes from 0 to 1"),
        ("log_loss", -1, "-1 cannot be: log_loss is 0 at least"),
        ("rmse", -5, "-5 cannot be: rmse is 0 at least"),
        ("r2", 1.2, "1.2 cannot be: r2 is 1 at most"),
    ],
)
def test_a_threshold_that_the_metric_cannot_reach(
    metric: str, threshold: float, told: str
) -> None:  # fmt: skip
    task = "regression" if metric in METRICS_OF["regression"] else "binary"
    objective = {"metric": metric, "threshold": threshold}
    assert mistakes(task=task, objective=objective) == [f"objective.threshold: {told}"]


def test_every_threshold_in_units_of_the_metric_is_held_to_its_range() -> None:
    objective = DELAYS["objective"] | {
        "minimum_gain": 2, "slices": [{"column": "a", "floor": 0.5}, {"column": "b", "floor": 65}],
    }  # fmt: skip
    assert mistakes(objective=objective, monitoring={"quality_floor": 1.1}) == [
        "objective.slices[1].floor: 65 cannot be: roc_auc goes from 0 to 1; did you mean 0.65?",
        "objective.minimum_gain: 2 cannot be gained: roc_auc goes from 0 to 1",
        "monitoring.quality_floor: 1.1 cannot be: roc_auc goes from 0 to 1",
    ]


@given(st.integers(0, 2**32 - 1))
def test_metrics_stay_within_the_ranges_that_the_contract_knows(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = int(random.integers(2, 12))
    classes, numbers = random.integers(0, 2, rows), random.normal(size=rows)
    for name in METRICS:
        regression = name in METRICS_OF["regression"]
        guess = random.normal(size=rows) if regression else random.random(rows)
        try:
            value = metrics.score(name, numbers if regression else classes, guess)
        except DataError:  # undefined there, such as a rank of one class
            continue
        assert out_of_range(name, value) is None, (name, value)


def test_the_ends_of_the_ranges_are_reached() -> None:
    """GIVEN the best and the worst answers THEN every end that the contract knows is a value."""
    truth = np.array([0, 1, 0, 1])
    for name, row in METRICS.items():
        least, largest = row.least, row.largest
        best, worst = metrics.score(name, truth, truth), metrics.score(name, truth, 1 - truth)
        if not metrics.is_better_higher(name):
            assert best == pytest.approx(least, abs=1e-12), name
            continue
        assert best == largest, name
        # The share of positives bounds what ranking them last still gets.
        assert least is None or worst <= 0.5, name


def test_the_contract_knows_the_metrics_and_candidates_that_there_are() -> None:
    assert set(METRICS) == set(metrics.FUNCTIONS)
    for task, names in CANDIDATES_OF.items():
        suited = [
            name
            for name, one in CANDIDATES.items()
            if (one.regressor if task == "regression" else one.classifier) is not None
        ]
        assert list(names) == suited


@pytest.mark.parametrize(
    ("changes", "field", "meant"),
    [
        ({"objective": {"metric": "auc", "threshold": 0.7}}, "objective.metric", "roc_auc"),
        ({"objective": {"metric": "ROC AUC", "threshold": 0.7}}, "objective.metric", "roc_auc"),
        ({"task": "Bianry"}, "task", "binary"),
        ({"sources": [{"name": "a", "kind": "S3", "primary": True}]}, "sources[0].kind", "s3"),
        ({"sources": [{"name": "a", "kind": "google-sheets", "sheet": "1234567890"}]},
         "sources[0].kind", "google_sheet"),
        ({"features": {"recipes": ["calender"]}}, "features.recipes[0]", "calendar"),
        ({"features": {"windows": [WINDOW | {"function": "max"}]}},
         "features.windows[0].function", "maximum"),
        ({"exploration": {"candidates": ["random_forrest"]}}, "exploration.candidates[0]",
         "random_forest"),
        ({"quality": {"columns": {"a": {"type": "integer"}}}}, "quality.columns.a.type", "int"),
        ({"quality": {"columns": {"a": {"missing": "medan"}}}}, "quality.columns.a.missing",
         "median"),
        ({"quality": {"columns": {"a": {"missing": {"valu": 1}}}}},
         "quality.columns.a.missing.valu", "value"),
        ({"quality": {"schema_drift": "reprot"}}, "quality.schema_drift", "report"),
        ({"deployment": {"auth": "IAM"}}, "deployment.auth", "iam"),
        ({"retraining": {"on": ["age", "new-rows"]}}, "retraining.on[1]", "new_rows"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_known_suggests_the_nearest(
    changes: dict[str, Any], field: str, meant: str
) -> None:
    lines = mistakes(**changes)
    [line] = [line for line in lines if line.startswith(f"{field}: ")]
    assert f"did you mean '{meant}'?" in line


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quality": {"maximum_missing": "40%"}},
         "quality.maximum_missing: '40%' is no number; write 0.4"),
        ({"quality": {"minimum_rows": "1,000"}},
         "quality.minimum_rows: '1,000' is no whole number; write 1000"),
        ({"quality": {"minimum_rows": 99.5}},
         "quality.minimum_rows: 99.5 is no whole number; write one"),
        ({"features": {"exclude": "dep_delay"}},
         "features.exclude: 'dep_delay' is no list; write for example [dep_delay]"),
        ({"entity_key": {"a": 1}},
         "entity_key: is a mapping and no list; begin each entry with a hyphen"),
        ({"features": {"recipes": "calendar"}},
         "features.recipes: 'calendar' is not known; write 'auto' or a list; write for example "
         "[calendar]"),
        ({"objective": 0.7}, "objective: 0.7 is no mapping; its fields are alarm_share, costs, "
         "metric, minimum_gain, minimum_precision, minimum_recall, slices, threshold"),
        ({"objective": None}, "objective: is empty; its fields are alarm_share, costs, metric, "
         "minimum_gain, minimum_precision, minimum_recall, slices, threshold"),
        ({"statement": None}, "statement: is empty; write a text"),
        ({"event_time": 2013}, "event_time: 2013 is no text; write one, in quotes: '2013'"),
        ({"deployment": {"approval": "maybe"}},
         "deployment.approval: 'maybe' is neither true nor false; write one of them"),
        ({"sources": [{"name": "My Flights", "kind": "s3", "primary": True}]},
         "sources[0].name: 'My Flights' does not fit; write lower case, digits and underscores, a "
         "letter first, such as flight_plans"),
        ({"sources": [{"name": "a", "kind": "http", "primary": True, "url": "www.x.org"}]},
         "sources[0].url: 'www.x.org' does not fit; write an address that begins with https://"),
        ({"positive_class": ["late"]}, "positive_class: a list cannot stand here; write a text, a "
         "whole number, a number or true or false"),
        ({"quality": {"columns": {7: {}}}},
         "quality.columns[7]: 7 is no text; write the name of a column, in quotes"),
        ({"exploration": {"candidates": ["ridge"]}},
         "exploration.candidates[0]: 'ridge' is no candidate for a binary task; use one of "
         "logistic_regression, hist_gradient_boosting, extra_trees, random_forest, "
         "decision_tree, neural_network, support_vectors"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_told_in_our_words(
    changes: dict[str, Any], told: str
) -> None:  # fmt: skip
    assert mistakes(**changes) == [told]
    assert not PYDANTIC.search(told)


def test_field_mistakes_and_contradictions_come_together() -> None:
    """GIVEN a field that cannot be read THEN what the others contradict is told with it."""
    lines = mistakes(
        statement="Late?",
        objective={"metric": "rmse", "threshold": "70%"},
        sources=[
            {"name": "flights", "kind": "s3", "primary": True, "join": {"on": ["a"]}},
            {"name": "weather", "kind": "s3"},
            {"name": "planes", "kind": "http", "url": "http://x.org/a", "join": {"on": ["t"]}},
        ],
        features={"windows": [WINDOW, WINDOW | {"function": "avg"}], "retention": "1d"},
        quality={"columns": {"a": {"minimum": 2, "maximum": 1, "typ": "int"}}},
        monitoring={"every": "often", "label_delay": "40d", "label_window": "30d"},
    )  # fmt: skip
    fields = [
        "statement", "objective.threshold", "objective.metric", "sources", "sources",
        "sources[2]", "features.windows[1].function", "features", "features", "monitoring.every",
        "monitoring", "quality.columns.a", "quality.columns.a.typ", "features.windows needs",
        "features.windows needs", "features.windows",
    ]  # fmt: skip
    for field in set(fields):
        found = [line for line in lines if re.match(rf"{re.escape(field)}(: |(?<=needs) )", line)]
        assert len(found) == fields.count(field), (field, lines)
    assert len(lines) == len(fields)
    assert not any(map(PYDANTIC.search, lines))


def test_what_follows_from_a_mistake_is_not_told_beside_it() -> None:
    """GIVEN a field in doubt THEN nothing is concluded from its absence."""
    windows = {"windows": [WINDOW]}
    misspelt = mistakes(entity_kye=["tailnum"], event_time="departure", features=windows)
    assert misspelt == [
        "entity_kye: is not a field of the contract; did you mean 'entity_key'?"
    ]  # fmt: skip
    assert len(mistakes(baseline={"rule": "hour >", "serve": True})) == 1
    assert len(mistakes(task="binry", objective={"metric": "rmse", "threshold": 1})) == 1
    assert len(mistakes(objective={"metric": "auc", "threshold": 17})) == 1
    assert len(mistakes(sources=[{"name": "a", "kind": "ftp", "primary": True}])) == 1
    assert len(mistakes(sources=[])) == 1


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"positive_class": "x", "task": "multiclass"}, "positive_class: "),
    ({"monitoring": {"quality_floor": 2}}, "monitoring.quality_floor: "),
    ({"baseline": {"serve": True}}, "baseline: "),
    ({"deployment": {"auth": "jwt"}}, "deployment: "),
    ({"features": {"windows": [WINDOW, WINDOW]}}, "features: "),
]


@examples(100, quick=30)
@given(st.sets(st.sampled_from(range(len(CONTRADICTIONS))), min_size=1), st.booleans())
def test_no_contradiction_hides_another(chosen: set[int], misspelt: bool) -> None:
    changes: dict[str, Any] = {"retraining": {"monthly_runs": "many"}} if misspelt else {}
    for number in chosen:
        changes |= CONTRADICTIONS[number][0]
    lines = mistakes(**changes)
    for number in chosen:
        assert any(line.startswith(CONTRADICTIONS[number][1]) for line in lines), lines
    assert any(line.startswith("retraining.monthly_runs: ") for line in lines) == misspelt
