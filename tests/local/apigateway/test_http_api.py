"""The HTTP API on a loopback port answers as API Gateway does."""

import json
import shutil
import subprocess
import urllib.parse
from typing import Any

import pytest

from infra.local import Deployed, LocalCloud
from infra.local.apigateway.client import Credentials, request


@pytest.fixture(scope="module")
def url(cloud: LocalCloud, stack: Deployed) -> str:
    """The sample's API."""
    return cloud.serve_api(stack.outputs)


def test_a_signed_request_reaches_the_live_version(
    cloud: LocalCloud, stack: Deployed, url: str
) -> None:
    live = cloud.client("lambda").get_alias(
        FunctionName=stack.outputs["EndpointFunctionName"], Name="live"
    )
    answer = request(
        "POST", f"{url}/predict?a=1&a=2&b=x%20y", credentials=cloud.credentials,
        json={"rows": [1]}, headers={"Cookie": "k=v; l=w"},
    )  # fmt: skip
    assert answer.status == 200
    body = answer.json()
    assert (body["model"], body["version"]) == ("champion", live["FunctionVersion"])
    event = body["event"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["rawPath"] == "/predict"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y"}
    assert event["cookies"] == ["k=v", "l=w"]
    assert json.loads(event["body"]) == {"rows": [1]}
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["authorizer"]["iam"]["accessKey"] == "local"


@pytest.mark.parametrize(
    ("credentials", "region"),
    [
        (None, "eu-west-1"),
        (Credentials("local", "wrong"), "eu-west-1"),
        (Credentials("nobody", "local"), "eu-west-1"),
        (Credentials("local", "local"), "us-east-1"),
    ],
)
def test_without_a_valid_signature_it_is_forbidden(
    url: str, credentials: Credentials | None, region: str
) -> None:
    answer = request("GET", f"{url}/model", credentials=credentials, region=region)
    assert (answer.status, answer.json()) == (403, {"message": "Forbidden"})


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_signs_too(cloud: LocalCloud, url: str) -> None:
    made = subprocess.run(
        [
            "curl", "-s", "--aws-sigv4", "aws:amz:eu-west-1:execute-api", "--user", "local:local",
            "-H", "Content-Type: application/json", "-d", '{"a": 1}', f"{url}/predict",
        ],
        capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(made.stdout)["event"]["body"] == '{"a": 1}'


def test_a_tampered_body_is_forbidden(cloud: LocalCloud, url: str) -> None:
    from infra.local.apigateway.client import _signed

    target = f"{url}/predict"
    headers = _signed("POST", target, cloud.credentials, "eu-west-1", b"one", {})
    assert request("POST", target, body=b"two", headers=headers).status == 403


def test_open_routes_and_path_parameters(url: str) -> None:
    answer = request("GET", f"{url}/open/sesame%20seed")
    assert answer.status == 200
    event = answer.json()["event"]
    assert event["routeKey"] == "GET /open/{name}"
    assert event["pathParameters"] == {"name": "sesame seed"}


def test_binary_answers_cookies_and_status(cloud: LocalCloud, url: str) -> None:
    answer = request("GET", f"{url}/binary", credentials=cloud.credentials)
    assert (answer.status, answer.body) == (201, b"\x00\xff")
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [("/broken", 500, "Internal Server Error"), ("/slow", 503, "Service Unavailable")],
)
def test_failures(cloud: LocalCloud, url: str, path: str, status: int, message: str) -> None:
    answer = request("GET", f"{url}{path}", credentials=cloud.credentials)
    assert (answer.status, answer.json()) == (status, {"message": message})


def test_records_put_to_the_stream_land_under_its_prefix(
    cloud: LocalCloud, stack: Deployed, url: str
) -> None:
    request("POST", f"{url}/log", credentials=cloud.credentials, json={"q": 1})
    listed = cloud.client("s3").list_objects_v2(
        Bucket=stack.outputs["BucketName"], Prefix="predictions/date="
    )["Contents"]
    key: Any = listed[-1]["Key"]
    stored = cloud.client("s3").get_object(Bucket=stack.outputs["BucketName"], Key=key)
    lines = stored["Body"].read().decode().splitlines()
    assert json.loads(lines[0]) == {"asked": '{"q": 1}'}
    assert urllib.parse.unquote(key).count("/") == 2
