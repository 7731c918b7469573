"""What sends ended runs to MLflow: only where a contract names a server, and no more than that."""

import json

from infra.constructs.experiment_tracking import TRACKER
from tests.infra.template import Template, reference, statements_of


def test_a_stack_without_a_server_has_none_of_it(penguins: Template) -> None:
    assert TRACKER.name not in penguins.functions()
    assert "track_run" not in json.dumps(penguins.body)
    variables = penguins.functions()["change_champion"]["Environment"]["Variables"]
    assert "NORIA_TRACKER" not in variables
    assert "lambda:InvokeFunction" not in penguins.may("change_champion")


def test_every_end_of_an_execution_calls_the_tracker(house_prices: Template) -> None:
    machine, _ = house_prices.machine()
    [rule] = [
        one for one in house_prices.properties("AWS::Events::Rule")
        if "SUCCEEDED" in one.get("EventPattern", {}).get("detail", {}).get("status", [])
    ]  # fmt: skip
    assert rule["EventPattern"]["source"] == ["aws.states"]
    detail = rule["EventPattern"]["detail"]
    assert set(detail["status"]) == {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
    assert [reference(one) for one in detail["stateMachineArn"]] == [machine]
    [target] = rule["Targets"]
    assert house_prices.handler_of(reference(target["Arn"])) == TRACKER.name
    assert target["DeadLetterConfig"]["Arn"]


def test_only_the_tracker_reads_the_servers_secret(house_prices: Template) -> None:
    [arn] = house_prices.may(TRACKER.name)["secretsmanager:GetSecretValue"]
    assert str(arn).endswith("secret:noria/mlflow-??????']]}")
    readers = [
        policy["Roles"] for policy in house_prices.properties("AWS::IAM::Policy")
        for one in statements_of(policy) if "noria/mlflow" in json.dumps(one)
    ]  # fmt: skip
    role = reference(house_prices.functions()[TRACKER.name]["Role"])
    assert [[reference(one) for one in roles] for roles in readers] == [[role]]


def test_the_tracker_changes_no_model(house_prices: Template) -> None:
    written = [str(arn) for arn in house_prices.may(TRACKER.name)["s3:PutObject"]]
    ends = ("/runs/*", "/registry/runs.json*", "/registry/tracking_lease.json*")
    assert len(written) == len(ends)
    assert all(any(end in arn for arn in written) for end in ends)
    assert not {name for name in house_prices.may(TRACKER.name) if name.startswith("lambda:")}


def test_a_change_by_hand_is_told_as_well(house_prices: Template) -> None:
    function = house_prices.functions()["change_champion"]
    tracker = function["Environment"]["Variables"]["NORIA_TRACKER"]
    assert house_prices.handler_of(reference(tracker)) == TRACKER.name
    [arn] = house_prices.may("change_champion")["lambda:InvokeFunction"]
    assert reference(arn) == reference(tracker)
