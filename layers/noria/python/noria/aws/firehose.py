"""Live traffic: records out to Amazon Data Firehose, the monitor's metrics out to CloudWatch."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from noria.common.backoff import Backoff

BATCH_RECORDS = 500
BATCH_BYTES = 4 * 1024 * 1024
RECORD_BYTES = 1000 * 1024
RETRIES = Backoff(attempts=3, first=0.1)

UNITS = {"NewRows": "Count", "Predictions": "Count"}


@cache
def firehose() -> Any:
    """The process's Firehose client: it gives up soon, for a caller waits for the answer."""
    retries = {"mode": "standard", "total_max_attempts": 2}
    return boto3.client(
        "firehose", config=Config(connect_timeout=1, read_timeout=2, retries=retries)
    )


class Stream:
    """One delivery stream; it appends newline-terminated records to a table's prefix."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def append(self, records: Sequence[bytes]) -> tuple[int, str]:
        """Send records; returns how many could not be sent, and why (empty when all were)."""
        sendable = [record for record in records if len(record) <= RECORD_BYTES]
        lost, reason = len(records) - len(sendable), ""
        if lost:
            reason = f"a record is longer than {RECORD_BYTES} bytes"
        for batch in batches(sendable):
            failed, why = self._send(batch)
            lost, reason = lost + failed, why or reason
        return lost, reason

    def _send(self, batch: Sequence[bytes]) -> tuple[int, str]:
        """Send one batch, then again what failed of it, and only that."""
        remaining, reason = list(batch), ""
        for _ in RETRIES:
            try:
                answer = self._client.put_record_batch(
                    DeliveryStreamName=self.name, Records=[{"Data": data} for data in remaining]
                )
            except (ClientError, BotoCoreError) as error:
                return len(remaining), f"{type(error).__name__}: {error}"
            results = answer["RequestResponses"]
            if not answer["FailedPutCount"]:
                return 0, ""
            pairs = list(zip(remaining, results, strict=True))
            remaining = [data for data, result in pairs if result.get("ErrorCode")]
            reason = next((str(r["ErrorCode"]) for r in results if r.get("ErrorCode")), reason)
        return len(remaining), reason


def batches(records: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Cut records into what one call takes: 500 of them, 4 MiB together."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        if batch and (len(batch) == BATCH_RECORDS or size + len(record) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield batch


def publish_metrics(client: Any, namespace: str, values: Mapping[str, float], at: datetime) -> None:
    """Put metrics without dimensions, stamped with the tick's own time."""
    data = [
        {
            "MetricName": name,
            "Value": float(value),
            "Timestamp": at,
            "Unit": UNITS.get(name, "None"),
        }
        for name, value in values.items()
    ]
    if data:
        client.put_metric_data(Namespace=namespace, MetricData=data)
