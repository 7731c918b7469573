"""A folder that answers like an S3 client, so that handlers run as they are and nothing else does.

No network and no other process share the machine's cores with what is measured.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


class FolderBucket:
    """The calls of `noria.aws.s3`; an ETag is a file's size and time of change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        """Open an object for reading."""
        if not self._path(Key).is_file():
            raise _refused("NoSuchKey", "GetObject")
        return {"Body": BytesIO(self._path(Key).read_bytes()), "ETag": self._etag(Key)}

    def put_object(
        self, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str = "", IfMatch: str = "", **_: str
    ) -> dict[str, Any]:
        """Write an object, unless a condition forbids it."""
        path = self._path(Key)
        if (IfNoneMatch and path.exists()) or (IfMatch and IfMatch != self._etag(Key)):
            raise _refused("PreconditionFailed", "PutObject")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Body)
        return {"ETag": self._etag(Key)}

    def delete_object(self, Bucket: str, Key: str) -> None:
        """Delete an object; one that is absent is no error."""
        self._path(Key).unlink(missing_ok=True)

    def put_object_tagging(self, Bucket: str, Key: str, Tagging: dict[str, Any]) -> None:
        """No rule deletes anything here."""

    def get_paginator(self, operation: str) -> "FolderBucket":
        """Only `list_objects_v2` has pages here."""
        return self

    def paginate(self, Bucket: str, Prefix: str, StartAfter: str = "") -> Iterator[dict[str, Any]]:
        """All objects below a prefix, in key order, as one page."""
        paths = [path for path in self._folder.rglob("*") if path.is_file()]
        keys = sorted(path.relative_to(self._folder).as_posix() for path in paths)
        yield {
            "Contents": [
                {"Key": key, "Size": self._path(key).stat().st_size, "ETag": self._etag(key),
                 "LastModified": datetime.fromtimestamp(self._path(key).stat().st_mtime, UTC)}
                for key in keys
                if key.startswith(Prefix) and key > StartAfter
            ]
        }  # fmt: skip

    def _path(self, key: str) -> Path:
        return self._folder / key

    def _etag(self, key: str) -> str:
        found = self._path(key).stat()
        return f'"{found.st_size}-{found.st_mtime_ns}"'


def _refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)
