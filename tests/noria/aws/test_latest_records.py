"""The latest records of a log are found from its end, whatever lies between them."""

import json
from datetime import UTC, datetime, timedelta

from noria.aws.latest_records import latest_records
from noria.aws.s3 import Store

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def write(store: Store, at: datetime, *ids: int, more: bytes = b"") -> None:
    """An object of the log, as Firehose names it."""
    lines = b"".join(json.dumps({"prediction_id": f"{one:04}"}).encode() + b"\n" for one in ids)
    store.put(f"predictions/{at:%Y/%m/%d/%H}/stream-1-{at:%Y-%m-%d-%H-%M-%S}-x", lines + more)


def read(store: Store, most: int, *moments: datetime) -> list[str]:
    found = latest_records(store, "predictions/", moments or [NOW], most)
    return [str(record["prediction_id"]) for record in found]


def test_the_latest_come_and_the_order_is_theirs(bucket: Store) -> None:
    write(bucket, NOW - timedelta(days=3), 1, 2)
    write(bucket, NOW - timedelta(hours=2), 3, 4, more=b"no json\n[1]\n")
    write(bucket, NOW, 5)
    assert read(bucket, 10) == ["0001", "0002", "0003", "0004", "0005"]
    assert read(bucket, 2) == ["0004", "0005"]
    assert read(bucket, 3) == ["0003", "0004", "0005"]


def test_what_was_served_before_is_left_out(bucket: Store) -> None:
    for hour, served_at in enumerate(("2026-11-24T09:59:00.000Z", "2026-11-24T10:00:00.000Z")):
        record = {"prediction_id": str(hour), "served_at": served_at}
        key = f"predictions/2026/11/24/{9 + hour:02}/stream"
        bucket.put(key, json.dumps(record).encode())
    since = "2026-11-24T10:00:00.000Z"
    [found] = latest_records(bucket, "predictions/", [NOW], 10, since)
    assert found["prediction_id"] == "1"


def test_a_log_of_single_records_is_not_read_for_ever(bucket: Store) -> None:
    for second in range(130):
        write(bucket, NOW - timedelta(seconds=second), 1000 - second)
    found = read(bucket, 1_000)
    assert found == [f"{one:04}" for one in range(901, 1001)]


def test_what_is_long_ago_is_no_use_any_more(bucket: Store) -> None:
    write(bucket, NOW - timedelta(days=40), 1)
    assert read(bucket, 10) == []
    assert read(bucket, 10, NOW, NOW - timedelta(days=39)) == ["0001"]
    assert read(bucket, 10, NOW, NOW - timedelta(days=20)) == []


def test_a_log_that_two_clocks_wrote_is_read_as_one(bucket: Store) -> None:
    played = datetime(2013, 5, 1, tzinfo=UTC)
    write(bucket, NOW, 1)
    write(bucket, played, 2, 3)
    assert read(bucket, 10, NOW, played) == ["0001", "0002", "0003"]
    assert read(bucket, 10, NOW, NOW) == ["0001"]
