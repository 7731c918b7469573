"""The endpoint's versions and alias; people are told; traffic is read."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from noria.aws.cloudwatch import version_traffic
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.sns import Topic
from noria.errors import RegistryError
from tests.support.moto_session import aws_in_process

NAME = "flights-endpoint"
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole"}]}  # fmt: skip


def code() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "")
    return buffer.getvalue()


@pytest.fixture
def aws() -> Iterator[Any]:
    """Lambda with the endpoint as the template makes it: version 1 behind the alias."""
    with aws_in_process():
        role = boto3.client("iam").create_role(
            RoleName="endpoint", AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        client = boto3.client("lambda", region_name="eu-west-1")
        client.create_function(
            FunctionName=NAME, Runtime="python3.13", Handler="app.handler",
            Role=role["Role"]["Arn"], Code={"ZipFile": code()},
            Environment={"Variables": {"NORIA_MODEL": "champion", "NORIA_BUCKET": "b"}},
        )  # fmt: skip
        client.publish_version(FunctionName=NAME)
        client.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
        yield client


@pytest.fixture
def endpoint(aws: Any) -> EndpointFunction:
    return EndpointFunction(aws, NAME, "live")


def model_of(aws: Any, version: str) -> dict[str, str]:
    found = aws.get_function_configuration(FunctionName=NAME, Qualifier=version)
    return dict(found["Environment"]["Variables"])


def weights(aws: Any) -> tuple[str, dict[str, float]]:
    alias = aws.get_alias(FunctionName=NAME, Name="live")
    return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get(
        "AdditionalVersionWeights", {}
    )


def test_a_version_serves_its_model_for_ever(aws: Any, endpoint: EndpointFunction) -> None:
    first = endpoint.publish("run-1-1")
    second = endpoint.publish("run-2-1")
    assert first != second
    assert model_of(aws, first) == {"NORIA_MODEL": "run-1-1", "NORIA_BUCKET": "b"}
    assert model_of(aws, second)["NORIA_MODEL"] == "run-2-1"
    assert model_of(aws, "1")["NORIA_MODEL"] == "champion"
    described = aws.get_function_configuration(FunctionName=NAME, Qualifier=second)
    assert described["Description"] == "model run-2-1"


def test_publishing_moves_no_traffic(aws: Any, endpoint: EndpointFunction) -> None:
    endpoint.publish("run-1-1")
    assert endpoint.live_version() == "1"
    assert weights(aws) == ("1", {})


def test_a_canary_shares_and_then_takes_all(aws: Any, endpoint: EndpointFunction) -> None:
    version = endpoint.publish("run-1-1")
    endpoint.shift(version, 0.1)
    endpoint.shift(version, 0.1)
    assert weights(aws) == ("1", {version: 0.1})
    assert endpoint.live_version() == "1"
    endpoint.point_to(version)
    endpoint.point_to(version)
    assert weights(aws) == (version, {})


def test_rolling_back_takes_the_share_away(aws: Any, endpoint: EndpointFunction) -> None:
    version = endpoint.publish("run-1-1")
    endpoint.shift(version, 0.1)
    endpoint.point_to("1")
    assert weights(aws) == ("1", {})


def test_an_update_that_does_not_end_is_told(aws: Any, endpoint: EndpointFunction) -> None:
    def still_updating(parsed: dict[str, Any], **_: Any) -> None:
        parsed["LastUpdateStatus"] = "InProgress"

    aws.meta.events.register("after-call.lambda.GetFunctionConfiguration", still_updating)
    with pytest.raises(RegistryError, match=f"'{NAME}' was still updating after 2 s; look at"):
        endpoint.publish("run-1-1", patience=2)


@pytest.fixture
def topic() -> Iterator[tuple[Topic, Any]]:
    """A topic with a queue that hears it."""
    with aws_in_process():
        sns, sqs = (boto3.client(name, region_name="eu-west-1") for name in ("sns", "sqs"))
        arn = sns.create_topic(Name="flights")["TopicArn"]
        url = sqs.create_queue(QueueName="heard")["QueueUrl"]
        sns.subscribe(
            TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:heard"
        )
        yield (
            Topic(sns, arn),
            lambda: json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]),
        )


@pytest.mark.parametrize(
    ("subject", "heard"),
    [
        ("Noria flights: Promote", "Noria flights: Promote"),
        ("Noria größe\nBcc: x", "Noria gr??e Bcc: x"),
        ("x" * 300, "x" * 100),
    ],
)
def test_people_are_told(topic: tuple[Topic, Any], subject: str, heard: str) -> None:
    sender, receive = topic
    sender.publish(subject, "Größe\nzwei")
    message = receive()
    assert (message["Subject"], message["Message"]) == (heard, "Größe\nzwei")


class Metrics:
    """CloudWatch as it answers: values by query, none for a version without traffic."""

    def __init__(self, values: dict[str, dict[str, list[float]]]) -> None:
        self._values = values
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **query: Any) -> dict[str, Any]:
        self.asked.append(query)
        first = query["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
        version = {item["Name"]: item["Value"] for item in first}["ExecutedVersion"]
        found = self._values.get(version, {})
        return {
            "MetricDataResults": [
                {"Id": item["Id"], "Values": found.get(item["Id"], [])}
                for item in query["MetricDataQueries"]
            ]
        }


def test_traffic_is_read_per_version() -> None:
    end = datetime(2026, 11, 24, tzinfo=UTC)
    metrics = Metrics({"8": {"invocations": [5, 7], "errors": [1], "duration": [20.5, 31, 9]}})
    window = (end - timedelta(minutes=10), end)
    new = version_traffic(metrics, NAME, "live", "8", *window)
    assert (new.version, new.invocations, new.errors, new.duration) == ("8", 12, 1, 31)
    silent = version_traffic(metrics, NAME, "live", "7", *window)
    assert (silent.invocations, silent.errors, silent.duration) == (0, 0, None)
    stats = {q["Id"]: q["MetricStat"]["Stat"] for q in metrics.asked[0]["MetricDataQueries"]}
    assert stats == {"invocations": "Sum", "errors": "Sum", "duration": "p95"}
    dimensions = metrics.asked[0]["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert {"Name": "Resource", "Value": f"{NAME}:live"} in dimensions
