"""The feature store in the template: what it may touch, and the table of latest values."""

import pytest

from infra.constructs.bucket import SUPERSEDED
from noria.aws.feature_store import offline_files
from noria.aws.feature_store.backfills import PREFIX
from noria.aws.feature_store.dynamodb_online import table_of
from noria.aws.feature_store.offline_files import MANIFESTS
from tests.infra.conftest import Synthesized
from tests.infra.template import Template, as_list, reference

TABLE = "AWS::DynamoDB::Table"


@pytest.fixture(scope="module")
def visits(synthesized: Synthesized) -> Template:
    """A contract with history features."""
    return synthesized("visits", "lambda")


def test_history_features_have_a_table_that_costs_nothing_while_idle(visits: Template) -> None:
    [table] = visits.properties(TABLE)
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "entity", "KeyType": "HASH"}]
    there = [next(iter(visits.resources(TABLE))), "Arn"]
    [put] = visits.may("engineer_features")["dynamodb:PutItem"]
    [read] = visits.may("endpoint")["dynamodb:BatchGetItem"]
    assert put["Fn::GetAtt"] == read["Fn::GetAtt"] == there


def test_without_history_features_there_is_no_table(penguins: Template) -> None:
    assert not penguins.has(TABLE)
    for function in penguins.functions():
        assert not [action for action in penguins.may(function) if action.startswith("dynamodb")]


def test_history_is_brought_up_to_date_as_often_as_training_believes(visits: Template) -> None:
    """GIVEN a label delay of a day THEN a daily rule stores features, and nothing else."""
    [rule] = [
        rule
        for rule in visits.properties("AWS::Events::Rule")
        if rule.get("Description") == "Bring the feature store up to date"
    ]
    assert rule["ScheduleExpression"] == "rate(1 day)"
    [target] = rule["Targets"]
    template = target["InputTransformer"]["InputTemplate"]
    assert '"only":"features"' in template
    assert target["DeadLetterConfig"]


def test_contract_without_history_has_no_such_rule(penguins: Template) -> None:
    rules = penguins.properties("AWS::Events::Rule")
    assert not [rule for rule in rules if "feature store" in rule.get("Description", "")]


def test_functions_find_the_table_by_the_databases_name(visits: Template) -> None:
    [table], [database] = visits.properties(TABLE), visits.properties("AWS::Glue::Database")
    assert table["TableName"] == table_of(database["DatabaseInput"]["Name"])


def test_nothing_deletes_from_the_feature_store(visits: Template) -> None:
    deleted = [
        str(arn)
        for function in visits.functions()
        for arn in visits.may(function).get("s3:DeleteObject", [])
    ]
    assert deleted
    assert all("/registry/served/" in arn for arn in deleted)  # pins of old versions
    for function in sorted(visits.functions()):
        assert not [action for action in visits.may(function) if action.startswith("glue:Delete")]


def test_only_the_feature_stores_keepers_tag_and_only_there(visits: Template) -> None:
    tagging = {
        name: {arn["Fn::Join"][1][-1] for arn in visits.may(name).get("s3:PutObjectTagging", [])}
        for name in visits.functions()
    }
    assert {name for name, places in tagging.items() if "/features*" in places} == {
        "engineer_features", "backfill"
    }  # fmt: skip
    assert tagging["backfill"] == {"/features*"}


def test_the_buckets_rules_take_what_is_superseded_and_nothing_that_is_named(
    visits: Template,
) -> None:
    [bucket] = visits.properties("AWS::S3::Bucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Id"]: rule for rule in rules if "ExpirationInDays" in rule}
    tagged = expiring.pop("forget-superseded-features")
    assert tagged["TagFilters"] == [{"Key": name, "Value": value}
                                    for name, value in SUPERSEDED.items()]  # fmt: skip
    assert (tagged["Prefix"], tagged["ExpirationInDays"]) == ("features", 7)
    # Without a tag no rule reaches a file or a manifest of the feature store.
    untagged = [rule for rule in expiring.values() if "TagFilters" not in rule]
    assert untagged
    for rule in untagged:
        assert not MANIFESTS.startswith(rule["Prefix"])
        assert not "features/".startswith(rule["Prefix"])
    assert expiring["forget-backfills"]["Prefix"] == PREFIX
    assert expiring["forget-backfills"]["ExpirationInDays"] > 14


def test_each_month_of_a_backfill_is_an_execution_of_its_own(visits: Template) -> None:
    definition = visits.definition("PlanBackfill")
    assert [definition["StartAt"], definition["States"]["PlanBackfill"]["Next"]] == [
        "PlanBackfill", "BackfillMonths"
    ]  # fmt: skip
    months = definition["States"]["BackfillMonths"]
    assert months["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"
    }  # fmt: skip
    assert (months["ItemsPath"], months["ResultPath"], months["Next"]) == (
        "$.plan.parts", None, "PublishBackfill"
    )  # fmt: skip
    assert 1 < months["MaxConcurrency"] < 10
    assert months.get("ToleratedFailureCount", 0) == 0
    assert "ToleratedFailurePercentage" not in months
    steps = {**definition["States"], **months["ItemProcessor"]["States"]}
    for name in ("PlanBackfill", "BackfillMonth", "PublishBackfill"):
        assert visits.handler_of(steps[name]["Resource"]) == "backfill"
        assert steps[name]["Retry"]
        assert steps[name]["TimeoutSeconds"] > visits.functions()["backfill"]["Timeout"]
    assert definition["States"]["PublishBackfill"]["End"] is True


def test_the_backfill_may_start_follow_and_redrive_its_months(visits: Template) -> None:
    name, machine = visits.machine("PlanBackfill")
    role = reference(machine["RoleArn"])
    allowed = {
        action: str(statement["Resource"])
        for policy, statement in visits.statements()
        if role in [reference(one) for one in policy["Roles"]]
        for action in as_list(statement["Action"])
    }
    for action in ("StartExecution", "DescribeExecution", "StopExecution", "RedriveExecution"):
        assert name in allowed[f"states:{action}"]
    label = visits.definition("PlanBackfill")["States"]["BackfillMonths"]["Label"]
    assert f"/{label}:*" in allowed["states:RedriveExecution"]


def test_a_backfill_writes_to_the_feature_store_alone(visits: Template) -> None:
    allowed = visits.may("backfill")
    assert {arn["Fn::Join"][1][-1] for arn in allowed["s3:PutObject"]} == {"/features*"}
    read = {arn["Fn::Join"][1][-1] for arn in allowed["s3:GetObject"]}
    assert read == {"/clean/*", "/features*", "/registry/*", "/runs/*"}


def test_functions_set_the_tag_that_the_rule_looks_for() -> None:
    assert offline_files.SUPERSEDED == SUPERSEDED
