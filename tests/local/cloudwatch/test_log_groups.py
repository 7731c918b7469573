"""What becomes of the lines that a function prints: subscriptions, and metrics within them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local import Deployed, LocalCloud
from infra.local.cloudwatch.log_groups import embedded_metrics, matches

Invoke = Callable[..., Any]
METRIC = {
    "_aws": {
        "Timestamp": 1_700_000_000_000,
        "CloudWatchMetrics": [
            {"Namespace": "Sample", "Dimensions": [["Version"], []],
             "Metrics": [{"Name": "Answered", "Unit": "Count"}, {"Name": "Took"}]}
        ],
    },
    "Version": "7", "Answered": 1, "Took": [2.5, 4],
}  # fmt: skip


def test_a_subscription_delivers_the_lines_of_its_pattern(
    cloud: LocalCloud, stack: Deployed, invoke: Invoke
) -> None:
    """GIVEN four lines, two of which match THEN these two are in the bucket, and nothing else."""
    lines = ['{"asked":"a\\u2028b\\u0085c"}', '{"said":"asked"}', "asked", '{"x":1,"asked":null}']
    body = json.dumps({"rows": 1})
    event = {"rawPath": "/print", "body": "\n".join([*lines, body])}
    invoke(event, stack.outputs["EndpointFunctionName"])
    s3, bucket = cloud.client("s3"), stack.outputs["BucketName"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="from-logs/")["Contents"]
    content = b"".join(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found)
    assert content.decode().split("\n") == [lines[0], lines[3], ""]


def test_a_metric_within_a_line_is_a_metric(
    cloud: LocalCloud, stack: Deployed, invoke: Invoke
) -> None:
    invoke({"rawPath": "/print", "body": json.dumps(METRIC)}, stack.outputs["EndpointFunctionName"])
    now = datetime.now(UTC)
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="Sample", MetricName="Took", Dimensions=[{"Name": "Version", "Value": "7"}],
        StartTime=now - timedelta(hours=2), EndTime=now + timedelta(hours=2), Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]  # fmt: skip
    assert [(one["Sum"], one["SampleCount"]) for one in found] == [(6.5, 2)]


def test_metrics_are_read_by_each_set_of_dimensions() -> None:
    found = list(embedded_metrics(json.dumps(METRIC)))
    assert found == [
        ("Sample", name, dimensions, value)
        for dimensions in ({"Version": "7"}, {})
        for name, value in (("Answered", 1.0), ("Took", 2.5), ("Took", 4.0))
    ]


@pytest.mark.parametrize("line", ["", "text", '{"a": 1}', '["_aws"]'])
def test_other_lines_have_no_metrics(line: str) -> None:
    assert list(embedded_metrics(line)) == []


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("{ $.id = * }", '{"id": 1}', True),
        ("{$.id=*}", '{"id": null}', True),
        ("{ $.id = * }", '{"of": {"id": 1}}', False),
        ("{ $.id = * }", '{"id" broken', False),
        ("{ $.id = * }", 'said "id"', False),
    ],
)
def test_patterns(pattern: str, message: str, expected: bool) -> None:
    assert matches(pattern, message) is expected
