"""What the terminal shows of an execution."""

import io
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from infra.cli.progress import Display, show_record
from infra.cli.run_records import RunRecord
from infra.local.stepfunctions.observed_states import StateEvent

AT = datetime(2013, 4, 1, tzinfo=UTC)


def shown(*events: tuple[str, str, Any]) -> str:
    console = Console(file=io.StringIO(), width=200)
    display = Display(console)
    for kind, state, data in events:
        display(StateEvent("arn", kind, state, AT, 1.5, data))  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_state_is_shown_with_its_duration() -> None:
    assert "Transform" in shown(("exited", "Transform", {}))
    assert "1.5 s" in shown(("exited", "Transform", {}))


def test_a_decision_is_shown_with_its_reasons_and_where_it_leads() -> None:
    state = {"transform": {"decision": "unusable", "reasons": ["12 rows [of 100]"]}}
    text = shown(("entered", "DataUsable", state), ("entered", "HaltBadData", state))
    assert "DataUsable? unusable → HaltBadData" in text
    assert "12 rows [of 100]" in text


def test_a_loop_back_is_shown() -> None:
    turn = ("entered", "EngineerFeatures", {})
    assert "back to" not in shown(turn)
    assert "↺ back to EngineerFeatures, turn 2" in shown(turn, turn)


def test_a_rung_is_shown_with_its_trials_and_not_how_they_are_mapped() -> None:
    state = {"search": {"rung": 1, "count": 42, "many": True, "trials": []}}
    told = {"candidate": "ridge", "recipe": "text", "score": 0.5, "std": 0.1, "seconds": 2.0}
    console = Console(file=io.StringIO(), width=200)
    display = Display(console)
    for kind, name, data, item in (
        ("exited", "ProposeTrials", state, None),
        ("entered", "ManyTrials", state, None),
        ("entered", "ExploreManyModels", state, None),
        ("exited", "ExploreManyModelsItem", told, 7),
        ("exited", "TrialOfManyRecorded", {}, 7),
    ):
        display(StateEvent("arn", kind, name, AT, 1.5, data, item=item))  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "rung 1: 42 trials" in text
    assert "· ridge with text: 0.5000 ± 0.100 in 2.0 s" in text
    assert "ManyTrials" not in text
    assert "Recorded" not in text


def test_a_canary_is_shown_as_it_goes_on_and_each_look_takes_one_line() -> None:
    told = "3 of 10 minutes are over: 34 of 100 requests came, 0 failed"
    looked = {"canary": {"decision": "observing", "reasons": [told]}}
    ended = {"canary": {"decision": "healthy", "reasons": ["the canary answered 120 requests"]}}
    text = shown(
        ("exited", "ObserveCanary", {}),
        ("exited", "CheckCanary", looked),
        ("entered", "CanaryHealthy", looked),
        ("entered", "ObserveCanary", looked),
        ("exited", "ObserveCanary", looked),
        ("exited", "CheckCanary", ended),
        ("entered", "CanaryHealthy", ended),
        ("entered", "Promote", ended),
    )
    assert [line.split()[1] for line in text.splitlines() if "✓" in line] == ["CheckCanary"] * 2
    assert text.count(told) == 1
    assert "CanaryHealthy? healthy → Promote" in text
    assert "observing" not in text


def test_looks_at_a_canary_that_see_nothing_new_are_not_shown() -> None:
    """GIVEN four looks, of which the third sees more requests THEN two of them are shown."""
    seen = [(1, 0), (2, 0), (3, 7), (4, 7)]
    told = [f"{time} of 10 minutes are over: {came} of 100 requests came" for time, came in seen]
    looks = [{"canary": {"decision": "observing", "reasons": [one]}} for one in told]
    text = shown(*(("exited", "CheckCanary", look) for look in looks))
    assert [line.split("s  ")[1].split()[0] for line in text.splitlines()] == ["1", "3"]


def test_a_failure_is_shown_with_its_cause() -> None:
    console = Console(file=io.StringIO(), width=200)
    Display(console)(
        StateEvent("arn", "failed", "Analyse", AT, error="DataError", cause="[no rows]")
    )
    assert isinstance(console.file, io.StringIO)
    assert "Analyse: DataError: [no rows]" in console.file.getvalue()


def test_trials_of_a_first_rung_are_told_apart_from_those_of_the_last() -> None:
    """GIVEN a first rung's better score on fewer rows THEN the last rung comes first, named."""
    first = {"candidate": "ridge", "iteration": 1, "rung": 1, "score": 1.0, "seconds": 0.1}
    last = {"candidate": "extra_trees", "iteration": 1, "rung": 2, "score": 0.9, "seconds": 2.0}
    console = Console(file=io.StringIO(), width=200)
    show_record(console, RunRecord("run", "Promote", candidates=[first, last]))
    show_record(console, RunRecord("run", "Promote", candidates=[first]))
    assert isinstance(console.file, io.StringIO)
    lines = [line.strip() for line in console.file.getvalue().splitlines() if "turn" in line]
    assert lines == [
        "turn 1, rung 2, extra_trees: 0.9000 in 2.0 s",
        "turn 1, rung 1, ridge: 1.0000 in 0.1 s",
        "turn 1, ridge: 1.0000 in 0.1 s",
    ]
