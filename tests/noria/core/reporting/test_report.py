"""The report: one whole page that opens offline, what was decided and found first."""

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from noria.contracts import Problem
from noria.core.analysis.analyse import analyse
from noria.core.cleansing.joins import join_sources
from noria.core.data.dataset import Dataset
from noria.core.model.learning_curve import LearningCurve
from noria.core.reporting.experiments_page import render_experiments
from noria.core.reporting.report import render_report
from tests.support.data_frames import FLIGHTS, bundled, dataset_of, flights, numbers, problem
from tests.support.planted_columns import HOUR, START, made, noise


class Page(HTMLParser):
    """Checks that every tag is closed in order, and gathers what the page shows and loads."""

    VOID = frozenset({"meta", "wbr", "line", "rect", "circle", "polygon", "polyline", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.headings: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.texts.append(data)
        if self.open and self.open[-1] in ("h2", "h3"):
            self.headings.append(data)


def parsed(page: str) -> Page:
    reader = Page()
    reader.feed(page)
    assert not reader.open
    assert not reader.links
    assert "script" not in reader.tags
    assert not re.search(r"url\(|@import|https?:", page.replace("https://example.org", ""))
    assert not re.search(r'="[^"]*\b(nan|inf)\b', page)
    return reader


def document(dataset: Dataset, contract: Problem, **parts: Any) -> dict[str, Any]:
    analysis = analyse(dataset, contract, parts.pop("known_afterwards", ()))
    return {
        "run": {"id": "r1", "as_of": "2013-04-01T00:00:00+00:00", "cause": {}},
        "problem": contract.to_document(),
        "analysis": analysis.model_dump(mode="json"),
        **parts,
    }


def first_screen(page: str) -> str:
    return " ".join(parsed(page[: page.index("<h2>")] + "</main></body></html>").texts)


@pytest.fixture(scope="module")
def of_flights() -> dict[str, Any]:
    contract = Problem.parse(FLIGHTS)
    return document(dataset_of(join_sources(flights(20_000), contract), contract), contract)


TRANSFORM = {
    "state": "Transform",
    "decision": "usable",
    "reasons": ["90 of 100 rows accepted, 10 quarantined"],
    "evidence": {
        "rows": 100,
        "accepted": 90,
        "rules": {"target is missing": 7, "origin is not one of EWR, JFK": 3},
        "outliers": [{"column": "price", "flagged": 4, "share": 0.04, "low": -1.5, "high": 99.0}],
        "schema_drift": ["source 'rows': column 'tail' is new"],
        "spellings": {"origin": {"ewr": "EWR"}},
        "missing_rules": {"price": "3 missing, filled with the median"},
        "dropped_columns": {"year": "the same value in every row"},
    },
}


def test_the_report_of_the_flights_is_one_whole_page(of_flights: dict[str, Any]) -> None:
    parts = {
        "experiments": [
            {"candidate": "a", "mean": 0.6, "scores": [0.6]},
            {"candidate": "b", "mean": 0.7, "scores": [0.7]},
            {"candidate": "c", "mean": None, "error": "did not converge"},
        ],
        "ending": {"name": "KeepChampion", "reasons": ["the champion is better"]},
    }
    page = render_report(of_flights | parts)
    headings = parsed(page).headings
    wanted = {
        "Balance of late", "Association with the target", "late over time", "late by hour of day",
        "late by day of week", "late by day and hour", "Rows over time", "Missing values by column",
        "Drift from the first to the last third", "Values missing together",
        "hour by late", "temp, first and last third",
    }  # fmt: skip
    assert wanted <= set(headings)
    assert page.index("The champion stays") < page.index("<h2>")
    assert page.index(">b<") < page.index(">a<") < page.index(">c<")
    assert len(page) < 400_000


def test_the_first_screen_says_what_was_found(of_flights: dict[str, Any]) -> None:
    analyse_verdict = {"state": "Analyse", "decision": "go_on", "reasons": ["There is signal: x."],
                       "evidence": {"baseline": {"name": "rule", "score": 0.61}}}  # fmt: skip
    ending = {"name": "HaltNotEffective", "reasons": ["roc_auc 0.6 misses the threshold"]}
    verdicts = [TRANSFORM, analyse_verdict]
    evaluation = {"value": 0.6432, "interval": {"low": 0.62, "high": 0.66}}
    page = render_report(
        of_flights | {"ending": ending, "verdicts": verdicts, "evaluation": evaluation}
    )
    shown = first_screen(page)
    for expected in (
        "Will this flight arrive more than 15 minutes late?",
        "Halted: no model was good enough",
        "roc_auc 0.6 misses the threshold",
        "90 of 100 rows are usable, 2013-01-01 to 2014-01-01; 10 quarantined, most because",
        "There is signal: x.",
        "The target varies with the hour of day: share with late = true is",
        "No column shows signs of target leakage.",
        "temp",
        "ROC AUC required",
        "≥ 0.66",
        "best without ML: rule",
        "0.61",
        "0.6432",
        "(0.62 to 0.66)",
    ):
        assert expected in shown, expected


def test_a_run_that_has_not_ended_shows_its_last_decision() -> None:
    contract = problem()
    verdict = {"state": "Analyse", "decision": "go_on", "reasons": ["There is signal: x."]}
    page = render_report(document(noise(0, 300), contract, verdicts=[TRANSFORM, verdict]))
    assert first_screen(page).count("There is signal: x.") == 1
    assert "Going on: there is something to learn" in first_screen(page)


def test_leakage_suspects_stand_in_the_first_screen_with_their_reason() -> None:
    y = np.arange(300) % 2
    dataset = made(y, leak=y * 10.0 + np.arange(300) / 1000, other=np.sin(np.arange(300.0)))
    page = render_report(document(dataset, problem(), known_afterwards=["other"]))
    shown = first_screen(page)
    assert "leak may leak the target: it nearly determines the target alone (ROC AUC 1)." in shown
    assert "other may leak the target: it is filled where the outcome is known" in shown
    assert "features.exclude" in " ".join(parsed(page).texts)


def test_what_was_cleaned_is_shown() -> None:
    page = render_report(document(noise(0, 300), problem(), verdicts=[TRANSFORM]))
    shown = " ".join(parsed(page).texts)
    for expected in (
        "origin is not one of EWR, JFK",
        "price: 4 below -1.5 or above 99",
        "source 'rows': column 'tail' is new",
        "origin: 'ewr' is read as 'EWR'",
        "price: 3 missing, filled with the median",
        "year: the same value in every row",
    ):
        assert expected in shown, expected
    headings = {
        "Rows quarantined", "Outliers, flagged and kept", "Merged spellings",
        "The schema changed", "Missing values", "Columns dropped",
    }  # fmt: skip
    assert headings <= set(parsed(page).headings)
    bare = render_report(document(noise(0, 300), problem(), verdicts=[{"state": "Transform"}]))
    assert "Data cleansing" not in parsed(bare).headings


@pytest.mark.parametrize(
    ("name", "task", "heading"),
    [
        ("breast_cancer", "binary", "Balance of y"),
        ("wine", "multiclass", "Balance of y"),
        ("diabetes", "regression", "Spread of y"),
    ],
)
def test_sets_without_times_have_reports_without_pictures_of_time(
    name: str, task: str, heading: str
) -> None:
    contract = problem(task)
    headings = parsed(
        render_report(document(dataset_of(bundled(name), contract), contract))
    ).headings
    assert heading in headings
    assert not [text for text in headings if "time" in text or "third" in text or "hour" in text]


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 6), ("regression", 0)])
@pytest.mark.parametrize("rows", [1, 2, 40, 3000])
def test_reports_of_few_and_of_many_rows_are_whole(task: str, classes: int, rows: int) -> None:
    page = render_report(document(noise(1, rows, classes), problem(task)))
    assert "All 11 columns" in " ".join(parsed(page).texts)


def test_an_evaluation_is_drawn_against_the_objective() -> None:
    evaluation = {
        "metric": "rmse", "value": 41.5, "threshold": 50.0, "rows": 80,
        "interval": {"low": 39.0, "high": 44.0, "confidence": 0.95},
        "baselines": {"constant": 72.25}, "weaknesses": ["underperforms where origin = LGA"],
        "comparison": {"champion_value": 43.75, "reason": "on the same rows"},
        "slices": [{"column": "origin", "value": "LGA", "rows": 9, "score": 60.5, "floor": None}],
        "metrics": {"mae": 33.1},
    }  # fmt: skip
    contract = problem("regression", objective={"metric": "rmse", "threshold": 50})
    page = render_report(document(noise(0, 300, 0), contract, evaluation=evaluation))
    shown = parsed(page).texts
    for expected in ("this run's model", "without ML: constant", "threshold 50", "41.5", "43.75",
                     "72.25", "33.1", "underperforms where origin = LGA", "60.5"):  # fmt: skip
        assert expected in shown, expected
    assert "floor" not in shown, "a column of nothing is left out"
    assert "≤ 50" in first_screen(page)
    assert 'class="tile good"><b>41.5' in page


def test_a_report_escapes_everything_and_needs_almost_nothing() -> None:
    evil: Any = '<script>alert("x")</script>'
    frame = numbers(120).assign(**{"<b>": ["<i>", "&"] * 60, "<u>": ["<s>", "<q>"] * 60})
    dataset = dataset_of(frame, problem())
    evidence = {
        "rows": 9, "accepted": 5, "rules": {evil: 4}, "schema_drift": [evil],
        "outliers": [{"column": evil, "flagged": 1, "share": 0.1, "low": 0.0, "high": 1.0}],
        "spellings": {evil: {evil: evil}}, "missing_rules": {evil: evil},
        "dropped_columns": {evil: evil}, evil: evil,
    }  # fmt: skip
    verdict = {"state": evil, "decision": evil, "reasons": [evil], "evidence": {evil: evil}}
    page = render_report(
        {
            "run": {"id": evil, "as_of": evil, "cause": {evil: [evil]}},
            "problem": {"name": evil, "statement": evil, "target": {"name": evil}},
            "verdicts": [verdict, {**verdict, "state": "Transform", "evidence": evidence}],
            "analysis": analyse(dataset, problem(), ["<b>"]).model_dump(mode="json"),
            "experiments": [{"candidate": evil, "mean": 1.0}],
            "evaluation": {
                "metrics": {evil: 1}, "slices": [{evil: evil}], "reasons": [evil],
                "metric": evil, "value": 1.0, "threshold": 2.0, "baselines": {evil: 0.5},
                "weaknesses": [evil], evil: evil,
            },
            "champion": {"version": evil, "metrics": {evil: 0.5}},
            "ending": {"name": evil, "reasons": [evil]},
        }
    )  # fmt: skip
    parsed(page)
    assert "<script" not in page
    for tag in ("<b>", "<u>", "<i>", "<s>", "<q>"):
        assert tag not in page.replace('"><b>', "").replace("<li><b>", "")
    parsed(render_report({"run": {"id": "r"}, "problem": {}}))


def test_a_season_of_numbers_is_told_in_their_unit() -> None:
    times = START + HOUR * np.arange(24 * 20)
    hour = (times // HOUR) % 24
    load = 100 + 50 * (hour == 7) + np.sin(np.arange(len(times)))
    dataset = made(load, (), times=times, x=np.cos(np.arange(len(times)) * 1.7))
    page = render_report(document(dataset, problem("regression", "load")))
    assert "mean of load is 150 at its highest (07 UTC)" in first_screen(page)


def experiment(candidate: str, mean: float | None, **more: Any) -> dict[str, Any]:
    """What ExploreModels records of a candidate."""
    return {
        "candidate": candidate, "recipe": "basic", "iteration": 1, "metric": "roc_auc",
        "scores": [mean, mean], "mean": mean, "score": mean, "std": 0.01, "fit_seconds": 0.2,
        "score_seconds": 0.1, "seconds": 0.3, "rows": 140, "features": 13, "folds": 2, "seed": 1,
        "parameters": {"max_depth": 7, "n_estimators": 100}, "run_id": "run-7",
        "code_version": "abc123", "error": None, "notes": [], **more,
    }  # fmt: skip


def table_heads(page: str, heading: str) -> list[str]:
    """The head of the first table below a heading."""
    after = page[page.index(f"<h2>{heading}</h2>") :]
    return re.findall(r"<th[^>]*>([^<]*)</th>", after[: after.index("</tr>")])


def test_settings_that_were_tried_are_listed_with_what_came_of_them() -> None:
    tried = {"setting": "larger trees", "gain": 0.021, "folds": 2, "seconds": 3.0,
             "outcome": "taken"}  # fmt: skip
    failed = {**tried, "setting": "more iterations", "gain": None, "folds": 0,
              "outcome": "failed: MemoryError: too large"}  # fmt: skip
    found = experiment("extra_trees", 0.9, setting="larger trees", trials=[tried, failed])
    usual = experiment("ridge", 0.8, setting="", trials=[])
    page = render_report(document(noise(0, 300), problem(), experiments=[found, usual]))
    assert table_heads(page, "Candidates")[:2] == ["candidate", "setting"]
    told = page[page.index("Settings tried") :]
    for text in (
        "iteration 1",
        "larger trees",
        "0.021",
        "2 of 2",
        "taken",
        "0 of 2",
        "MemoryError",
    ):
        assert text in told, text
    assert "Settings tried" not in render_report(
        document(noise(0, 300), problem(), experiments=[usual])
    )


def test_each_candidate_has_one_score_and_its_parameters_below() -> None:
    made_with = {
        "dataset_sha256": "5e" * 32, "versions": {"numpy": "2.4.1"}, "memory_megabytes": 201.5,
        "artifact_bytes": 2_002,
    }  # fmt: skip
    tried = [
        experiment("random_forest", 0.8, **made_with),
        experiment("extra_trees", 0.9, iteration=2, **made_with),
    ]
    failed = experiment("svm", None, error="ValueError: it did not converge")
    page = render_report(document(noise(0, 300), problem(), experiments=[*tried, failed]))
    heads = table_heads(page, "Candidates")
    assert heads == [
        "candidate", "ROC AUC", "std", "iteration", "recipe", "fit seconds", "rows", "features",
        "error",
    ]  # fmt: skip
    chapter = page[page.index("<h2>Candidates</h2>") : page.index("<h2>Provenance</h2>")]
    shown = "".join(parsed(f"<main>{chapter}</main>").texts)
    assert "extra_trees, iteration 2" in shown
    assert "max_depth 7, n_estimators 100" in shown
    assert "it did not converge" in shown
    assert shown.index("extra_trees") < shown.index("random_forest") < shown.index("svm")
    for told_once in ("run-7", "abc123"):
        assert told_once not in shown


def judged(**more: Any) -> dict[str, Any]:
    return {"metric": "roc_auc", "value": 1.0, "threshold": 0.8, "rows": 38, **more}


@pytest.mark.parametrize(
    ("interval", "first", "below"),
    [
        (
            {"low": None, "high": None, "confidence": 0.95, "method": "none"},
            "this run's model (no confidence interval)",
            "No confidence interval for the ROC AUC: every resample of the holdout scores the same",
        ),
        (
            {"low": 0.9075, "high": 1.0, "confidence": 0.95, "method": "exact"},
            "this run's model (0.907 to 1)",
            "95% interval of the model: 0.9075 to 1 (Clopper-Pearson, as the bootstrap is",
        ),
        (
            {"low": 0.88, "high": 0.97, "confidence": 0.9, "method": "bootstrap"},
            "this run's model (0.88 to 0.97)",
            "90% interval of the model: 0.88 to 0.97 (bootstrap), on 38 rows it never saw.",
        ),
    ],
)
def test_how_sure_the_model_is(interval: dict[str, Any], first: str, below: str) -> None:
    page = render_report(document(noise(0, 300), problem(), evaluation=judged(interval=interval)))
    assert first in first_screen(page)
    assert below in " ".join(parsed(page).texts)


def test_slices_say_first_where_they_are() -> None:
    found = [
        {"column": "origin", "floor": None, "met": None, "note": "", "rows": 9 + place,
         "score": 0.6, "value": f"v{place}"}
        for place in range(15)
    ]  # fmt: skip
    page = render_report(document(noise(0, 300), problem(), evaluation=judged(slices=found)))
    card = page[page.index("<h3>Slices</h3>") :]
    assert re.findall(r"<th[^>]*>([^<]*)</th>", card[: card.index("</tr>")]) == [
        "column", "value", "rows", "score",
    ]  # fmt: skip
    assert "<summary>3 more</summary>" in card


@pytest.mark.parametrize("rows", [1, 2])
def test_one_of_a_thing_is_told_as_one(rows: int) -> None:
    transform = {**TRANSFORM, "evidence": {"rows": rows, "accepted": rows}}
    one = made(np.zeros(rows), times=START + HOUR * np.arange(rows), x=np.zeros(rows))
    pair = {"first": "a", "second": "b", "mutual": True, "sentence": "a tells b"}
    page_of = document(one, problem(), verdicts=[transform])
    page_of["analysis"]["redundant"] = [pair] * rows
    page_of["analysis"]["time"]["missing"] = rows
    page_of["evaluation"] = judged(rows=rows, interval={"low": 0.1, "high": 1.0})
    shown = " ".join(parsed(render_report(page_of)).texts)
    assert not re.findall(r"\b1 (?:rows|columns|pairs|gaps|rules|scores)\b", shown)
    expected = {
        1: ("The only row is usable", "1 row: 1 for training", "1 pair of redundant columns",
            "1 row has no event time", "on 1 row it never saw", "The only column"),
        2: ("All 2 rows are usable", "2 rows: 2 for training", "2 pairs of redundant columns",
            "2 rows have no event time", "on 2 rows it never saw"),
    }  # fmt: skip
    assert [sentence for sentence in expected[rows] if sentence not in shown] == []


def test_a_long_statement_is_no_heading_of_a_whole_screen() -> None:
    short, long = "Will it rain?", "Will it rain in Bergen? " * 20
    pages = [
        render_report({"run": {}, "problem": {"name": "rain", "statement": statement}})
        for statement in (short, long)
    ]
    assert f"<h1>{short}</h1>" in pages[0]
    assert f'<h1 class="long">{long}</h1>' in pages[1]


def test_long_texts_in_tables_are_folded_and_lose_nothing() -> None:
    name, reason = "a_very_long_name_" * 12, "ValueError: " + "x" * 300
    failed = [experiment(name, None, error=reason), experiment("ridge", 0.5)]
    page = render_report(document(noise(0, 300), problem(), experiments=failed))
    text = "".join(parsed(page).texts)
    assert reason in text
    assert name in text
    rows = re.findall(r"<td>(.*?)</td>", page)
    assert not [cell for cell in rows if len(cell) > 200 and "<details>" not in cell]


def test_whether_more_rows_would_help_is_drawn_and_told() -> None:
    curve = LearningCurve(
        metric="roc_auc", rows=(1_000, 2_000, 4_000), scores=(0.7, 0.73, 0.74), folds=5,
        gain=0.01, error=0.002, most=0.014, sure=True, confidence=0.95, training_rows=40_000,
    )  # fmt: skip
    tried = [
        {"candidate": "ridge", "recipe": "basic", "score": 0.7, "iteration": 1},
        {"candidate": "ridge", "recipe": "basic", "score": 0.74, "iteration": 2,
         "learning_curve": curve.model_dump(mode="json")},
    ]  # fmt: skip
    told = (
        "Twice the rows, 2,000 to 4,000, gained 0.01 ± 0.002 ROC AUC in 5 folds: more rows would "
        "help, with 95% confidence (the model itself learns from 40,000)."
    )
    report = render_report(document(noise(0, 300), problem(), experiments=tried))
    assert told in report[report.index("Would more rows help?") :]
    page = render_experiments(tried, "flights")
    assert told in page[page.index("Would more rows help the winner?") :]
    assert "Would more rows help" not in render_experiments(tried[:1], "flights")
