"""Finding one record in the logs that Firehose writes, without reading the whole log."""

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from noria.aws.s3 import MissingObjectError, Store
from noria.common.log_lines import log_lines

# Firehose keeps records for up to 15 minutes before it writes them, and names an object by the
# arrival of its oldest record; a delivery that fails is tried again for a day.
EARLIEST, LATEST = timedelta(minutes=15), timedelta(hours=1)
RETRIES = timedelta(days=1)
SECOND = timedelta(seconds=1)  # S3 dates objects to the second
READ_AT_MOST = 1_000
PARALLEL_READS = 8
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)-[0-9a-f-]{36}$")


@dataclass(frozen=True)
class Found:
    """A search's record, or None; where it was, and how many objects were read of how many."""

    record: dict[str, Any] | None
    key: str = ""
    read: int = 0
    objects: int = 0


@dataclass(frozen=True)
class _Written:
    key: str
    at: datetime


class Log:
    """The JSON lines below one prefix, such as ``predictions/``."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._store = Store(client, bucket)

    def written_at(self, name: str, at: datetime) -> Found:
        """Find a record that was logged at a time: the objects nearest to it come first."""
        near = sorted(self._hours(at), key=lambda item: abs(_stamp(item) - at))
        found = self._first(name, near)
        if found.record is not None:
            return found
        known = {item.key for item in near}
        late = [i for i in self._listed(self._prefix) if at - SECOND <= i.at <= at + RETRIES]
        again = self._first(name, [item for item in late if item.key not in known])
        return Found(again.record, again.key, found.read + again.read, len(near) + again.objects)

    def written_since(self, name: str, at: datetime) -> Found:
        """Find the latest record of a name that was logged after a time."""
        start = f"{self._prefix}{at - EARLIEST:%Y/%m/%d/%H}/"
        listed = list(self._listed(self._prefix, start)) or list(self._listed(self._prefix))
        since = sorted((i for i in listed if i.at >= at - SECOND), key=lambda item: item.at)
        chosen = [item.key for item in since[:READ_AT_MOST]]
        hits = [(key, record) for key, record in self._read(name, chosen) if record is not None]
        key, record = hits[-1] if hits else ("", None)
        return Found(record, key, len(chosen), len(since))

    def _first(self, name: str, objects: Iterable[_Written]) -> Found:
        keys = [item.key for item in objects]
        read = 0
        for start in range(0, min(len(keys), READ_AT_MOST), PARALLEL_READS):
            batch = keys[start : start + PARALLEL_READS]
            read += len(batch)
            for key, record in self._read(name, batch):
                if record is not None:
                    return Found(record, key, read, len(keys))
        return Found(None, read=read, objects=len(keys))

    def _read(self, name: str, keys: list[str]) -> list[tuple[str, dict[str, Any] | None]]:
        with ThreadPoolExecutor(max_workers=PARALLEL_READS) as pool:
            records = list(pool.map(lambda key: self._record(name, key), keys))
        return list(zip(keys, records, strict=True))

    def _record(self, name: str, key: str) -> dict[str, Any] | None:
        """The last record of this name in an object; lines that are no records are passed over."""
        try:
            content = self._store.get(key)
        except MissingObjectError:
            return None
        wanted = name.encode()
        lines = [line for line in log_lines(content) if wanted in line]
        return next(
            (r for r in map(_parsed, reversed(lines)) if r.get("prediction_id") == name), None
        )

    def _hours(self, at: datetime) -> Iterator[_Written]:
        hour = (at - EARLIEST).replace(minute=0, second=0, microsecond=0)
        while hour <= at + LATEST:
            yield from self._listed(f"{self._prefix}{hour:%Y/%m/%d/%H}/")
            hour += timedelta(hours=1)

    def _listed(self, prefix: str, after: str = "") -> Iterator[_Written]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, StartAfter=after
        )
        for page in pages:
            for item in page.get("Contents", []):
                yield _Written(item["Key"], item["LastModified"].astimezone(UTC))


def _stamp(item: _Written) -> datetime:
    """When the oldest record of an object arrived, as its key says, else when it was written."""
    match = _STAMP.search(item.key)
    if match is None:
        return item.at
    try:
        return datetime.strptime(match[1], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    except ValueError:
        return item.at


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
