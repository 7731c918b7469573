"""Lineage as a document, as text and as a picture: pure, from documents as a stack stores them."""

import re
import uuid
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.lineage.audit import audited
from noria.core.lineage.document import Lineage, Records, Served, differences, served_at
from noria.core.lineage.graph_svg import BOX, LEFT, MOST_SOURCES, render_svg
from noria.core.lineage.page import render_page
from noria.core.lineage.steps import steps_of
from noria.core.lineage.text_tree import render_text
from noria.serving.log_records import new_ids

SHA = "9b87debed9a3711e" * 4
HOSTILE = "</text><script>alert(1)</script>&\x1b[31m\x00"


def verdict(state: str, decision: str, turn: int = 0, **evidence: Any) -> dict[str, Any]:
    return {"state": state, "iteration": turn, "decision": decision,
            "reasons": [f"{state} said so"], "evidence": evidence}  # fmt: skip


def source(name: str, **more: Any) -> dict[str, Any]:
    file = {"name": f"{name}.csv", "where": f"s3://b/incoming/{name}/{name}.csv", "rows": 7,
            "sha256": SHA, "etag": "e"}  # fmt: skip
    return {"source": name, "kind": "s3", "collected_at": "2026-11-24 07:59:00+00:00", "rows": 7,
            "schema": {"a": "int64"}, "files": [file]} | more  # fmt: skip


def records(**more: Any) -> Records:
    whole: dict[str, Any] = {
        "version": "r-2", "run_id": "r", "turn": 2, "champion": "r-2",
        "manifest": {"sha256": {"model.onnx": SHA}},
        "origin": {"run": "r", "iteration": 2, "code_version": "c0de", "inputs": {
            "plan": {"key": "runs/r/iteration=2/plan.json", "sha256": SHA}}},
        "signature": {"candidate": "ridge", "recipe": "calendar", "rows": 1400, "seed": 1},
        "evaluation": {"metrics": {"r2": 0.5}},
        "plan": {"recipe": "calendar", "description": "dates", "why": "'basic' missed"},
        "verdicts": [
            verdict("Transform", "usable", rows=10, accepted=9, quarantined=1, rules={"x": 1}),
            verdict("EvaluateModel", "missed", 1), verdict("EvaluateModel", "met", 2),
        ],
        "ending": {"ending": "Promote", "cause": {"kind": "person"}, "as_of": "2026-11-24T07:59"},
        "collected": {"sources": [source("a")]},
        "contract": {"name": "sea", "statement": "How high?", "objective": {"metric": "r2"}},
    }  # fmt: skip
    return Records(**(whole | more))


def traced(served: Served | None = None, **more: Any) -> Lineage:
    return Lineage(stack="sea", asked="model version r-2", steps=steps_of(records(**more), served))


@given(st.datetimes(datetime(2001, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - made aware below
def test_an_id_tells_its_time_to_the_millisecond(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    for name in new_ids(3, at):
        told = served_at(name)
        assert told is not None
        assert abs((told - at).total_seconds()) < 0.0011
        assert served_at(name.upper()) == told


@pytest.mark.parametrize("text", ["", "r-2", str(uuid.UUID(int=5)), f"{uuid.UUID(int=7 << 76)} ",
                                  "{01a20d3b-ff95-7000-9b2b-72b4e29631bd}"])  # fmt: skip
def test_other_text_is_no_prediction_id(text: str) -> None:
    assert served_at(text) is None


def test_contracts_are_compared_field_by_field() -> None:
    then = {"objective": {"threshold": 0.6}, "features": {"exclude": ["a"]},
            "sources": [{"name": "s", "url": "x"}, {"name": "t", "kind": "s3"}]}  # fmt: skip
    now = {"objective": {"threshold": 0.6}, "retraining": {"cooldown": "6h"},
           "sources": [{"name": "t", "kind": "s3"}, {"name": "s", "url": "y"}]}  # fmt: skip
    assert differences(then, now) == [
        "features.exclude: ['a'] in the run, the default deployed",
        "sources[s].url: 'x' in the run, 'y' deployed",
        "retraining.cooldown: the default in the run, '6h' deployed",
    ]
    assert differences(now, now) == []


def test_the_tree_has_every_step_in_order() -> None:
    record = {"inputs": {"wind": 3.14159, "gate": None}, "prediction": 2.0, "score": 2.0,
              "served_at": "2026-11-24T08:00:00.123Z", "function_version": "4"}  # fmt: skip
    served = Served("01a2", record, {"value": 2.5, "received_at": "2026-11-25T08:00:00.000Z"})
    tree = render_text(traced(served))
    heads = re.findall(r"^[├└]─ (.*)$", tree, re.M)
    assert heads == ["prediction 01a2", "model version r-2", "features calendar", "run r",
                     "clean data r", "raw data a", "contract sea", "code version c0de"]  # fmt: skip
    assert "asked: wind 3.142, gate missing" in tree
    assert "actual: 2.5 (received 2026-11-25 08:00:00)" in tree
    assert "EvaluateModel (iteration 2) met: EvaluateModel said so" in tree
    assert "10 rows in, 9 accepted, 1 quarantined" in tree
    assert "s3, collected 2026-11-24 07:59: 7 rows, 1 column\n" in tree
    assert all(len(line) <= 113 for line in tree.splitlines() if "·" not in line)


def test_an_answer_has_its_score_unless_it_is_its_score() -> None:
    def answered(prediction: Any, score: Any) -> str:
        tree = render_text(traced(Served("01a2", {"prediction": prediction, "score": score})))
        return tree.partition("answered: ")[2].partition("\n")[0]

    assert answered(True, 1.0) == "yes (score 1)"
    assert answered("b", [0.25, 0.75]) == "b (score 0.25, 0.75)"
    assert answered(1.5, 1.5) == "1.5"


def test_a_version_is_judged_by_the_verdicts_of_its_own_turn() -> None:
    verdicts = [verdict("EvaluateModel", "missed", 1), verdict("BeatsChampion", "wins", 2)]
    for turn, judged in ((1, False), (2, True)):
        model = traced(turn=turn, verdicts=verdicts).step("model")
        assert model is not None
        assert ("against_champion" in model.facts) is judged


def test_a_rule_that_is_served_has_no_plan_to_miss() -> None:
    rule = traced(signature={"candidate": "rule", "recipe": "rule", "rows": 5}, plan=None,
                  origin={"inputs": {}})  # fmt: skip
    assert rule.problems == []
    assert "iteration=2/plan.json is gone" in traced(plan=None).problems[0]


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ("manifest", "model version 'r-2' has no manifest"),
        ("origin", "a new run notes them"),
        ("signature", "models/r-2/signature.json is gone"),
        ("collected", "what was collected is not known"),
        ("contract", "runs/r/problem.json is gone"),
    ],
)
def test_what_is_gone_is_a_problem_with_a_remedy(gone: str, told: str) -> None:
    found = traced(**{gone: None})
    assert any(told in problem for problem in found.problems)
    tree = render_text(found)
    assert "9 accepted" in tree
    assert f"! {found.problems[0]}" in tree
    assert "broken or changed" in tree.splitlines()[-1]


def test_objects_carry_what_became_of_them() -> None:
    whole = traced()
    wheres = {item.where for step in whole.steps for item in step.objects}
    fine = audited(whole, dict.fromkeys(wheres, ("same", None)), verified=True)
    assert fine.problems == []
    assert f"{len(wheres)} objects hashed, none changed" in render_text(fine)
    spoilt = audited(whole, dict.fromkeys(wheres, ("changed", None)), verified=True)
    assert len(spoilt.problems) == len(wheres)
    assert all("has changed since: " in problem for problem in spoilt.problems)


def test_every_text_stays_in_its_box() -> None:
    name = "x" * 90
    many = [source(f"source-{number}-{name}") for number in range(20)]
    found = traced(Served(name, {"inputs": {name: name, "b": 2}, "prediction": name}),
                   version=name, run_id=name, collected={"sources": many})  # fmt: skip
    root = ElementTree.fromstring(render_svg(found))  # noqa: S314 - our own text
    space = "{http://www.w3.org/2000/svg}"
    texts = list(root.iter(f"{space}text"))
    assert texts
    for text in texts:
        width = len(text.text or "") * (6.9 if text.get("class") == "value" else 6.1)
        if text.get("text-anchor") == "start":
            assert float(text.get("x", 0)) + width <= LEFT + BOX, text.text
    drawn = [text.text for text in texts]
    assert drawn.count("raw data") == MOST_SOURCES
    height = float(root.get("viewBox", "").split()[3])
    assert all(float(t.get("y", 0)) < height for t in texts)


def test_lines_of_the_picture_break_where_its_room_ends() -> None:
    """GIVEN wide letters THEN no line is cut short before the next one goes on."""
    contract = {"name": "sea", "statement": "Maximum swimming woman " * 4}
    drawn = ElementTree.fromstring(render_svg(traced(contract=contract)))  # noqa: S314 - our own
    texts = [one.text or "" for one in drawn.iter()]
    assert sum("swimming" in text for text in texts) >= 3
    assert not [text for text in texts if text.endswith("…")]


def test_a_broken_step_is_marked_in_the_picture() -> None:
    assert "✗" not in render_svg(traced())
    many = [source(f"s{number}") for number in range(20)]
    many[19] = source("s19", unusable="it is a picture", files=[])
    drawn = render_svg(traced(collected={"sources": many}))
    assert "✗ 1 broken" in drawn
    assert ">s19<" in drawn


def test_nothing_that_was_asked_gets_out_of_its_text() -> None:
    served = Served("01a2", {"inputs": {HOSTILE: HOSTILE}, "prediction": HOSTILE})
    found = traced(served, contract={"name": HOSTILE, "statement": HOSTILE})
    ElementTree.fromstring(render_svg(found))  # noqa: S314 - our own text
    for shown in (render_text(found), render_page(found), render_svg(found)):
        assert "\x1b" not in shown
        assert "\x00" not in shown
    assert "<script" not in render_page(found) + render_svg(found)
    assert "\\u001b[31m" in render_text(found)
