"""The machine, as the design's table has it."""

from typing import Any

import pytest

from infra.constructs.state_machines import TRANSIENT
from tests.infra.template import Template, as_list, reference

# state: function, where its result goes ("" for endings: nowhere, it is the execution's output)
TASKS = {
    "Admit": ("admit", "$"),
    "DefineProblem": ("define_problem", "$.problem"),
    "Transform": ("transform", "$.transform"),
    "StoreFeatures": ("engineer_features", "$.stored"),
    "Analyse": ("analyse", "$.analyse"),
    "EngineerFeatures": ("engineer_features", "$.features"),
    "ReviseProblem": ("define_problem", "$"),
    "TrainModel": ("train", "$.train"),
    "ProposeTrials": ("search_trials", "$.search"),
    "JudgeTrials": ("search_trials", "$.judge"),
    "ExportRule": ("train", "$"),
    "ScoreHoldout": ("score_holdout", "$.score"),
    "EvaluateModel": ("evaluate", "$.evaluate"),
    "FitAllRows": ("train", "$.refit"),
    "CheckFinalFit": ("score_holdout", "$.final"),
    "PublishChallenger": ("publish_challenger", "$.publish"),
    "ReplayRequests": ("replay_requests", "$.replay"),
    "ShiftCanary": ("shift_canary", "$.canary"),
    "CheckCanary": ("check_canary", "$.canary"),
}
QUESTIONS = {"ReevaluateProblem": "$.answer", "AwaitApproval": "$.approval"}
MAPS = {
    "CollectSources": ("collect", "$.problem.sources", "$.collected"),
    "ExploreModels": ("explore", "$.search.trials", None),
    "ExploreManyModels": ("explore", None, None),
}
# Both maps of trials: the states of one, by what they do.
TRIALS = {
    "ExploreModels": ("ExploreModelsItem", "TrialFailed", "TrialRecorded"),
    "ExploreManyModels": ("ExploreManyModelsItem", "TrialOfManyFailed", "TrialOfManyRecorded"),
}
ENDINGS = {
    "Skipped": "conclude",
    "HaltBadData": "conclude",
    "FeaturesStored": "conclude",
    "RuleSuffices": "conclude",
    "HaltProblem": "conclude",
    "HaltNotEffective": "conclude",
    "KeepChampion": "conclude",
    "Promote": "promote",
    "RollBack": "roll_back",
}
CHOICES: dict[str, tuple[str, dict[Any, str], str]] = {
    "AdmittedToRun": ("$.admit.decision", {"run": "DefineProblem"}, "Skipped"),
    "DataUsable": ("$.transform.decision", {"usable": "FeaturesOnly"}, "HaltBadData"),
    "FeaturesOnly": ("$.run.only", {"features": "StoreFeatures"}, "Analyse"),
    "IsMlNeeded": (
        "$.analyse.decision",
        {
            "go_on": "EngineerFeatures",
            "serve_rule": "ExportRule",
            "rule_suffices": "RuleSuffices",
        },
        "ReevaluateProblem",
    ),
    "ManyTrials": ("$.search.many", {True: "ExploreManyModels"}, "ExploreModels"),
    "AnotherRung": ("$.judge.decision", {"another_rung": "ProposeTrials"}, "TrainModel"),
    "MeetsObjective": (
        "$.evaluate.objective",
        {
            "met": "BeatsChampion",
            "try_next_recipe": "EngineerFeatures",
            "rule_falls_short": "RuleSuffices",
            "too_few_rows": "ReevaluateProblem",
        },
        "HaltNotEffective",
    ),
    "BeatsChampion": ("$.evaluate.challenger", {"wins": "FinalFitWanted"}, "KeepChampion"),
    "FinalFitWanted": ("$.evaluate.final_fit", {True: "FitAllRows"}, "ApprovalNeeded"),
    "ApprovalNeeded": ("$.problem.approval", {True: "AwaitApproval"}, "PublishChallenger"),
    "CanaryWanted": ("$.publish.canary", {True: "ShiftCanary"}, "Promote"),
    "ReplayPassed": ("$.replay.decision", {"passed": "CanaryWanted"}, "RollBack"),
    "CanaryHealthy": (
        "$.canary.decision",
        {"healthy": "Promote", "observing": "ObserveCanary"},
        "RollBack",
    ),
}
# What a person decides; anything else is asked for again.
ANSWERS = {
    "ProblemRevised": (
        "$.answer.decision",
        {"revise": "ReviseProblem", "halt": "HaltProblem"},
        "ReevaluateProblem",
    ),
    "Approved": (
        "$.approval.decision",
        {"approve": "PublishChallenger", "refuse": "KeepChampion"},
        "AwaitApproval",
    ),
}
WAYS = {
    "Admit": "AdmittedToRun",
    "DefineProblem": "CollectSources",
    "CollectSources": "Transform",
    "Transform": "DataUsable",
    "Analyse": "IsMlNeeded",
    "ReevaluateProblem": "ProblemRevised",
    "ReviseProblem": "CollectSources",
    "EngineerFeatures": "ProposeTrials",
    "ProposeTrials": "ManyTrials",
    "ExploreModels": "JudgeTrials",
    "ExploreManyModels": "JudgeTrials",
    "JudgeTrials": "AnotherRung",
    "TrainModel": "ScoreHoldout",
    "ExportRule": "ScoreHoldout",
    "ScoreHoldout": "EvaluateModel",
    "EvaluateModel": "MeetsObjective",
    "FitAllRows": "CheckFinalFit",
    "CheckFinalFit": "ApprovalNeeded",
    "AwaitApproval": "Approved",
    "PublishChallenger": "ReplayRequests",
    "ReplayRequests": "ReplayPassed",
    "ShiftCanary": "ObserveCanary",
    "ObserveCanary": "CheckCanary",
    "CheckCanary": "CanaryHealthy",
    "RecordFailure": "Failed",
}


def test_the_machine_has_these_states_and_no_others(penguins: Template) -> None:
    expected = {*TASKS, *QUESTIONS, *MAPS, *ENDINGS, *CHOICES, *ANSWERS}
    assert set(penguins.states()) == expected | {"ObserveCanary", "RecordFailure", "Failed"}
    assert penguins.definition()["StartAt"] == "Admit"


@pytest.mark.parametrize("name", TASKS)
def test_a_stage_calls_its_function(penguins: Template, name: str) -> None:
    function, result = TASKS[name]
    state = penguins.states()[name]
    assert penguins.handler_of(state["Resource"]) == function
    assert state["ResultPath"] == result
    assert state["Parameters"] == {
        "state.$": "$$.State.Name",
        "execution.$": "$$.Execution.Name",
        "started_at.$": "$$.Execution.StartTime",
        "input.$": "$",
    }


@pytest.mark.parametrize("name", ENDINGS)
def test_an_ending_records_itself_and_ends(penguins: Template, name: str) -> None:
    state = penguins.states()[name]
    assert penguins.handler_of(state["Resource"]) == ENDINGS[name]
    assert state["End"] is True


@pytest.mark.parametrize("name", MAPS)
def test_a_map_hands_each_item_and_the_whole_state(penguins: Template, name: str) -> None:
    function, items, result = MAPS[name]
    state = penguins.states()[name]
    processor = state["ItemProcessor"]
    inner = processor["States"][processor["StartAt"]]
    assert penguins.handler_of(inner["Resource"]) == function
    assert (state.get("ItemsPath"), state["ResultPath"]) == (items, result)
    assert state["MaxConcurrency"] == 4
    assert state["ItemSelector"]["item.$"] == "$$.Map.Item.Value"
    assert inner["Parameters"]["item.$"] == "$.item"
    assert inner["Parameters"]["input.$"] == "$.input"
    assert inner["Parameters"]["state.$"] == "$.state"


@pytest.mark.parametrize("name", TRIALS)
def test_a_trial_whose_function_is_lost_costs_the_others_nothing(
    penguins: Template, name: str
) -> None:
    """GIVEN a trial that times out or needs more memory THEN it is written down, with why."""
    item, failed, recorded = TRIALS[name]
    states = penguins.states()[name]["ItemProcessor"]["States"]
    assert set(states) == set(TRIALS[name])
    [catch] = states[item]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], failed)
    lost = states[failed]
    assert penguins.handler_of(lost["Resource"]) == "search_trials"
    assert lost["Parameters"]["failure.$"] == catch["ResultPath"]
    assert lost["Parameters"]["item.$"] == "$.item"
    assert [(one["ErrorEquals"], one["Next"]) for one in lost["Catch"]] == [
        (["States.ALL"], recorded)
    ]
    assert {states[one]["Next"] for one in (item, failed)} == {recorded}


@pytest.mark.parametrize("name", TRIALS)
def test_what_comes_of_trials_stays_out_of_the_state(penguins: Template, name: str) -> None:
    """GIVEN thousands of trials THEN neither items nor results count against 256 KiB."""
    state = penguins.states()[name]
    ends = [one for one in state["ItemProcessor"]["States"].values() if "Next" not in one]
    assert [(one["Type"], one["OutputPath"]) for one in ends] == [("Succeed", None)]
    assert state["ResultPath"] is None
    told = state["ItemSelector"]
    assert told["execution.$"] == "$.search.execution"  # a child's own name is another
    assert told["started_at.$"] == "$.search.started_at"


def test_many_trials_are_executions_of_their_own(penguins: Template) -> None:
    many = penguins.states()["ExploreManyModels"]
    assert many["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"  # Express ends after 5 minutes
    }  # fmt: skip
    assert many["ItemReader"]["ReaderConfig"] == {"InputType": "JSON"}
    assert many["ItemReader"]["Parameters"]["Key.$"] == "$.search.key"
    assert many["ToleratedFailurePercentage"] == 100


def test_the_machine_reads_trials_and_starts_itself_and_no_more(penguins: Template) -> None:
    name, machine = penguins.machine()
    role = reference(machine["RoleArn"])
    allowed = {
        action: str(statement["Resource"])
        for policy, statement in penguins.statements()
        if role in [reference(one) for one in policy["Roles"]]
        for action in as_list(statement["Action"])
    }
    assert "/runs/*/trials/*" in allowed["s3:GetObject"]
    assert [action for action in allowed if action.startswith("s3:")] == ["s3:GetObject"]
    for action in ("StartExecution", "DescribeExecution", "StopExecution", "RedriveExecution"):
        assert name in allowed[f"states:{action}"]
    assert "/Trial:*" in allowed["states:RedriveExecution"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_waits_for_a_person(penguins: Template, name: str) -> None:
    state = penguins.states()[name]
    assert state["Resource"].endswith(":states:::lambda:invoke.waitForTaskToken")
    assert penguins.handler_of(state["Parameters"]["FunctionName"]) == "ask"
    assert state["Parameters"]["Payload"]["token.$"] == "$$.Task.Token"
    assert state["ResultPath"] == QUESTIONS[name]
    assert state["TimeoutSeconds"] == 30 * 24 * 3600
    assert state["Catch"][0]["ErrorEquals"] == ["States.Timeout"]


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_reads_its_decision(penguins: Template, name: str) -> None:
    field, ways, otherwise = CHOICES[name]
    state = penguins.states()[name]
    assert state["Default"] == otherwise
    assert {choice["Variable"] for choice in state["Choices"]} == {field}
    found = {c.get("StringEquals", c.get("BooleanEquals")): c["Next"] for c in state["Choices"]}
    assert found == ways


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none_is_asked_for_again(penguins: Template, name: str) -> None:
    field, ways, again = ANSWERS[name]
    state = penguins.states()[name]
    assert state["Default"] == again
    found = {}
    for choice in state["Choices"]:
        present, equals = choice["And"]  # a path that is not there would end the execution
        assert present == {"Variable": field, "IsPresent": True}
        assert equals["Variable"] == field
        found[equals["StringEquals"]] = choice["Next"]
    assert found == ways
    assert len(state["Choices"]) == len(ways)


def test_a_revision_that_is_no_contract_is_asked_for_again(penguins: Template) -> None:
    first, *_ = penguins.states()["ReviseProblem"]["Catch"]
    assert first["Next"] == "ReevaluateProblem"
    assert set(first["ErrorEquals"]) == {"ContractError", "ExpressionError"}
    assert first["ResultPath"] == "$.answer"


@pytest.mark.parametrize("name", WAYS)
def test_the_order_is_the_designs(penguins: Template, name: str) -> None:
    assert penguins.states()[name]["Next"] == WAYS[name]


def test_a_canary_waits_as_long_as_its_last_check_says(penguins: Template) -> None:
    states = penguins.states()
    path = states["ObserveCanary"]["SecondsPath"]
    assert path == "$.canary.seconds"
    assert states["ShiftCanary"]["ResultPath"] == states["CheckCanary"]["ResultPath"] == "$.canary"


def test_every_failure_is_caught_recorded_and_fails(penguins: Template) -> None:
    states = penguins.states()
    calling = {name: s for name, s in states.items() if s["Type"] in {"Task", "Map"}}
    assert set(calling) >= {*TASKS, *MAPS, *QUESTIONS}
    del calling["RecordFailure"]
    for name in ("FitAllRows", "CheckFinalFit"):  # the judged model is there to serve
        (catch,) = calling.pop(name)["Catch"]
        assert (catch["Next"], catch["ResultPath"]) == ("ApprovalNeeded", "$.not_fitted")
    for name, state in calling.items():
        catch = state["Catch"][-1]
        assert catch["ErrorEquals"] == ["States.ALL"], name
        assert catch["ResultPath"] == f"$.failure.{name}"
        assert catch["Next"] == "RecordFailure"
    assert states["RecordFailure"]["Catch"][0]["Next"] == "Failed"
    assert states["Failed"]["Type"] == "Fail"


def test_every_call_is_tried_again_when_lambda_failed(penguins: Template) -> None:
    for name, state in _tasks(penguins.states()):
        (retry,) = state["Retry"]
        assert set(TRANSIENT) == set(retry["ErrorEquals"]), name
        assert retry["JitterStrategy"] == "FULL"
        assert retry["BackoffRate"] > 1


def test_every_call_has_a_time_limit_beyond_the_functions(penguins: Template) -> None:
    limits = {name: f["Timeout"] for name, f in penguins.functions().items()}
    for name, state in _tasks(penguins.states()):
        if name not in QUESTIONS:
            assert state["TimeoutSeconds"] > limits[penguins.handler_of(state["Resource"])]


def test_the_definition_is_json_path(penguins: Template) -> None:
    assert "QueryLanguage" not in str(penguins.definition())


def test_the_machine_logs_its_errors_and_traces(penguins: Template) -> None:
    machines = penguins.properties("AWS::StepFunctions::StateMachine")
    assert len(machines) == 3
    for machine in machines:
        assert machine["StateMachineType"] == "STANDARD"
        assert machine["LoggingConfiguration"]["Level"] == "ERROR"
        assert machine["TracingConfiguration"] == {"Enabled": True}


def _tasks(states: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The states that call a function, those of maps included; there are some."""
    found = [(name, state) for name, state in states.items() if state["Type"] == "Task"]
    for state in states.values():
        if state["Type"] == "Map":
            found += _tasks(state["ItemProcessor"]["States"])
    assert found
    return found
