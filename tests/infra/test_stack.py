"""Storage, endpoint and watching, as the template declares them."""

import json
import re
from typing import Any

import pytest

from infra.constructs.storage import JSON_SERDE, JSON_TABLES
from noria.common.metric_table import LOWER_IS_BETTER
from noria.core.statistics.metrics import is_better_higher
from tests.infra.conftest import Synthesized
from tests.infra.template import Json, Template, reference, statements_of

OUTPUTS = {
    "BucketName", "DatabaseName", "StateMachineArn", "EndpointUrl", "EndpointFunctionName",
    "MonitorFunctionName", "TopicArn", "ApiId", "BackfillMachineArn", "BackfillFunctionName",
    "ChampionFunctionName", "BatchMachineArn",
}  # fmt: skip


def test_the_bucket_is_private_encrypted_versioned_and_kept(penguins: Template) -> None:
    (bucket,) = penguins.resources("AWS::S3::Bucket").values()
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["BucketEncryption"]
    assert properties["LifecycleConfiguration"]["Rules"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize(
    "kind", ["AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"]
)
def test_plain_http_is_denied(penguins: Template, kind: str) -> None:
    for policy in penguins.properties(kind):
        denied = [s for s in statements_of(policy) if s["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in denied]


def test_tables_lie_under_their_prefixes(penguins: Template) -> None:
    tables = {
        t["TableInput"]["Name"]: t["TableInput"] for t in penguins.properties("AWS::Glue::Table")
    }
    assert set(tables) == set(JSON_TABLES)
    for name, table in tables.items():
        location = table["StorageDescriptor"]["Location"]["Fn::Join"][1]
        assert location[-1] == f"/{name}/"
        serde = table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
        assert serde == JSON_SERDE


def test_iam_guards_every_route(penguins: Template) -> None:
    routes = penguins.properties("AWS::ApiGatewayV2::Route")
    assert routes
    assert {route["AuthorizationType"] for route in routes} == {"AWS_IAM"}


def test_jwt_guards_every_route_where_the_contract_says_so(house_prices: Template) -> None:
    routes = house_prices.properties("AWS::ApiGatewayV2::Route")
    assert {route["AuthorizationType"] for route in routes} == {"JWT"}
    (authorizer,) = house_prices.properties("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["JwtConfiguration"]["Issuer"] == "https://login.example.org/"


def test_the_api_is_throttled_and_logged(penguins: Template) -> None:
    (stage,) = penguins.properties("AWS::ApiGatewayV2::Stage")
    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert json.loads(stage["AccessLogSettings"]["Format"])["requestId"]


def test_the_api_calls_the_alias_live(penguins: Template) -> None:
    ((alias_id, alias),) = penguins.resources("AWS::Lambda::Alias").items()
    assert alias["Properties"]["Name"] == "live"
    (integration,) = penguins.properties("AWS::ApiGatewayV2::Integration")
    assert reference(integration["IntegrationUri"]) == alias_id


def test_a_published_version_outlives_the_template(penguins: Template) -> None:
    (version,) = penguins.resources("AWS::Lambda::Version").values()
    assert version["DeletionPolicy"] == "Retain"


def test_every_event_that_is_not_delivered_is_kept(penguins: Template) -> None:
    targets = [t for rule in penguins.properties("AWS::Events::Rule") for t in rule["Targets"]]
    assert len(targets) == 3
    assert all(target["DeadLetterConfig"]["Arn"] for target in targets)


def test_an_alarm_starts_the_machine_with_its_cause(penguins: Template) -> None:
    rule = _rule(penguins, "aws.cloudwatch")
    alarms = penguins.resources("AWS::CloudWatch::Alarm")
    named = {
        alarms[reference(a)]["Properties"]["MetricName"] for a in rule["EventPattern"]["resources"]
    }
    assert named == {"Drift", "NewRows", "ModelAge"}
    (target,) = rule["Targets"]
    machine, _ = penguins.machine()
    assert reference(target["Arn"]) == machine
    transformer = target["InputTransformer"]
    filled = re.sub(r"<[^>]+>", '"x"', transformer["InputTemplate"])
    assert json.loads(filled) == {
        "cause": {"kind": "alarm", "alarm": "x", "reason": "x"},
        "as_of": "x",
    }
    assert set(transformer["InputPathsMap"].values()) == {
        "$.detail.alarmName", "$.detail.state.reason", "$.time",
    }  # fmt: skip


def test_alarms_are_those_that_the_contract_asks_for(house_prices: Template) -> None:
    own = {
        alarm["MetricName"]: alarm
        for alarm in house_prices.properties("AWS::CloudWatch::Alarm")
        if alarm["Namespace"] == "Noria/house-prices"
    }
    for_people = {"PredictionsNotLogged", "ChampionMismatch", "Status5xx"}
    assert set(own) == {"Quality", "ModelAge", *for_people}
    assert own["ModelAge"]["Threshold"] == 30
    assert own["Quality"]["Threshold"] == 35000
    assert own["Quality"]["ComparisonOperator"] == "GreaterThanThreshold"  # an error, not a score
    assert {own[name]["Period"] for name in ("Quality", "ModelAge")} == {2 * 24 * 3600}


def test_people_are_told_what_the_endpoint_answers_not_what_lambda_sees(
    penguins: Template,
) -> None:
    """GIVEN an endpoint that turns exceptions into answers THEN its own counts raise the alarm."""
    alarms = {alarm["MetricName"]: alarm for alarm in penguins.properties("AWS::CloudWatch::Alarm")}
    answered = alarms["Status5xx"]
    assert (answered["Namespace"], answered["Statistic"]) == ("Noria/penguins", "Sum")
    assert "Dimensions" not in answered  # over all versions
    assert alarms["Errors"]["Namespace"] == "AWS/Lambda"  # what no code answered


def test_the_alarms_know_which_metrics_are_errors() -> None:
    for metric in ("accuracy", "f1", "roc_auc", "log_loss", "rmse", "mae", "r2"):
        assert is_better_higher(metric) == (metric not in LOWER_IS_BETTER)


def test_every_alarm_tells_people_and_takes_silence_for_health(penguins: Template) -> None:
    for alarm in penguins.properties("AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_what_the_machine_cannot_catch_is_recorded(penguins: Template) -> None:
    rule = _rule(penguins, "aws.states")
    assert rule["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    (target,) = rule["Targets"]
    assert penguins.handler_of(reference(target["Arn"])) == "record_failure"


def test_the_monitor_runs_as_often_as_the_contract_says(
    penguins: Template, house_prices: Template
) -> None:
    assert _schedules(penguins) == ["rate(1 hour)"]
    assert _schedules(house_prices) == ["rate(2 days)"]


def test_outputs_name_what_people_need(penguins: Template) -> None:
    assert set(penguins.body["Outputs"]) == OUTPUTS


def test_no_custom_resource_hides_in_the_template(penguins: Template) -> None:
    kinds = {resource["Type"] for resource in penguins.body["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith("Custom::") or "CustomResource" in kind]


def test_the_local_template_is_the_deployed_one_but_for_layers(synthesized: Synthesized) -> None:
    host, deployed = (synthesized("penguins", p) for p in ("host", "lambda"))
    assert _without_layer_assets(host) == _without_layer_assets(deployed)


def _without_layer_assets(template: Template) -> str:
    """Blank the layers' assets, and the ids that CDK hashes from them (layers and version)."""
    text = json.dumps(template.body, sort_keys=True)
    for layer in template.properties("AWS::Lambda::LayerVersion"):
        text = text.replace(layer["Content"]["S3Key"], "LAYER")
    hashed = [
        *template.resources("AWS::Lambda::LayerVersion"),
        *template.resources("AWS::Lambda::Version"),
    ]
    for logical_id in hashed:
        text = text.replace(logical_id, "HASHED")
    return text


def _rule(template: Template, source: str) -> Json:
    (rule,) = [
        rule
        for rule in template.properties("AWS::Events::Rule")
        if rule.get("EventPattern", {}).get("source") == [source]
    ]
    return rule


def _schedules(template: Template) -> list[Any]:
    rules = template.properties("AWS::Events::Rule")
    return [rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule]
