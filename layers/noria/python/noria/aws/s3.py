"""Amazon S3: the objects of one stack's bucket, with conditional writes."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from noria.common.backoff import Backoff
from noria.errors import ContentionError

PARALLEL_READS = 10  # connections that boto3 keeps
_ABSENT = {"NoSuchKey", "404", "NotFound"}
CONTENDED = Backoff(attempts=10, first=0.02, longest=0.5)
_LOST = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}


class MissingObjectError(KeyError):
    """An object that is not in the bucket."""


@dataclass(frozen=True)
class StoredObject:
    """An object's bytes with the ETag that a later conditional write is compared with."""

    content: bytes
    etag: str


@dataclass(frozen=True)
class ListedObject:
    """A row of a listing."""

    key: str
    size: int
    etag: str
    modified: datetime


class Store:
    """One bucket; every write replaces a whole object and can be repeated."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def uri(self, key: str) -> str:
        """The ``s3://`` address of a key."""
        return f"s3://{self.bucket}/{key}"

    def read(self, key: str) -> StoredObject:
        """Read an object with its ETag; raises `MissingObjectError`."""
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise MissingObjectError(key) from error
            raise
        return StoredObject(answer["Body"].read(), answer["ETag"])

    def get(self, key: str) -> bytes:
        """Read an object's bytes; raises `MissingObjectError`."""
        return self.read(key).content

    def get_json(self, key: str, default: Any = ...) -> Any:
        """Read a JSON object, or `default` where one is given and the object is absent."""
        try:
            return json.loads(self.get(key))
        except MissingObjectError:
            if default is ...:
                raise
            return default

    def get_all_json(self, keys: Sequence[str], default: Any = ...) -> list[Any]:
        """Read JSON objects side by side, in the keys' order; `default` as in `get_json`."""
        with ThreadPoolExecutor(max_workers=PARALLEL_READS) as pool:
            return list(pool.map(lambda key: self.get_json(key, default), keys))

    def put(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> str:
        """Write an object and return its ETag."""
        answer = self._client.put_object(
            Bucket=self.bucket, Key=key, Body=content, ContentType=content_type
        )
        return str(answer["ETag"])

    def put_json(self, key: str, value: Any) -> str:
        """Write a value as JSON; equal values give equal bytes."""
        return self.put(key, encode(value), "application/json")

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write an object only where none is; False when another was first."""
        return self._put_on_condition(key, content, {"IfNoneMatch": "*"})

    def replace(self, key: str, content: bytes, etag: str) -> bool:
        """Write over the object that was read with `etag`; False when it changed meanwhile."""
        return self._put_on_condition(key, content, {"IfMatch": etag})

    def update(
        self, key: str, change: Callable[[Any], Any], attempts: Iterable[int] = CONTENDED
    ) -> Any:
        """Change a JSON object by compare and swap; returns the value that it has then.

        `change` makes the new value of the stored one (None where there is none); None leaves the
        object as it is. It is called again with the newer value where another writer was first,
        so its effect must not depend on how often. Raises `ContentionError` after all attempts.
        """
        for _ in attempts:
            stored = self._found(key)
            before = None if stored is None else json.loads(stored.content)
            after = change(before)
            if after is None:
                return before
            content = encode(after)
            if stored is None:
                done = self.put_if_absent(key, content)
            else:
                # The ETag is that of these very bytes: reading again would lose what came between.
                done = content == stored.content or self.replace(key, content, stored.etag)
            if done:
                return after
        raise ContentionError(f"'{key}' kept changing; nothing was written, try again")

    def delete(self, key: str) -> None:
        """Delete an object; deleting what is absent is no error."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def tag(self, key: str, tags: Mapping[str, str]) -> None:
        """Set an object's tags, which lifecycle rules go by; an absent object is no error."""
        pairs = [{"Key": name, "Value": value} for name, value in tags.items()]
        try:
            self._client.put_object_tagging(Bucket=self.bucket, Key=key, Tagging={"TagSet": pairs})
        except ClientError as error:
            if _code(error) not in _ABSENT:
                raise

    def objects(self, prefix: str, after: str | None = None) -> list[ListedObject]:
        """List what is below a prefix, in key order, optionally only behind a key."""
        start = {"StartAfter": after} if after else {}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, **start
        )
        return [
            ListedObject(item["Key"], item["Size"], item["ETag"].strip('"'), item["LastModified"])
            for page in pages
            for item in page.get("Contents", [])
        ]

    def keys(self, prefix: str, after: str | None = None) -> list[str]:
        """List the keys below a prefix, in order."""
        return [item.key for item in self.objects(prefix, after)]

    def _found(self, key: str) -> StoredObject | None:
        try:
            return self.read(key)
        except MissingObjectError:
            return None

    def _put_on_condition(self, key: str, content: bytes, condition: dict[str, str]) -> bool:
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=content, **condition)
        except ClientError as error:
            if _code(error) not in _LOST | _ABSENT:
                raise
            # The reply to a write that succeeded may have been lost and the write sent again.
            return self._holds(key, content)
        return True

    def _holds(self, key: str, content: bytes) -> bool:
        try:
            return self.get(key) == content
        except MissingObjectError:
            return False


def encode(value: Any) -> bytes:
    """Canonical JSON bytes of a value; NaN and infinities are refused."""
    return json.dumps(value, sort_keys=True, allow_nan=False, default=str).encode()


def key_of(uri: str) -> str:
    """The key in an ``s3://bucket/key`` address."""
    return uri.removeprefix("s3://").partition("/")[2]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
