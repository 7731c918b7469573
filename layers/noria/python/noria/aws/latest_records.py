"""The latest records of a log that Firehose writes, read from its end."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from noria.aws.s3 import Store
from noria.common.log_lines import log_lines

DAYS = 30  # that are looked back
MOST_OBJECTS = 100  # that are read: where few ask, each holds a record or two
SIDE_BY_SIDE = 10
AHEAD = timedelta(minutes=5)  # by which clocks differ

Record = dict[str, Any]


def latest_records(
    store: Store, prefix: str, moments: Sequence[datetime], most: int, since: str = ""
) -> list[Record]:
    """Read up to `most` records below a prefix, in the order of their predictions' ids.

    Looks back from each moment, for a local clock may lie in another year than a log that began
    before it was set; not beyond what was served before `since` (as the log writes times). Lines
    that are no objects in JSON are passed over.
    """
    found: dict[str, list[Record]] = {}
    for moment in _apart(moments):
        read = 0
        count = 0
        for keys in _batches(_latest_first(store, prefix, moment)):
            fresh = [key for key in keys if key not in found]
            found |= zip(fresh, _contents(store, fresh), strict=True)
            read, count = read + len(fresh), count + sum(len(found[key]) for key in fresh)
            is_early = any(_served_at(one) < since for key in fresh for one in found[key])
            if not fresh or is_early or count >= most or read >= MOST_OBJECTS:
                break
    records = [one for part in found.values() for one in part if _served_at(one) >= since]
    return sorted(records, key=lambda one: str(one.get("prediction_id", "")))[-most:]


def _apart(moments: Sequence[datetime]) -> list[datetime]:
    """Leave out a moment that looking back from another one comes to anyway."""
    kept: list[datetime] = []
    for moment in moments:
        if not any(timedelta(0) <= other - moment < timedelta(days=DAYS) for other in kept):
            kept.append(moment)
    return kept


def _latest_first(store: Store, prefix: str, moment: datetime) -> Iterator[str]:
    for back in range(DAYS):
        day = moment + AHEAD - timedelta(days=back)
        yield from reversed(store.keys(f"{prefix}{day:%Y/%m/%d}/"))


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == SIDE_BY_SIDE:
            yield batch
            batch = []
    if batch:
        yield batch


def _contents(store: Store, keys: Sequence[str]) -> list[list[Record]]:
    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        return [[*_records(content)] for content in pool.map(store.get, keys)]


def _records(content: bytes) -> Iterator[Record]:
    for line in log_lines(content):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def _served_at(record: Record) -> str:
    return str(record.get("served_at", ""))
