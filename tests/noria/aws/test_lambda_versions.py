"""The endpoint's versions and alias; people are told."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, EndpointConnectionError

from noria.aws import lambda_versions
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.sns import Topic
from noria.common.backoff import Backoff
from noria.errors import ContentionError, RegistryError
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


def refuse(aws: Any, call: str, code: str, times: int) -> list[str]:
    """Let Lambda refuse a call so many times; returns the refusals, which grow."""
    refused: list[str] = []

    def answer(**_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if len(refused) >= times:
            return None
        refused.append(code)
        response = AWSResponse("", 412, {}, None)
        return response, {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {}}

    aws.meta.events.register(f"before-call.lambda.{call}", answer)
    return refused


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contention is waited for in milliseconds."""
    monkeypatch.setattr(lambda_versions, "CONTENDED", Backoff(attempts=4, first=0.001))


def test_the_function_follows_the_champion_again(aws: Any, endpoint: EndpointFunction) -> None:
    """A stack update that leaves the variables alone publishes what the function is left to say."""
    endpoint.publish("v7")
    assert model_of(aws, "$LATEST") == {"NORIA_MODEL": "champion", "NORIA_BUCKET": "b"}
    by_stack = aws.publish_version(FunctionName=NAME)["Version"]
    assert endpoint.model_of(by_stack) == "champion"


def test_a_version_is_published_once_for_its_code(aws: Any, endpoint: EndpointFunction) -> None:
    first, other = endpoint.publish("v7"), endpoint.publish("v8")
    assert endpoint.publish("v7") == first
    assert endpoint.publish("v8") == other
    aws.update_function_configuration(FunctionName=NAME, MemorySize=512)
    larger = endpoint.publish("v7")
    assert larger not in (first, other)
    found = aws.get_function_configuration(FunctionName=NAME, Qualifier=larger)
    assert found["MemorySize"] == 512
    assert [one.model for one in endpoint.versions()] == ["champion", "v7", "v8", "v7"]


def test_a_version_that_was_put_away_is_published_anew(
    aws: Any, endpoint: EndpointFunction
) -> None:
    first = endpoint.publish("v7")

    def put_away(parsed: dict[str, Any], **_: Any) -> None:
        if parsed["Version"] == first:
            parsed["State"] = "Inactive"

    aws.meta.events.register("after-call.lambda.GetFunctionConfiguration", put_away)
    assert endpoint.publish("v7") != first


@pytest.mark.parametrize("left", ["v7", "v9"])
def test_a_publication_that_broke_off_is_mended_by_the_next(
    aws: Any, endpoint: EndpointFunction, left: str
) -> None:
    """GIVEN a process that died between naming a model and putting the champion back."""
    before = endpoint.publish("v7")
    variables = {"NORIA_MODEL": left, "NORIA_BUCKET": "b"}
    aws.update_function_configuration(FunctionName=NAME, Environment={"Variables": variables})
    assert endpoint.latest().follows_champion is False
    assert endpoint.publish("v7") == before
    assert endpoint.latest().follows_champion is True


@pytest.mark.parametrize("calls", range(14))
def test_wherever_a_publication_dies_the_next_one_finishes_it(
    aws: Any, endpoint: EndpointFunction, calls: int
) -> None:
    """GIVEN a process that dies behind any of its calls, without a `finally` THEN one version."""
    made: list[str] = []

    def die(model: Any, **_: Any) -> None:
        if len(made) == calls:
            raise EndpointConnectionError(endpoint_url="lambda")
        made.append(model.name)

    aws.meta.events.register("before-call.lambda", die)
    with suppress(EndpointConnectionError):
        endpoint.publish("v7")
    aws.meta.events.unregister("before-call.lambda", die)
    version = endpoint.publish("v7")
    assert [one.number for one in endpoint.versions() if one.model == "v7"] == [version]
    assert endpoint.latest().follows_champion is True
    assert endpoint.live_version() == "1"


def test_what_broke_off_is_put_back_without_a_publication(
    aws: Any, endpoint: EndpointFunction
) -> None:
    aws.update_function_configuration(
        FunctionName=NAME, Environment={"Variables": {"NORIA_MODEL": "v9", "NORIA_BUCKET": "b"}}
    )
    endpoint.follow_champion()
    endpoint.follow_champion()
    assert model_of(aws, "$LATEST")["NORIA_MODEL"] == "champion"
    assert len(endpoint.versions()) == 1


def test_the_champion_is_put_back_where_lambda_does_not_publish(
    aws: Any, endpoint: EndpointFunction
) -> None:
    refuse(aws, "PublishVersion", "CodeStorageExceededException", times=1)
    with pytest.raises(ClientError, match="CodeStorageExceeded"):
        endpoint.publish("v7")
    assert model_of(aws, "$LATEST")["NORIA_MODEL"] == "champion"
    assert len(endpoint.versions()) == 1


@pytest.mark.parametrize("call", ["UpdateFunctionConfiguration", "PublishVersion"])
@pytest.mark.parametrize("code", ["PreconditionFailedException", "ResourceConflictException"])
def test_a_change_in_between_is_seen_and_decided_on_anew(
    aws: Any, endpoint: EndpointFunction, call: str, code: str
) -> None:
    refused = refuse(aws, call, code, times=2)
    version = endpoint.publish("v7")
    assert len(refused) == 2
    assert endpoint.model_of(version) == "v7"
    assert endpoint.latest().follows_champion is True


def test_a_function_that_keeps_changing_is_told(aws: Any, endpoint: EndpointFunction) -> None:
    aws.update_function_configuration(FunctionName=NAME, MemorySize=512)
    aws.publish_version(FunctionName=NAME)
    refused = refuse(aws, "PublishVersion", "PreconditionFailedException", times=99)
    with pytest.raises(ContentionError, match=f"'{NAME}' kept changing, as during a deployment"):
        endpoint.publish("v7")
    assert len(refused) == 4
    refused = refuse(aws, "UpdateAlias", "PreconditionFailedException", times=99)
    with pytest.raises(ContentionError, match="nothing was moved"):
        endpoint.shift("2", 0.1)
    assert len(refused) == 4


def test_a_version_is_told_once_it_is_active(aws: Any, endpoint: EndpointFunction) -> None:
    """GIVEN a version that is pending at first THEN its number comes when it is usable."""
    states: list[str] = []

    def pending(parsed: dict[str, Any], **_: Any) -> None:
        if parsed["Version"] != "$LATEST":
            parsed["State"] = "Pending" if len(states) < 2 else "Active"
            states.append(parsed["State"])

    aws.meta.events.register("after-call.lambda.GetFunctionConfiguration", pending)
    assert endpoint.publish("v7", patience=5) == "2"
    assert states[-1] == "Active"
    states.clear()
    aws.meta.events.unregister("after-call.lambda.GetFunctionConfiguration", pending)

    def failed(parsed: dict[str, Any], **_: Any) -> None:
        parsed["State"] = "Failed"

    aws.meta.events.register("after-call.lambda.GetFunctionConfiguration", failed)
    with pytest.raises(RegistryError, match="not ready in version 3 after 1 s; look at its State"):
        endpoint.publish("v8", patience=1)


def test_traffic_is_taken_from_a_version_wherever_it_is(
    aws: Any, endpoint: EndpointFunction
) -> None:
    """GIVEN a deployment that moved the alias under a canary THEN only the canary's share goes."""
    challenger = endpoint.publish("v7")
    aws.update_function_configuration(FunctionName=NAME, MemorySize=512)
    deployed = aws.publish_version(FunctionName=NAME)["Version"]
    endpoint.shift(challenger, 0.1)
    endpoint.withdraw(challenger, "1")
    assert weights(aws) == ("1", {})
    endpoint.shift(challenger, 0.1)
    aws.update_alias(FunctionName=NAME, Name="live", FunctionVersion=deployed)
    assert endpoint.route().shares == {challenger: 0.1}
    endpoint.withdraw(challenger, "1")
    assert weights(aws) == (deployed, {})
    endpoint.point_to(challenger)
    endpoint.withdraw(challenger, "1")
    assert weights(aws) == ("1", {})


def test_what_is_so_already_is_not_written(aws: Any, endpoint: EndpointFunction) -> None:
    written = refuse(aws, "UpdateAlias", "TooManyRequestsException", times=99)
    endpoint.point_to("1")
    endpoint.withdraw("7", "1")
    assert written == []


def test_a_version_is_deleted_once(aws: Any, endpoint: EndpointFunction) -> None:
    version = endpoint.publish("v7")
    endpoint.shift(version, 0.1)
    assert endpoint.routed() == {"1", version}
    endpoint.withdraw(version, "1")
    refuse(aws, "DeleteFunction", "ResourceConflictException", times=1)
    assert endpoint.delete(version) is False
    assert endpoint.delete(version) is True
    assert endpoint.delete(version) is True
    assert [one.number for one in endpoint.versions()] == ["1"]


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
