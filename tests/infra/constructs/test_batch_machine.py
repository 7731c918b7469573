"""The batch machine in the template: its steps, what it may do, and what is deleted after it."""

from noria.common.batch_keys import ANSWERS, INCOMING, WORK
from tests.infra.conftest import Synthesized
from tests.infra.template import Template, as_list, reference


def test_files_are_read_then_their_parts_answered(penguins: Template) -> None:
    definition = penguins.definition("PlanBatch")
    states = definition["States"]
    ways = {name: state.get("Next") or state.get("Default") for name, state in states.items()}
    assert ways == {
        "PlanBatch": "BatchDone",
        "BatchDone": "ReadBatchFiles",
        "ReadBatchFiles": "ListBatchParts",
        "ListBatchParts": "AnswerBatchParts",
        "AnswerBatchParts": "FinishBatch",
        "FinishBatch": None,
    }
    [done] = states["BatchDone"]["Choices"]
    assert (done["Variable"], done["Next"]) == ("$.plan.done", "FinishBatch")
    children = {
        name: state for map_ in ("ReadBatchFiles", "AnswerBatchParts")
        for name, state in states[map_]["ItemProcessor"]["States"].items()
    }  # fmt: skip
    assert children["ScoreBatchPart"]["Next"] == "WriteBatchPart"
    tasks = {name: state for name, state in {**states, **children}.items()
             if state["Type"] == "Task"}  # fmt: skip
    handlers = {name: penguins.handler_of(state["Resource"]) for name, state in tasks.items()}
    assert handlers.pop("ScoreBatchPart") == "predict_batch"
    assert set(handlers) == {"PlanBatch", "ReadBatchFile", "ListBatchParts", "WriteBatchPart",
                             "FinishBatch"}  # fmt: skip
    assert set(handlers.values()) == {"batch_files"}
    assert [bool(state["Retry"]) for state in tasks.values()] == [True] * 6


def test_a_file_or_part_that_fails_costs_no_other(penguins: Template) -> None:
    states = penguins.definition("PlanBatch")["States"]
    for name in ("ReadBatchFiles", "AnswerBatchParts"):
        state = states[name]
        assert state["ItemProcessor"]["ProcessorConfig"] == {
            "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"
        }  # fmt: skip
        assert state["ToleratedFailurePercentage"] == 100
        assert 1 < state["MaxConcurrency"] < 10
        assert state["ResultPath"] is None
    for last in ("ReadBatchFile", "WriteBatchPart"):
        children = {**states["ReadBatchFiles"]["ItemProcessor"]["States"],
                    **states["AnswerBatchParts"]["ItemProcessor"]["States"]}  # fmt: skip
        assert children[last]["OutputPath"] is None


def test_its_functions_may_no_more_than_they_do(penguins: Template) -> None:
    reading, writing = (_objects(penguins, "batch_files", f"s3:{verb}Object")
                        for verb in ("Get", "Put"))  # fmt: skip
    assert writing == {f"/{WORK}*", f"/{ANSWERS}*"}
    assert reading == writing | {f"/{INCOMING}*", "/models/*", "/registry/champion.json*"}
    assert _objects(penguins, "predict_batch", "s3:PutObject") == {f"/{WORK}*"}
    assert _objects(penguins, "predict_batch", "s3:GetObject") == {
        f"/{WORK}*", "/models/*", "/registry/*"
    }  # fmt: skip
    for function in ("batch_files", "predict_batch"):
        assert "s3:DeleteObject" not in penguins.may(function)


def test_its_scoring_runs_on_the_endpoints_layer(penguins: Template) -> None:
    functions = penguins.functions()
    assert functions["predict_batch"]["Layers"] == functions["endpoint"]["Layers"]


def test_it_reads_the_lists_of_its_maps_and_nothing_else(penguins: Template) -> None:
    _, machine = penguins.machine("PlanBatch")
    role = reference(machine["RoleArn"])
    read = [
        resource["Fn::Join"][1][-1]
        for policy, statement in penguins.statements()
        if role in [reference(one) for one in policy["Roles"]]
        and "s3:GetObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert set(read) == {f"/{WORK}*"}


def test_histories_are_looked_up_where_the_contract_has_some(synthesized: Synthesized) -> None:
    visits = synthesized("visits", "lambda")
    assert (
        visits.may("predict_batch")["dynamodb:BatchGetItem"]
        == visits.may("endpoint")["dynamodb:BatchGetItem"]
    )


def test_what_lies_between_files_and_answers_is_deleted(penguins: Template) -> None:
    [bucket] = penguins.properties("AWS::S3::Bucket")
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules["forget-batch-work"]["Prefix"] == WORK
    expired = [rule["Prefix"] for rule in rules.values()
               if "ExpirationInDays" in rule and "Prefix" in rule]  # fmt: skip
    assert not [prefix for prefix in expired if f"{ANSWERS}x".startswith(prefix)]
    assert not [prefix for prefix in expired if INCOMING.startswith(prefix)]


def _objects(template: Template, function: str, action: str) -> set[str]:
    return {arn["Fn::Join"][1][-1] for arn in template.may(function)[action]}
