"""A history told: each state once, with what a choice read, and only failures that stayed."""

from infra.console import wheel
from infra.console.execution_story import (
    map_runs_of,
    steps_of,
    steps_of_record,
    told_steps,
    with_map_counts,
)
from tests.infra.console.histories import History

STATES = ("Admit", "AdmittedToRun", "DefineProblem", "CollectSources", "Transform", "DataUsable",
          "HaltBadData", "RecordFailure", "Failed", "Skipped")  # fmt: skip
ADMITTED = {"admit": {"decision": "run", "reasons": ["nothing else runs"]}}


def begun() -> History:
    history = History().event("ExecutionStarted").task("Admit", "admit", 2.0)
    return history.entered("Choice", "AdmittedToRun", ADMITTED).exited("Choice", "AdmittedToRun")


def test_a_choice_tells_what_it_read_why_and_where_it_led() -> None:
    history = begun().entered("Task", "DefineProblem")
    admit, choice, define = steps_of(history.events, STATES)
    assert (admit.state, admit.seconds, admit.tone) == ("Admit", 2.0, "good")
    assert (choice.decision, choice.target) == ("run", "DefineProblem")
    assert choice.reasons == ("nothing else runs",)
    assert (define.left, define.tone) == (None, "wait")


def test_states_inside_a_map_are_counted() -> None:
    history = begun().entered("Map", "CollectSources")
    for _ in range(3):
        history.entered("Task", "CollectSourcesItem")
    history.exited("Task", "CollectSourcesItem")
    last = steps_of(history.events, STATES)[-1]
    assert (last.state, last.items, last.items_done) == ("CollectSources", 3, 1)


def test_the_children_of_a_distributed_map_are_counted_by_its_map_run() -> None:
    history = begun()
    for arn in ("run-1", "run-2"):
        history.entered("Map", "Transform")
        history.event("MapRunStarted", mapRunStartedEventDetails={"mapRunArn": arn})
        history.exited("Map", "Transform").task("DefineProblem", "define", 1.0)
    assert map_runs_of(history.events) == ["run-1", "run-2"]
    states = {"Transform": {"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}}}}
    counts = [
        {"total": 50, "pending": 0, "running": 0, "succeeded": 49, "failed": 1},
        {"total": 60, "pending": 20, "running": 30, "succeeded": 10, "failed": 0},
    ]
    steps = with_map_counts(steps_of(history.events, STATES), states, counts)
    assert [(one.items_done, one.items) for one in steps if one.items] == [(50, 50), (10, 60)]


def test_of_a_canary_that_is_looked_at_again_and_again_the_last_round_is_told() -> None:
    rounds = ["ObserveCanary", "CheckCanary", "CanaryHealthy"] * 3
    verdicts = [{"state": name, "decision": str(place)} for place, name in enumerate(rounds)]
    silent = {"state": "CanaryWanted", "decision": ""}
    told = told_steps(steps_of_record([*verdicts, silent], "Promote"))
    assert [(one.state, one.decision) for one in told] == [
        ("ObserveCanary", "6"), ("CheckCanary", "7"), ("CanaryHealthy", "8"), ("Promote", ""),
    ]  # fmt: skip


def test_what_failed_and_was_tried_again_is_no_failure() -> None:
    history = begun().entered("Task", "DefineProblem").invoked("define", 1.0, "Busy")
    assert steps_of(history.events, STATES)[-1].error == "Busy: it broke"
    history.invoked("define", 1.0).exited("Task", "DefineProblem").entered("Task", "Transform")
    define = steps_of(history.events, STATES)[-2]
    assert (define.error, define.seconds) == ("", 2.0)


def test_what_failed_for_good_is_told_where_it_failed() -> None:
    history = begun().entered("Task", "Transform").invoked("transform", 1.0, "DataError")
    history.exited("Task", "Transform").task("RecordFailure", "record_failure", 1.0)
    history.entered("Fail", "Failed")
    steps = steps_of(history.events, STATES)
    assert [step.state for step in steps if step.error] == ["Transform"]
    lit = wheel.lit(steps, running=False)
    assert lit["bad"] == ["Transform"]
    assert lit["now"] == []
    assert {"Admit", "Admit>AdmittedToRun", "Failed"} <= set(lit["done"])


def test_the_wheel_is_lit_where_the_run_is() -> None:
    lit = wheel.lit(steps_of(begun().events, STATES), running=True)
    assert lit["now"] == ["AdmittedToRun"]
    nothing = wheel.lit([], running=True)
    assert nothing == {"done": [], "now": [], "bad": []}


def test_an_ending_in_a_second_place_is_lit_there_alone() -> None:
    """GIVEN RuleSuffices, drawn twice THEN the one that its arrow reaches is lit."""
    verdicts = [{"state": "MeetsObjective", "decision": "rule_falls_short"}]
    lit = wheel.lit(steps_of_record(verdicts, "RuleSuffices"), running=False)
    assert lit["done"] == ["MeetsObjective", "MeetsObjective>RuleSuffices"]


def test_inputs_that_the_history_lacks_cost_only_their_words() -> None:
    history = History()
    history.event("ChoiceStateEntered", stateEnteredEventDetails={"name": "AdmittedToRun"})
    history.event("TaskStateEntered", stateEnteredEventDetails={"name": "Skipped", "input": "{"})
    first, last = steps_of(history.events, STATES)
    assert (first.decision, first.target, last.state) == ("", "Skipped", "Skipped")
