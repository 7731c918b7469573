"""What the endpoint's versions answered, as CloudWatch has it, in one period for a whole window."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.cloudwatch.alarms import Alarms
from infra.local.cloudwatch.patches import patch
from infra.local.patching import Patches
from noria.aws.cloudwatch import VersionMetrics, one_period
from noria.serving.request_metrics import line
from tests.support.moto_session import aws_in_process

NAME, NAMESPACE = "flights-endpoint", "Noria/flights"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def metrics() -> Iterator[VersionMetrics]:
    """CloudWatch as the local cloud has it: moto alone knows no percentiles."""
    patches, no_alarms = Patches(), cast(Alarms, None)
    with aws_in_process():
        patch(patches, no_alarms)
        client = boto3.client("cloudwatch", region_name="eu-west-1")
        yield VersionMetrics(client, NAMESPACE, NAME, "live")
        patches.undo()


def answered(
    metrics: VersionMetrics, version: str, status: int, milliseconds: float, at: datetime
) -> None:
    """Put what CloudWatch makes of the endpoint's line."""
    document = json.loads(
        line(status, milliseconds, NAMESPACE, version, 0, is_first=milliseconds > 1000)
    )
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            put(
                metrics,
                directive["Namespace"],
                {m["Name"]: float(document[m["Name"]]) for m in directive["Metrics"]},
                {name: document[name] for name in names},
                at,
            )


def put(
    metrics: VersionMetrics, namespace: str, values: dict[str, float],
    dimensions: dict[str, str], at: datetime,
) -> None:  # fmt: skip
    given = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    metrics.client.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": name, "Value": value, "Dimensions": given, "Timestamp": at}
            for name, value in values.items()
        ],
    )


def test_answers_are_counted_per_version_and_the_first_of_a_sandbox_is_apart(
    metrics: VersionMetrics,
) -> None:
    for number in range(10):
        answered(metrics, "8", 503 if number < 2 else 200, 20, NOON + timedelta(minutes=number))
    answered(metrics, "8", 422, 30, NOON)
    answered(metrics, "8", 200, 4000, NOON)  # a cold start
    answered(metrics, "7", 200, 9, NOON)
    window = (NOON, NOON + timedelta(minutes=10))
    new = metrics.traffic("8", *window)
    assert (new.version, new.requests, new.failed, new.refused) == ("8", 12, 2, 1)
    assert new.latency is not None
    assert 20 <= new.latency <= 30
    old = metrics.traffic("7", *window)
    assert (old.requests, old.failed, old.latency) == (1, 0, 9)
    put(metrics, "Noria/another-stack", {"Requests": 5.0}, {"FunctionVersion": "6"}, NOON)
    silent = metrics.traffic("6", *window)
    assert (silent.requests, silent.failed, silent.latency) == (0, 0, None)


def test_requests_that_no_code_answered_are_failures_of_the_aliases_version(
    metrics: VersionMetrics,
) -> None:
    alias = {"FunctionName": NAME, "Resource": f"{NAME}:live", "ExecutedVersion": "8"}
    from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

    backend = cloudwatch_backends["123456789012"]["eu-west-1"]
    for dimensions in (alias, alias | {"Resource": f"{NAME}:8"}):  # the second was a replay
        listed: list[Any] = [{"Name": n, "Value": v} for n, v in dimensions.items()]
        at = NOON.replace(tzinfo=None)
        backend.metric_data.append(MetricDatum("AWS/Lambda", "Errors", 3.0, listed, at))
    answered(metrics, "8", 200, 5, NOON)
    traffic = metrics.traffic("8", NOON, NOON + timedelta(minutes=1))
    assert (traffic.requests, traffic.failed) == (4, 3)


@given(st.integers(0, 10**8), st.integers(0, 7 * 86_400))
def test_one_period_holds_a_window_whole(later: int, seconds: int) -> None:
    """GIVEN periods that begin at multiples of their length THEN one of them has the window."""
    start = NOON + timedelta(seconds=later)
    end = start + timedelta(seconds=seconds)
    began, period = one_period(start, end)
    assert period % 60 == 0
    assert began.timestamp() % period == 0
    assert began <= start
    assert end < began + timedelta(seconds=period)
