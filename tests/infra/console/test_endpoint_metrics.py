"""What the live page tells of the endpoint's requests, by metrics as AWS keeps them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

from infra.console.endpoint_metrics import moments_of
from infra.local.cloudwatch import patches as cloudwatch_patches
from infra.local.patching import Patches
from tests.infra.console.served import Served, served, words
from tests.infra.console.test_protection import CONTRACT

if TYPE_CHECKING:
    from infra.local.cloudwatch.alarms import Alarms

API, ALIAS = {"ApiId": "api"}, {"FunctionName": "endpoint", "Resource": "endpoint:live"}


@pytest.fixture
def console() -> Iterator[Served]:
    """A console whose CloudWatch has percentiles, as the local cloud's; moto's by itself fails."""
    patches, no_alarms = Patches(), cast("Alarms", None)
    cloudwatch_patches.patch(patches, no_alarms)
    with served(CONTRACT, API) as made:
        yield made
    patches.undo()


def measured(namespace: str, name: str, dimensions: Mapping[str, str], values: list[float]) -> None:
    """Add a value for each of the last minutes: AWS's own namespaces take no PutMetricData."""
    backend = cloudwatch_backends["123456789012"]["eu-west-1"]
    given: Any = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    now = datetime.now(UTC).replace(tzinfo=None)
    for ago, value in enumerate(values, start=2):
        at = now - timedelta(minutes=ago)
        backend.metric_data.append(MetricDatum(namespace, name, value, given, at))


def test_without_the_gateways_metrics_those_of_the_function_are_drawn(console: Served) -> None:
    measured("AWS/Lambda", "Invocations", ALIAS, [1, 1, 1])
    measured("AWS/Lambda", "Duration", ALIAS, [12.0, 14.0, 13.0])
    told = words(console.get("/live?span=3h").text)
    assert "requests in a minute" in told
    assert "milliseconds in the function" in told
    assert "refused (4xx)" not in told
    assert "No requests" not in told


def test_the_gateways_metrics_tell_refused_from_failed(console: Served) -> None:
    measured("AWS/Lambda", "Invocations", ALIAS, [1, 1])
    measured("AWS/ApiGateway", "Count", API, [1, 1])
    measured("AWS/ApiGateway", "4xx", API, [1])
    measured("AWS/ApiGateway", "Latency", API, [20.0])
    told = words(console.get("/live?span=3h").text)
    assert "refused (4xx)" in told
    assert "failed (5xx)" in told
    assert "Too few requests to draw their times." in told


def test_a_span_has_a_point_for_each_period_in_step_with_the_known_ones() -> None:
    start = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)
    known = [start + timedelta(seconds=90)]
    found = moments_of(known, start, start + timedelta(minutes=5), 60)
    assert found == [start + timedelta(seconds=30 + 60 * place) for place in range(5)]
    assert moments_of([], start, start + timedelta(minutes=5), 60) == []
