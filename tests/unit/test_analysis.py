"""Analysis, the need for ML, and the report."""

import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.contracts import Problem
from noria.core import charts
from noria.core.analysis import analyse
from noria.core.joining import join_sources
from noria.core.need import decide_need
from noria.core.relations import category_to_target, holm, number_to_target
from noria.core.report import render_report
from tests.unit.data_frames import FLIGHTS, bundled, dataset_of, flights, numbers, problem

SETS = {
    "breast_cancer": ("binary", {"metric": "roc_auc", "threshold": 0.95}),
    "diabetes": ("regression", {"metric": "r2", "threshold": 0.3}),
    "wine": ("multiclass", {"metric": "accuracy", "threshold": 0.9}),
}


@pytest.mark.parametrize("name", SETS)
def test_real_sets_need_ml(name: str) -> None:
    task, objective = SETS[name]
    contract = problem(task, objective=objective)
    dataset = dataset_of(bundled(name), contract)
    verdict = decide_need(dataset, contract, 0)
    assert verdict.decision == "go_on", verdict.reasons
    assert set(verdict.evidence["baseline"]) == {"name", "score"}
    assert json.loads(verdict.model_dump_json()) == verdict.model_dump()
    analysis = analyse(dataset, contract)
    assert any(column.related.significant for column in analysis.columns)
    json.dumps(analysis.model_dump(mode="json"), allow_nan=False)


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
    contract = problem(task, objective={"metric": metric, "threshold": 0.8})
    verdict = decide_need(dataset_of(frame, contract), contract, seed)
    assert verdict.decision == "reevaluate", verdict.reasons
    assert "What would help" in verdict.reasons[1]


def test_a_rule_that_decides_suffices() -> None:
    frame = numbers(400).assign(x=lambda rows: rows["x"] * 4)
    contract = problem(
        target={"name": "big", "expression": "x > 3"},
        baseline={"rule": "x > 3"},
        objective={"metric": "accuracy", "threshold": 0.95},
    )
    verdict = decide_need(dataset_of(frame, contract), contract, 0)
    assert verdict.decision == "rule_suffices"
    assert verdict.evidence["baseline"] == {"name": "rule", "score": 1.0}


def test_a_holdout_of_one_class_tells_nothing() -> None:
    frame = numbers(100).assign(at=pd.date_range("2024", periods=100, tz="UTC"))
    frame["y"] = (frame.index < 50).astype(int)
    contract = problem(event_time="at")
    verdict = decide_need(dataset_of(frame, contract), contract, 0)
    assert verdict.decision == "reevaluate"
    assert "All 20 holdout rows have the target '0'" in verdict.reasons[0]


def test_relations_measure_what_they_say() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 500)
    assert number_to_target(y + 0.1 * generator.normal(size=500), y, 2).value > 0.99
    assert number_to_target(generator.normal(size=500), y, 2).strength < 0.15
    words = np.where(y == 1, "a", "b")
    assert category_to_target(words, y, 2).value == pytest.approx(1, abs=0.01)
    assert category_to_target(words, y * 2.5, 0).strength > 0.99
    assert number_to_target(np.full(500, 3.0), y, 2).p_value == 1
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_leaks_and_twins_are_suspected() -> None:
    frame = numbers(500).assign(leak=lambda rows: rows["y"] * 10 + rows["noise"] / 100)
    frame["twin"] = frame["x"] * 3 + 1
    frame["code"] = np.where(frame["x"] > 0, "a", "b")
    frame["name"] = np.where(frame["x"] > 0, "Alpha", "Beta")
    analysis = analyse(dataset_of(frame, problem()), problem())
    assert analysis.leakage_suspects == ["leak"]
    pairs = {frozenset((item.first, item.second)) for item in analysis.redundant}
    assert {frozenset(("x", "twin")), frozenset(("code", "name"))} <= pairs


class Page(HTMLParser):
    """Checks that every tag is closed in order, and gathers what the page loads."""

    VOID = frozenset({"meta", "line", "rect", "circle", "polygon", "polyline", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Page:
    reader = Page()
    reader.feed(page)
    assert not reader.open
    assert not reader.links
    assert "script" not in reader.tags
    return reader


def test_the_report_of_the_flights_is_one_whole_page() -> None:
    contract = Problem.parse(FLIGHTS)
    dataset = dataset_of(join_sources(flights(4000), contract), contract)
    verdict = decide_need(dataset, contract, 0)
    document = {
        "run": {"id": "r1", "as_of": "2013-04-01T00:00:00+00:00", "cause": {}},
        "problem": contract.to_document(),
        "verdicts": [{"state": "Analyse", **verdict.model_dump()}],
        "analysis": analyse(dataset, contract).model_dump(mode="json"),
        "experiments": [
            {"candidate": "a", "mean": 0.6, "scores": [0.6]},
            {"candidate": "b", "mean": 0.7, "scores": [0.7]},
            {"candidate": "c", "mean": None, "error": "did not converge"},
        ],
        "ending": {"name": "KeepChampion", "reasons": ["the champion is better"]},
    }
    page = render_report(document)
    assert "svg" in parsed(page).tags
    assert page.index("The champion stays") < page.index("<h2>")
    assert page.index(">b<") < page.index(">a<") < page.index(">c<")


def test_a_report_escapes_everything_and_needs_almost_nothing() -> None:
    evil: Any = '<script>alert("x")</script>'
    frame = numbers(120).assign(**{"<b>": ["<i>", "&"] * 60})
    dataset = dataset_of(frame, problem())
    document = {
        "run": {"id": evil, "cause": {evil: [evil]}},
        "problem": {"name": evil, "statement": evil, "target": {"name": evil}},
        "verdicts": [
            {"state": evil, "decision": evil, "reasons": [evil], "evidence": {evil: evil}}
        ],
        "analysis": analyse(dataset, problem()).model_dump(mode="json"),
        "experiments": [{"candidate": evil, "mean": 1.0}],
        "evaluation": {"metrics": {evil: 1}, "slices": [{evil: evil}], "reasons": [evil]},
        "champion": {"version": evil, "metrics": {evil: 0.5}},
        "ending": {"name": evil, "reasons": [evil]},
    }
    page = render_report(document)
    parsed(page)
    assert "<script" not in page
    assert "<b><" not in page
    parsed(render_report({"run": {"id": "r"}, "problem": {}}))


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12,346"), (0.70512, "0.705"), (0.0, "0"), (1e-9, "1.0e-09"), (None, "–")],  # noqa: RUF001
)
def test_numbers_are_written_for_people(value: float | None, text: str) -> None:
    assert charts.number(value) == text


def test_charts_survive_constant_and_missing_values() -> None:
    assert "<svg" in charts.histogram("t", [1, 1], {"a": [1.0]}, "x")
    assert charts.line("t", [(0, None), (1, 2.0)], "y") == ""
    assert "<svg" in charts.line("t", [(0, 1.0), (1, None), (2, -1.0)], "y")
    assert "<svg" in charts.bars("t", [("a", 0.0)])
