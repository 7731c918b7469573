"""Whether objects are still what their checksums say."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

State = Literal["present", "same", "changed", "replaced", "missing", "elsewhere"]
CHUNK = 1024 * 1024
_ABSENT = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "405"}


@dataclass(frozen=True)
class Audited:
    """An object's state; of one that was replaced, the version that still has the bytes.

    Of one that is gone, `version` is the latest that is kept, where nothing tells it is another.
    """

    state: State
    version: str | None = None


class Audit:
    """Looks at objects of one bucket; with `rehash` it reads them, one chunk at a time."""

    def __init__(self, client: Any, bucket: str, *, rehash: bool = True) -> None:
        self._client, self._bucket, self._rehash = client, bucket, rehash

    def look(self, key: str, sha256: str | None, etag: str | None = None) -> Audited:
        """Compare an object with its SHA-256, or without `rehash` with its ETag where given.

        `replaced`: another object has the key now, but the bucket keeps the one that was meant.
        """
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            _refuse_unless_absent(error)
            return self._earlier("missing", key, sha256, etag)
        if self._rehash and sha256:
            if self.digest(key) == sha256:
                return Audited("same")
            return self._earlier("changed", key, sha256, etag)
        if etag and found["ETag"].strip('"') != etag:
            return self._earlier("changed", key, sha256, etag)
        return Audited("present")

    def _earlier(self, state: State, key: str, sha256: str | None, etag: str | None) -> Audited:
        """Look for the bytes among the versions that the bucket keeps of a key."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=key
        )
        kept = [v for page in pages for v in page.get("Versions", []) if v["Key"] == key]
        for version in kept:
            name = str(version["VersionId"])
            alike = version["ETag"].strip('"') == etag if etag else self._rehash
            if alike and (not self._rehash or self.digest(key, name) == sha256):
                return Audited("replaced", name)
        is_guess = state == "missing" and kept and not (etag or self._rehash)
        return Audited(state, str(kept[0]["VersionId"]) if is_guess else None)

    def digest(self, key: str, version: str | None = None) -> str:
        """The SHA-256 of an object, or of an earlier version of it."""
        which = {"VersionId": version} if version else {}
        body = self._client.get_object(Bucket=self._bucket, Key=key, **which)["Body"]
        digest = hashlib.sha256()
        for chunk in iter(lambda: body.read(CHUNK), b""):
            digest.update(chunk)
        return digest.hexdigest()


def _refuse_unless_absent(error: ClientError) -> None:
    if str(error.response.get("Error", {}).get("Code", "")) not in _ABSENT:
        raise error
