"""The problem contract: what it takes, what it refuses, and what an execution may change."""

import copy
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.contracts import (
    Canary,
    ColumnRule,
    DatabaseSource,
    Fill,
    GoogleSheetSource,
    HttpSource,
    Join,
    Objective,
    Problem,
    S3Source,
    Slice,
    Target,
    Window,
    format_duration,
    parse_duration,
)
from noria.contracts.model_search import CANDIDATES_OF
from noria.errors import ContractError

SMALL = """
name: penguins
statement: Which species is this penguin, from measurements a field worker can take?
task: multiclass                 # binary | multiclass | regression
target: species
sources:
  - {name: penguins, kind: s3, primary: true}      # files under incoming/penguins/
objective: {metric: accuracy, threshold: 0.9}
"""
LARGE = """
name: flight-delays
statement: >-
  At a flight's scheduled departure, tell the operations desk whether it will arrive more than
  15 minutes late, so that connections can be rebooked early.
task: binary
target: {name: late, expression: "arr_delay > 15"}
positive_class: true
entity_key: [carrier, flight]
event_time: sched_departure
sources:
  - {name: flights, kind: s3, format: csv, primary: true}
  - {name: weather, kind: s3, format: csv, join: {on: [origin], as_of: time_hour, tolerance: 1h}}
  - {name: planes, kind: s3, format: csv, join: {on: [tailnum]}}
  - {name: airlines, kind: http, url: https://example.org/airlines.csv, join: {on: [carrier]}}
quality:
  minimum_rows: 200
  maximum_missing: 0.4
  on_violation: quarantine
  maximum_quarantined: 0.05
  columns:
    distance: {type: float, minimum: 0}
    origin: {type: category, allowed: [EWR, JFK, LGA]}
features:
  exclude: [dep_delay, dep_time, arr_time, air_time, arr_delay]
  windows: []
  maximum_iterations: 3
objective:
  metric: roc_auc
  threshold: 0.66
  minimum_gain: 0.02
  slices: [{column: origin, floor: 0.60}]
baseline: {rule: "hour >= 17"}
exploration: {candidates: auto, folds: 5, seconds: 120, rows: 50000}
evaluation: {holdout: 0.2, confidence: 0.95}
deployment: {auth: iam, approval: false, canary: {share: 0.1, minutes: 10}}
monitoring: {every: 1h, drift: 0.2, label_delay: 1d, quality_floor: 0.64}
retraining:
  on: [drift, quality, new_rows, age]
  new_rows: 20000
  maximum_age: 90d
  cooldown: 6h
  monthly_runs: 30
  stop_after_failed_challengers: 3
"""


def load(text: str, folder: Path) -> Problem:
    path = folder / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    return Problem.load(path)


@pytest.fixture
def small(tmp_path: Path) -> Problem:
    return load(SMALL, tmp_path)


@pytest.fixture
def large(tmp_path: Path) -> Problem:
    return load(LARGE, tmp_path)


@pytest.fixture
def document(small: Problem) -> dict[str, Any]:
    return small.to_document()


def refusal(document: Any) -> str:
    with pytest.raises(ContractError) as caught:
        Problem.parse(document)
    return str(caught.value)


def test_the_small_contract_gets_the_documented_defaults(small: Problem) -> None:
    assert small.target == Target(name="species", expression=None)
    assert small.sources == [S3Source(kind="s3", name="penguins", primary=True)]
    assert small.primary is small.sources[0]
    assert (small.positive_class, small.entity_key, small.event_time) == (None, [], None)
    assert small.event_time_column is None
    documented = {
        "minimum_rows": 100, "maximum_missing": 0.4, "on_violation": "quarantine",
        "maximum_quarantined": 0.05, "unique": [], "checks": [], "outliers": 3.5,
        "schema_drift": "report", "numeric_share": 0.98, "identifier_share": 0.9, "columns": {},
        "maximum_text": 32_767,
    }  # fmt: skip
    assert documented.items() <= small.quality.model_dump().items()
    assert small.analysis.model_dump() == {
        "sample_rows": 20_000, "significance": 0.05, "leakage": 0.98, "on_leak": "ask",
        "late": 0.5, "late_rows": 20,
        "fewest_rows": 30, "redundancy": 0.95, "pair_rows": 5000, "shared_rows": 0.5, "words": 100,
        "contradictions": 10, "seasonality": 0.01, "season_cycles": 2, "cell_rows": 20, "gap": 20,
        "rhythm": 0.8, "rhythm_cycles": 5, "maximum_classes": 100, "continuous_values": 20,
        "entity_categories": 200, "entity_rows": 10, "recent": 0.1, "resamples": 1000,
        "permutations": 500, "stretches": 16, "chance": 0.01,
    }  # fmt: skip
    assert small.scaling.model_dump() == {"memory": 3008, "lambda_rows": 4_000_000}
    documented = {
        "exclude": [], "windows": [], "recipes": "auto", "maximum_iterations": 3,
        "weakness_rows": 10_000, "weakness_share": 0.002, "little_use": 0.02,
        "selection_columns": 4, "smoothing_rows": 20, "one_hot_values": 20, "word_features": 100,
        "word_rows": 5, "word_share": 0.001, "word_strength": 3.84,
    }  # fmt: skip
    assert documented.items() <= small.features.model_dump().items()
    assert (small.objective.minimum_gain, small.objective.slices) == (0.0, [])
    assert small.objective.minimum_precision == 0.8
    assert small.baseline.rule is None
    assert small.exploration.model_dump() == {
        "candidates": "auto", "folds": 5, "fewest_folds": 5, "seconds": 120,
        "stop": "best", "trials": 28, "blend": True, "rows": 50_000,
    }  # fmt: skip
    assert small.evaluation.model_dump() == {
        "holdout": 0.2, "confidence": 0.95, "slice_rows": 30, "slice_values": 50,
        "parity": 1e-4, "champion_confidence": 0.8, "objective_confidence": 0.8, "class_rows": 5,
        "small_holdout": 200,
    }  # fmt: skip
    assert (small.deployment.auth, small.deployment.approval) == ("iam", False)
    assert small.deployment.canary == Canary(share=0.1, minutes=10)
    assert small.deployment.snap_start is False
    assert small.monitoring.every == timedelta(hours=1)
    assert (small.monitoring.drift, small.monitoring.quality_floor) == (0.2, None)
    assert small.monitoring.label_delay == timedelta(days=1)
    assert small.monitoring.waiting == timedelta(days=30)
    limits = ("minimum_predictions", "minimum_labels", "minimum_values")
    assert [getattr(small.monitoring, name) for name in limits] == [200, 200, 50]
    assert small.retraining.on == ["drift", "quality", "new_rows", "age"]
    assert small.retraining.new_rows == 20_000
    assert small.retraining.maximum_age == timedelta(days=90)
    assert small.retraining.cooldown == timedelta(hours=6)
    assert small.retraining.monthly_runs == 30
    assert small.retraining.stop_after_failed_challengers == 3


def test_the_large_contract_says_what_it_says(large: Problem) -> None:
    assert large.name == "flight-delays"
    assert large.statement.endswith("so that connections can be rebooked early.")
    assert "\n" not in large.statement
    assert large.target == Target(name="late", expression="arr_delay > 15")
    assert large.positive_class is True
    assert large.entity_key == ["carrier", "flight"]
    assert large.event_time_column == "sched_departure"
    assert large.primary.name == "flights"
    assert [source.format for source in large.sources] == ["csv", "csv", "csv", None]
    assert large.sources[1].join == Join(
        on=["origin"], as_of="time_hour", tolerance=timedelta(hours=1)
    )
    assert large.sources[2].join == Join(on=["tailnum"])
    airlines = large.sources[3]
    assert isinstance(airlines, HttpSource)
    assert airlines.url == "https://example.org/airlines.csv"
    assert large.quality.minimum_rows == 200
    assert large.quality.columns == {
        "distance": ColumnRule(type="float", minimum=0),
        "origin": ColumnRule(type="category", allowed=["EWR", "JFK", "LGA"]),
    }
    assert large.features.exclude[-1] == "arr_delay"
    assert (large.objective.metric, large.objective.threshold) == ("roc_auc", 0.66)
    assert large.objective.minimum_gain == 0.02
    assert large.objective.slices == [Slice(column="origin", floor=0.6)]
    assert large.baseline.rule == "hour >= 17"
    assert large.monitoring.quality_floor == 0.64


def test_a_computed_event_time_gets_a_name_of_its_own(document: dict[str, Any]) -> None:
    document["event_time"] = "day + minutes(minute)"
    assert Problem.parse(document).event_time_column == "event_time"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {"kind": "google_sheet", "sheet": "1AbC_def-ghij", "range": "A:F", "secret": "sheets"},
            GoogleSheetSource,
        ),
        ({"kind": "database", "engine": "mysql", "secret": "db", "table": "t"}, DatabaseSource),
        (
            {"kind": "database", "engine": "postgresql", "secret": "db", "query": "select 1",
             "columns": ["a"], "watermark": "changed_at"},
            DatabaseSource,
        ),
        ({"kind": "http", "url": "http://example.org/x", "insecure": True}, HttpSource),
    ],
)  # fmt: skip
def test_every_kind_of_source(
    document: dict[str, Any], source: dict[str, Any], expected: type
) -> None:
    document["sources"] = [{"name": "rows", "primary": True, **source}]
    problem = Problem.parse(document)
    assert type(problem.primary) is expected
    assert Problem.parse(problem.to_document()) == problem


def test_yaml_words_stay_text(tmp_path: Path) -> None:
    text = SMALL + "features: {exclude: [on, no, y, off, NO, yes]}\nretraining: {on: [age]}\n"
    problem = load(text, tmp_path)
    assert problem.features.exclude == ["on", "no", "y", "off", "NO", "yes"]
    assert problem.retraining.on == ["age"]


@pytest.mark.parametrize("word", ["true", "True"])
def test_yaml_true_is_true(tmp_path: Path, word: str) -> None:
    text = SMALL.replace("primary: true", f"primary: {word}")
    assert load(text, tmp_path).primary.primary is True


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: [", "is not a YAML file"),
        ("a: b: c", "is not a YAML file"),
        ("!!python/object/apply:os.system ['true']", "is not a YAML file"),
        ("name: a\nname: b\n", "'name' is given twice"),
        (SMALL + "objective: {metric: accuracy, threshold: 0.1}", "'objective' is given twice"),
        ("- a\n", "holds a list; a contract is a mapping with name"),
        ("a text", "holds 'a text'; a contract is a mapping with name"),
        ("", "is empty; a contract is a mapping with name"),
        ("# only a comment\n", "is empty; a contract is a mapping with name"),
        ("name: a\n\n  task: b\n", "line 3: mapping values .* indent fields of one section alike"),
        ("name: a\nsources:\n\t- x\n", "line 3: .*; indent with spaces, not tabs$"),
        ("a: 1\nobjective: {b: 1}\nobjective: {b: 2}", "line 3: 'objective' .* first in line 2;"),
        ("a: 2013-02-30", "day is out of range for month; put the value in quotes"),
        ("a: \x07", "line 1 holds the character #x07, which no text has"),
        ("[" * 5000, "is nested too deeply"),
        ("a: &a [*a]", "is not a field"),
    ],
)
def test_files_that_are_no_contract(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ContractError, match=problem):
        load(text, tmp_path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no contract at .*check the path"):
        Problem.load(tmp_path / "absent.yaml")
    with pytest.raises(ContractError, match="cannot be read"):
        Problem.load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9t\xe9")
    with pytest.raises(ContractError, match="is not a YAML file: line 1 holds bytes that are no"):
        Problem.load(tmp_path / "latin.yaml")
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(ContractError, match=r"is not a YAML file: line 1 .*; name the contract"):
        Problem.load(tmp_path / "picture.yaml")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"type": "int", "format": "%Y"}, "format is for type timestamp, not 'int'"),
        ({"type": "text", "unit": "km"}, "unit is for type int or float, not 'text'"),
        ({"type": "float", "pattern": "a+"}, "pattern is for type category or text"),
        ({"source_unit": "mi"}, "source_unit needs unit"),
        ({"type": "category", "missing": "mean"}, "missing: mean is for numbers"),
        ({"required": True, "missing": "median"}, "contradict each other"),
        ({"aliases": {"a": ["x"], "b": "x"}}, "give 'x' two meanings"),
        ({"missing": "drop"}, "'keep', 'quarantine', 'median'"),
        ({"minimum": 2, "maximum": 1}, "minimum 2.0 is above maximum 1.0"),
        ({"timezone": "../etc"}, "write an IANA time zone such as Europe/Berlin"),
    ],
)
def test_rules_that_contradict_themselves(
    document: dict[str, Any], rule: dict[str, Any], told: str
) -> None:
    document["quality"] = {"columns": {"size": rule}}
    assert told in refusal(document)
    assert "quality.columns.size" in refusal(document)


def test_aliases_may_be_written_as_yaml_reads_them(tmp_path: Path) -> None:
    rules = "quality: {columns: {ok: {type: bool, aliases: {true: [ja, 1], false: nein}}}}\n"
    problem = load(SMALL + rules, tmp_path)
    assert problem.quality.columns["ok"].aliases == {"true": ["ja", "1"], "false": ["nein"]}
    with pytest.raises(ContractError, match=r"quality\.columns\.ok\.aliases"):
        load(SMALL + "quality: {columns: {ok: {aliases: [ja]}}}\n", tmp_path)


def test_a_rule_writes_one_text_or_a_list(document: dict[str, Any]) -> None:
    document["quality"] = {
        "columns": {
            "sold": {"format": "%d/%m/%Y", "timezone": "Europe/Berlin"},
            "city": {"aliases": {"New York": "NY", "Boston": ["BOS", "Bos."]}},
            "size": {"unit": "km", "missing": {"value": 0}},
        }
    }
    problem = Problem.parse(document)
    columns = problem.quality.columns
    assert columns["sold"].format == ["%d/%m/%Y"]
    assert columns["city"].aliases == {"New York": ["NY"], "Boston": ["BOS", "Bos."]}
    assert columns["size"].missing == Fill(value=0)
    assert Problem.parse(problem.to_document()) == problem


PRIMARY = {"name": "rows", "kind": "s3", "primary": True}
WINDOW = {"column": "a", "function": "mean", "over": "1d", "as": "b"}


@pytest.mark.parametrize(
    ("change", "field", "suggestion"),
    [
        ({"objectiv": {}}, "objectiv", "did you mean 'objective'?"),
        ({"quality": {"minimum_row": 5}}, "quality.minimum_row", "'minimum_rows'"),
        ({"quality": {"columns": {"a": {"minimun": 1}}}}, "quality.columns.a.minimun", "'minimum'"),
        ({"quality": {"columns": {"http": {"alowed": [1]}}}}, "quality.columns.http.alowed",
         "'allowed'"),
        ({"features": {"windows": [{**WINDOW, "ovr": "1d"}]}}, "features.windows[0].ovr", "'over'"),
        ({"features": {"windows": [{**WINDOW, "as_": "b"}]}}, "features.windows[0].as_", "'as'"),
        ({"sources": [{**PRIMARY, "formt": "csv"}]}, "sources[0].formt", "'format'"),
        ({"sources": [{**PRIMARY, "join": {"onn": ["a"]}}]}, "sources[0].join.onn", "'on'"),
        ({"sources": [{"name": "rows", "kind": "http", "uri": "x"}]}, "sources[0].uri", "'url'"),
        ({"target": {"name": "a", "expresion": "b"}}, "target.expresion", "'expression'"),
        ({"deployment": {"canary": {"shar": 1}}}, "deployment.canary.shar", "'share'"),
        ({"objective": {"metric": "accuracy", "threshold": 1, "slices": [{"colum": "a"}]}},
         "objective.slices[0].colum", "'column'"),
        ({"evaluation": {"xyz": 1}}, "evaluation.xyz", "the fields there are champion_confidence"),
    ],
)  # fmt: skip
def test_an_unknown_field_suggests_the_nearest(
    document: dict[str, Any], change: dict[str, Any], field: str, suggestion: str
) -> None:
    lines = refusal({**document, **change}).splitlines()
    line = next(line for line in lines if line.startswith(f"{field}: "))
    assert "is not a field of the contract" in line
    assert suggestion in line


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"name": "Penguins"}, "name", ["'Penguins'", "write lower case, digits and hyphens"]),
        ({"statement": "short"}, "statement", ["'short'", "10 characters at least"]),
        ({"task": "cluster"}, "task", ["'cluster'", "'multiclass'"]),
        ({"target": ""}, "target", ["''", "1 character at least"]),
        ({"target": 5}, "target", ["5", "write a column's name as text"]),
        ({"target": {"expression": "a > 1"}}, "target.name", ["is missing; add it"]),
        ({"target": {"name": "a", "expression": "os.x"}}, "target.expression",
         ["'os.x'", "outside the grammar; allowed are"]),
        ({"baseline": {"rule": "a >"}}, "baseline.rule", ["'a >'", "write for example"]),
        ({"event_time": "f(x)"}, "event_time", ["'f(x)'", "allowed are"]),
        ({"objective": {"metric": "auc", "threshold": 1}}, "objective.metric",
         ["'auc'", "did you mean 'roc_auc'?"]),
        ({"objective": {"metric": "accuracy", "threshold": "x"}}, "objective.threshold",
         ["'x'", "is no number; write one"]),
        ({"objective": {"metric": "accuracy", "threshold": float("nan")}}, "objective.threshold",
         ["nan", "finite"]),
        ({"objective": {"metric": "rmse", "threshold": 1}}, "objective.metric",
         ["'rmse' does not suit task 'multiclass'", "use one of accuracy"]),
        ({"positive_class": "x"}, "positive_class", ["'multiclass'", "leave it out"]),
        ({"sources": []}, "sources", ["at least 1"]),
        ({"sources": [{"name": "rows"}]}, "sources[0].kind", ["is missing", "google_sheet"]),
        ({"sources": [{"name": "rows", "kind": "ftp"}]}, "sources[0].kind", ["'ftp'", "database"]),
        ({"sources": [{**PRIMARY, "primary": False, "join": {"on": ["a"]}}]}, "sources",
         ["exactly one source is primary: true, not 0"]),
        ({"sources": [PRIMARY, {**PRIMARY, "name": "more"}]}, "sources", ["not 2"]),
        ({"sources": [PRIMARY, {"name": "rows", "kind": "s3", "join": {"on": ["a"]}}]}, "sources",
         ["'rows' is used twice"]),
        ({"sources": [PRIMARY, {"name": "more", "kind": "s3"}]}, "sources",
         ["'more' needs join: {on: [...]}"]),
        ({"sources": [{**PRIMARY, "join": {"on": ["a"]}}]}, "sources",
         ["'rows' must not have a join"]),
        ({"sources": [PRIMARY, {"name": "b", "kind": "s3", "join": {"on": []}}]},
         "sources[1].join.on", ["at least 1"]),
        ({"sources": [PRIMARY, {"name": "b", "kind": "s3", "join": {"on": ["a"], "as_of": "t"}}]},
         "sources", ["join.as_of needs event_time"]),
        ({"sources": [PRIMARY, {"name": "b", "kind": "s3",
                                "join": {"on": ["a"], "tolerance": "1h"}}]},
         "sources[1].join", ["tolerance needs as_of"]),
        ({"sources": [{**PRIMARY, "kind": "http", "url": "http://example.org/x"}]}, "sources[0]",
         ["use https, or set insecure: true"]),
        ({"sources": [{**PRIMARY, "kind": "http", "url": "file:///etc/passwd"}]},
         "sources[0].url", ["'file:///etc/passwd'"]),
        ({"sources": [{**PRIMARY, "kind": "database", "engine": "mysql", "secret": "s"}]},
         "sources[0]", ["give either table or query"]),
        ({"sources": [{**PRIMARY, "kind": "database", "engine": "oracle", "secret": "s",
                       "table": "t"}]}, "sources[0].engine", ["'oracle'", "'postgresql'"]),
        ({"quality": {"maximum_missing": 40}}, "quality.maximum_missing",
         ["40", "write 1 at most", "did you mean 0.4?"]),
        ({"quality": {"columns": {"a": {"minimum": 2, "maximum": 1}}}}, "quality.columns.a",
         ["minimum 2.0 is above maximum 1.0"]),
        ({"quality": {"columns": {"s3": {"type": "decimal"}}}}, "quality.columns.s3.type",
         ["'decimal'", "'float'"]),
        ({"exploration": {"candidates": "all"}}, "exploration.candidates",
         ["'all'", "'auto'", "list"]),
        ({"evaluation": {"holdout": 1}}, "evaluation.holdout", ["1", "less than 0.9"]),
        ({"deployment": {"auth": "jwt"}}, "deployment", ["jwt_issuer and jwt_audience"]),
        ({"monitoring": {"every": "90s"}}, "monitoring.every", ["'90s'", "whole number"]),
        ({"monitoring": {"every": "0m"}}, "monitoring.every", ["'0m'", "1m or more"]),
        ({"monitoring": {"label_delay": "8w", "label_window": "30d"}}, "monitoring",
         ["label_window 30d ends before labels come, after label_delay 56d"]),
        ({"retraining": {"on": ["drfit"]}}, "retraining.on[0]", ["'drfit'", "'drift'"]),
        ({"retraining": {"monthly_runs": 0}}, "retraining.monthly_runs", ["0", "write 1 at least"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_field_value_and_remedy(
    document: dict[str, Any], change: dict[str, Any], field: str, told: list[str]
) -> None:
    lines = [line for line in refusal({**document, **change}).splitlines() if line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{field}: ")
    assert told
    for part in told:
        assert part in lines[0]


def test_all_mistakes_are_told_at_once(document: dict[str, Any]) -> None:
    del document["statement"]
    document |= {
        "task": "cluster", "target": {"name": "a", "expression": "import os"}, "nam": 1,
    }  # fmt: skip
    fields = [line.partition(":")[0] for line in refusal(document).splitlines()]
    assert sorted(fields) == ["nam", "statement", "target.expression", "task"]


@pytest.mark.parametrize("missing", ["name", "statement", "task", "target", "sources", "objective"])
def test_six_fields_have_no_default(document: dict[str, Any], missing: str) -> None:
    del document[missing]
    assert refusal(document) == f"{missing}: is missing; add it"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)), ("10m", timedelta(minutes=10)), ("6h", timedelta(hours=6)),
        ("90d", timedelta(days=90)), ("2w", timedelta(days=14)), ("1.5h", timedelta(minutes=90)),
        (" 1 d ", timedelta(days=1)), ("0s", timedelta(0)),
    ],
)  # fmt: skip
def test_durations(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "value", [6, 1.5, 0, True, None, "6", "6 hours", "-6h", "PT6H", "h", "1h30m", "1e3s", "٣h", [],
              "99999999999999d", "36501d"]
)  # fmt: skip
def test_what_is_no_duration_is_refused(document: dict[str, Any], value: Any) -> None:
    document["retraining"] = {"cooldown": value}
    assert refusal(document).startswith("retraining.cooldown: a duration is ")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36500)))
def test_durations_are_written_as_they_are_read(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


def test_to_document_leaves_defaults_out(small: Problem, large: Problem) -> None:
    assert small.to_document() == {
        "name": "penguins",
        "statement": small.statement,
        "task": "multiclass",
        "target": {"name": "species"},
        "sources": [{"name": "penguins", "kind": "s3", "primary": True}],
        "objective": {"metric": "accuracy", "threshold": 0.9},
    }
    assert large.to_document()["sources"][1]["join"]["tolerance"] == "1h"
    assert Problem.parse(large.to_document()) == large


names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
durations = st.integers(1, 10**6).map(lambda n: timedelta(seconds=n))
minutes = st.integers(1, 10**5).map(lambda n: timedelta(minutes=n))
shares = st.floats(0, 1)
labels = st.text(max_size=5) | st.integers() | st.booleans() | st.floats(-9, 9)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


rules = optional(
    type=st.sampled_from(["int", "float"]), minimum=st.floats(-5, 0), maximum=st.floats(0, 5),
    required=st.booleans(),
) | optional(
    type=st.sampled_from(["category", "text", "timestamp", "bool"]), required=st.booleans(),
    allowed=st.lists(labels, max_size=3),
)  # fmt: skip
windows = st.fixed_dictionaries(
    {
        "column": names,
        "function": st.sampled_from(["count", "mean"]),
        "over": durations,
        "as": names,
    }
)
documents = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[a-z][a-z0-9-]{1,40}", fullmatch=True),
        "statement": st.text(min_size=10, max_size=60),
        "task": st.just("binary"),
        "target": names | st.fixed_dictionaries({"name": names, "expression": st.just("a > 1")}),
        "sources": names.map(lambda name: [{"name": name, "kind": "s3", "primary": True}]),
        "objective": st.fixed_dictionaries(
            {"metric": st.sampled_from(["roc_auc", "f1"]), "threshold": st.floats(0, 1)},
            optional={"minimum_gain": shares},
        ),
    },
    optional={
        "positive_class": labels,
        "entity_key": st.lists(names, max_size=2),
        "event_time": names.map("{} + hours(1)".format),
        "quality": optional(
            minimum_rows=st.integers(10, 10**6), maximum_missing=shares,
            columns=st.dictionaries(names, rules, max_size=2),
        ),
        "features": optional(exclude=st.lists(names), windows=st.lists(windows, max_size=2)),
        "exploration": optional(candidates=st.just("auto") | st.lists(
            st.sampled_from(CANDIDATES_OF["binary"]), max_size=2
        )),
        "deployment": optional(
            approval=st.booleans(), canary=st.none() | optional(minutes=st.floats(0, 60))
        ),
        "monitoring": optional(every=minutes, label_delay=durations, quality_floor=shares),
        "retraining": optional(
            on=st.lists(st.sampled_from(["drift", "age"])), maximum_age=durations,
            cooldown=durations,
        ),
    },
)  # fmt: skip


def with_history(document: dict[str, Any]) -> dict[str, Any]:
    """Give windows what they need: an entity, a time, and names and periods that fit."""
    windows = document.get("features", {}).get("windows")
    if not windows:
        return document
    named = {window["as"]: window for window in windows}
    listed = [window | {"over": "2h", "column": "spent"} for window in named.values()]
    features = document["features"] | {"windows": listed, "delay": "1h"}
    key = document.get("entity_key") or ["k"]
    return {"event_time": "t"} | document | {"features": features, "entity_key": key}


@given(documents.map(with_history))
def test_any_contract_survives_json(document: dict[str, Any]) -> None:
    problem = Problem.parse(document)
    written = json.loads(json.dumps(problem.to_document()))
    again = Problem.parse(written)
    assert again == problem
    assert again.to_document() == written
    assert problem.merged({}) == problem
    assert type(again.positive_class) is type(problem.positive_class)


# What an execution's input may change.


def test_mappings_merge_lists_and_scalars_replace(large: Problem) -> None:
    changed = large.merged(
        {
            "objective": {"threshold": 0.7},
            "features": {"exclude": ["dep_delay"]},
            "quality": {"columns": {"distance": {"maximum": 5000}}},
            "monitoring": {"every": "2h"},
        }
    )
    assert changed.objective == large.objective.model_copy(update={"threshold": 0.7})
    assert changed.features.exclude == ["dep_delay"]
    assert changed.quality.columns["distance"] == ColumnRule(type="float", minimum=0, maximum=5000)
    assert changed.quality.columns["origin"] == large.quality.columns["origin"]
    assert changed.monitoring.every == timedelta(hours=2)
    assert changed.sources == large.sources
    assert large.objective.threshold == 0.66


def test_a_list_of_sources_replaces_the_list(large: Problem) -> None:
    kept = large.to_document()["sources"][:3]
    kept[1]["join"]["tolerance"] = "30m"
    changed = large.merged({"sources": kept})
    assert [source.name for source in changed.sources] == ["flights", "weather", "planes"]
    assert changed.sources[1].join == Join(
        on=["origin"], as_of="time_hour", tolerance=timedelta(minutes=30)
    )


def test_a_target_by_name_replaces_an_expression(large: Problem) -> None:
    assert large.merged({"target": "cancelled"}).target == Target(name="cancelled")


@pytest.mark.parametrize(
    ("position", "change", "field"),
    [
        (3, {"url": "https://example.org/other.csv"}, "url"),
        (3, {"kind": "s3", "url": None}, "kind"),
        (0, {"kind": "http", "url": "https://example.org/x.csv"}, "kind"),
        (1, {"name": "elsewhere"}, "kind"),
        (3, {"url": "http://example.org/airlines.csv", "insecure": True}, "url, insecure"),
    ],
)
def test_where_data_comes_from_stays(
    large: Problem, position: int, change: dict[str, Any], field: str
) -> None:
    sources = copy.deepcopy(large.to_document()["sources"])
    changed = {k: v for k, v in {**sources[position], **change}.items() if v is not None}
    sources[position] = changed
    with pytest.raises(ContractError) as caught:
        large.merged({"sources": sources})
    assert f"'{changed['name']}' changes {field}" in str(caught.value)
    assert "change the contract and deploy it" in str(caught.value)


DATABASE = {"name": "rows", "primary": True, "kind": "database", "engine": "mysql", "secret": "a",
            "query": "select 1", "columns": ["x"]}  # fmt: skip
SHEET = {"name": "rows", "primary": True, "kind": "google_sheet", "sheet": "1234567890"}


@pytest.mark.parametrize(
    ("source", "field", "value"),
    [
        (DATABASE, "engine", "redshift"), (DATABASE, "secret", "admin"),
        (DATABASE, "query", "select password from users"), (DATABASE, "columns", ["y"]),
        (SHEET, "sheet", "0987654321"), (SHEET, "range", "B:C"), (SHEET, "secret", "other"),
    ],
)  # fmt: skip
def test_secrets_queries_and_addresses_stay(
    document: dict[str, Any], source: dict[str, Any], field: str, value: Any
) -> None:
    deployed = Problem.parse({**document, "sources": [source]})
    with pytest.raises(ContractError, match=f"'rows' changes {field}, which only a deployed"):
        deployed.merged({"sources": [{**source, field: value}]})
    assert deployed.merged({"sources": [source]}) == deployed


def test_a_source_cannot_be_added(small: Problem) -> None:
    more = {"name": "more", "kind": "s3", "join": {"on": ["id"]}}
    with pytest.raises(ContractError, match="'more' changes kind"):
        small.merged({"sources": [*small.to_document()["sources"], more]})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "other"}, "name 'other' differs from the deployed 'flight-delays'"),
        ({"deployment": {"approval": True}}, "deployment cannot be changed"),
        ({"deployment": {"canary": None}}, "deployment cannot be changed"),
        ({"objective": {"treshold": 0.7}}, "objective.treshold: .*did you mean 'threshold'"),
        ({"objective": {"metric": "rmse"}}, "'rmse' does not suit task 'binary'"),
        ({"objective": None}, "objective: "),
        (["objective"], "a mapping of contract fields, not list"),
        (None, "a mapping of contract fields, not NoneType"),
    ],
)
def test_what_an_execution_may_not_change(large: Problem, changes: Any, told: str) -> None:
    with pytest.raises(ContractError, match=told):
        large.merged(changes)


def test_the_json_schema_takes_the_examples(small: Problem, large: Problem) -> None:
    schema = Problem.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for problem in (small, large):
        validator.validate(problem.to_document())
        validator.validate(problem.model_dump(mode="json", by_alias=True))
    validator.validate({**small.to_document(), "target": "species"})


@pytest.mark.parametrize(
    "change",
    [
        {"objectiv": 1}, {"task": "cluster"}, {"retraining": {"cooldown": 6}}, {"sources": []},
        {"retraining": {"cooldown": "6 hours"}}, {"quality": {"maximum_missing": 2}},
        {"sources": [{"name": "rows", "kind": "ftp"}]}, {"name": "Capital"}, {"target": 5},
    ],
)  # fmt: skip
def test_the_json_schema_refuses_what_parse_refuses(
    document: dict[str, Any], change: dict[str, Any]
) -> None:
    changed = {**document, **change}
    refusal(changed)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, Problem.model_json_schema())


def described() -> dict[str, tuple[dict[str, Any], str]]:
    """Each property of the JSON Schema, as section.field, with its description."""
    schema = Problem.model_json_schema()
    sections = {"Problem": schema, **schema["$defs"]}
    return {
        f"{section}.{name}": (field, field.get("description", ""))
        for section, found in sections.items()
        for name, field in found.get("properties", {}).items()
    }


def test_every_field_says_what_it_means() -> None:
    fields = described()
    assert len(fields) > 120
    silent = [name for name, (_, said) in fields.items() if len(said) < 10 or said[-1] != "."]
    assert silent == []
    assert not any("\n" in said for _, said in fields.values())


DECIDING = (
    "Analysis", "Evaluation", "Exploration", "Quality", "Canary", "Scaling", "Features",
    "Monitoring",
)  # fmt: skip
#: What it must reach is the user's to say.
STATED = ("Objective.threshold", "Monitoring.quality_floor")
SOURCE = re.compile(r"\b(1[89]|20)\d\d\b|[Cc]onvention|documentation|quotas|CodeDeploy|measured")


def test_every_threshold_names_its_source() -> None:
    """A year of a publication, a documentation, a measurement, or why it is a convention."""
    thresholds = {
        name: said
        for name, (field, said) in described().items()
        if (name.startswith(DECIDING) or name == "Objective.minimum_precision")
        and name not in STATED
        if {"number", "integer"} & {one.get("type") for one in [field, *field.get("anyOf", [])]}
    }
    assert len(thresholds) > 55
    assert [name for name, said in thresholds.items() if not SOURCE.search(said)] == []


def test_the_precision_that_is_asked_for_is_part_of_the_measure() -> None:
    asked = Objective(metric="recall_at_precision", threshold=0.5)
    assert asked.measure == "recall_at_precision"
    assert asked.model_copy(update={"minimum_precision": 0.9}).measure == "recall_at_precision@0.9"
    other = Objective(metric="roc_auc", threshold=0.5, minimum_precision=0.9)
    assert other.measure == "roc_auc"


def test_the_json_schema_shows_the_defaults() -> None:
    schema = Problem.model_json_schema()
    retraining = schema["$defs"]["Retraining"]["properties"]
    assert retraining["cooldown"]["default"] == "6h"
    assert retraining["maximum_age"]["default"] == "90d"
    assert schema["properties"]["monitoring"]["default"]["every"] == "1h"
    assert set(schema["required"]) == {
        "name", "statement", "task", "target", "sources", "objective",
    }  # fmt: skip


def test_a_contract_does_not_change(small: Problem) -> None:
    with pytest.raises(ValueError, match="frozen"):
        small.objective.threshold = 0.1  # type: ignore[misc]


def test_a_window_reads_as(document: dict[str, Any]) -> None:
    document["features"] = {"windows": [WINDOW], "delay": "1h"}
    document |= {"entity_key": ["k"], "event_time": "t"}
    problem = Problem.parse(document)
    window = Window(column="a", function="mean", over=timedelta(days=1), as_="b")
    assert problem.features.windows == [window]
    assert problem.to_document()["features"]["windows"] == [WINDOW]
