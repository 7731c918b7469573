"""A stack's bucket in process: fixtures for every test that asks for one.

What they need is imported when they are asked for: moto takes seconds, and pure tests do without.
"""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.moto_session import aws_in_process

if TYPE_CHECKING:
    from noria.aws.s3 import Store

STACK_BUCKET = "stack-bucket"


class Serial:
    """A client whose calls are answered one by one: moto's conditional writes race otherwise.

    `after` is called behind every answer with the call's name, as another process would act;
    `before` before every call, which it may let fail.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.RLock()
        self.after: Callable[[str], None] = lambda name: None
        self.before: Callable[[str], None] = lambda name: None
        self.repeats = False

    def once_behind(self, puts: int, act: Callable[[], None]) -> None:
        """Let another process act once, behind that many puts and one more."""
        left = puts

        def count(call: str) -> None:
            nonlocal left
            if call == "put_object":
                left -= 1
                if left < 0:
                    self.after = lambda call: None
                    act()

        self.after = count

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*args: Any, **options: Any) -> Any:
            self.before(name)
            with self._lock:
                answer = method(*args, **options)
                if self.repeats and name == "put_object":  # the first reply was lost
                    answer = method(*args, **options)
            self.after(name)
            return answer

        return call


@pytest.fixture
def s3() -> Iterator[Serial]:
    """An S3 client that sees the stack's bucket."""
    import boto3

    with aws_in_process():
        client = boto3.client("s3", region_name="eu-west-1")
        place = {"LocationConstraint": "eu-west-1"}
        client.create_bucket(Bucket=STACK_BUCKET, CreateBucketConfiguration=place)
        yield Serial(client)


@pytest.fixture
def bucket(s3: Serial) -> "Store":
    """The stack's bucket."""
    from noria.aws.s3 import Store

    return Store(s3, STACK_BUCKET)


@pytest.fixture
def store(bucket: "Store", monkeypatch: pytest.MonkeyPatch) -> "Iterator[Store]":
    """The stack's bucket, as handlers find it."""
    from noria.aws import clients

    monkeypatch.setenv("NORIA_BUCKET", bucket.bucket)
    clients.client.cache_clear()
    yield bucket
    clients.client.cache_clear()
