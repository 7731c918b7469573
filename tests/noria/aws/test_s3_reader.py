"""Objects are read as the SDK reads them, without it; what is unusual is left to it."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from noria.aws.s3 import MissingObjectError, Store
from noria.aws.s3_reader import UNUSUAL, ObjectReader, Signer

ROOT = Path(__file__).parents[3]
BUCKET = "noria-reader"
FUNCTION = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret/+",
    "AWS_SESSION_TOKEN": "token/+=", "AWS_REGION": "eu-west-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
}  # fmt: skip
STARTED = """
import json, sys
import functions.endpoint
print(json.dumps([name for name in ("boto3", "botocore.session", "fastapi", "mangum")
                  if name in sys.modules]))
"""


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK's client of a server with a bucket, and a function's variables around it."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    for name, value in FUNCTION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in UNUSUAL:
        monkeypatch.delenv(name, raising=False)
    client = boto3.client("s3", region_name="eu-west-1", endpoint_url=f"http://{host}:{port}")
    place = {"LocationConstraint": "eu-west-1"}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    yield client
    server.stop()


def never() -> Any:
    """An SDK that must not be needed."""
    raise AssertionError("the SDK was asked")


def test_an_object_is_read_without_the_sdk(sdk: Any) -> None:
    """GIVEN keys of any signs THEN bytes and ETag are those that the SDK reads."""
    for key in ("models/v1/model.onnx", "runs/a b/c=1/\u00e4+~(1).json"):
        Store(sdk, BUCKET).put(key, key.encode() * 1000)
        assert Store(ObjectReader(never), BUCKET).read(key) == Store(sdk, BUCKET).read(key)


def test_what_is_absent_is_said_by_the_sdk(sdk: Any) -> None:
    store = Store(ObjectReader(lambda: sdk), BUCKET)
    with pytest.raises(MissingObjectError):
        store.get("models/v2/model.onnx")
    assert store.get_json("models/v2/evaluation.json", None) is None


def test_all_else_is_done_by_the_sdk(sdk: Any) -> None:
    store = Store(ObjectReader(lambda: sdk), BUCKET)
    assert store.put_if_absent("registry/served/1.json", b"{}")
    assert not store.put_if_absent("registry/served/1.json", b"[]")
    assert store.get("registry/served/1.json") == b"{}"


def test_a_server_that_is_gone_is_left_to_the_sdk(
    sdk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN an address where nobody listens THEN the SDK, with its retries, has the last word."""
    Store(sdk, BUCKET).put("a", b"1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert Store(ObjectReader(lambda: sdk), BUCKET).get("a") == b"1"


def test_threads_that_need_the_sdk_make_one_client() -> None:
    """GIVEN threads that all are left to the SDK THEN it is asked by one at a time."""
    busy, met = threading.Lock(), []

    class Counting:
        def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
            return {"Body": BytesIO(Key.encode()), "ETag": "1"}

    def make() -> Counting:
        met.append(busy.acquire(blocking=False))
        time.sleep(0.01)
        busy.release()
        return Counting()

    store = Store(ObjectReader(make), BUCKET)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(store.get, "abcdefgh")) == [one.encode() for one in "abcdefgh"]
    assert met == [True] * 8


@pytest.mark.parametrize(
    "change",
    [
        {"AWS_SESSION_TOKEN": ""},  # SnapStart hands keys out by address
        {"AWS_EXECUTION_ENV": ""},
        *({name: "https://proxy.example.org"} for name in UNUSUAL),
    ],
)
def test_what_is_unusual_is_left_to_the_sdk(change: dict[str, str]) -> None:
    assert Signer.of_function(FUNCTION) is not None
    assert Signer.of_function(FUNCTION | change) is None


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "noria-reader.s3.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "noria-reader.s3.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "noria-reader.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_address_is_that_of_the_sdk(region: str, host: str) -> None:
    signer = Signer.of_function(FUNCTION | {"AWS_REGION": region})
    assert signer is not None
    assert signer.address(BUCKET, "a b/c") == ("https", host, "/a%20b/c")
    config = Config(s3={"addressing_style": "virtual"})
    theirs = boto3.client("s3", region_name=region, config=config)
    assert theirs.generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": "a b/c"}
    ).startswith(f"https://{host}/a%20b/c?")


@given(key=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_requests_are_signed_as_the_sdk_signs_them(key: str) -> None:
    """GIVEN any key THEN the signature is botocore's of the same request and moment."""
    signer = Signer.of_function(FUNCTION)
    assert signer is not None
    _, host, path = signer.address(BUCKET, key)
    theirs = AWSRequest("GET", f"https://{host}{path}", headers={"Host": host})
    theirs.context["client_config"] = Config(s3={"payload_signing_enabled": True})
    theirs.context["payload_signing_enabled"] = True
    credentials = Credentials("AKIDEXAMPLE", "secret/+", "token/+=")
    S3SigV4Auth(credentials, "s3", "eu-west-1").add_auth(theirs)
    moment = datetime.strptime(theirs.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = signer.headers(host, path, moment)
    assert ours["x-amz-content-sha256"] == theirs.headers["X-Amz-Content-SHA256"]
    assert ours["authorization"] == theirs.headers["Authorization"]


def test_an_endpoint_starts_without_the_sdk_and_without_a_web_framework() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
