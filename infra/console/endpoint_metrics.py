"""What CloudWatch knows of an endpoint: requests by how they ended, and how long they took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.console.stacks import ShownStack

ALIAS = "live"
Points = list[tuple[float, float | None]]
#: Metrics with their statistics, by what people call them.
GATEWAY_COUNTS = {"requests": "Count", "refused (4xx)": "4xx", "failed (5xx)": "5xx"}
FUNCTION_COUNTS = {"requests": "Invocations", "failed": "Errors"}
PERCENTILES = {"median": "p50", "95th percentile": "p95"}


@dataclass(frozen=True)
class EndpointMetrics:
    """Counts and times (milliseconds) over a span; empty where there were no requests."""

    counts: dict[str, Points]
    times: dict[str, Points]
    by_gateway: bool

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to measure."""
        return not any(self.counts.values())


def read_metrics(stack: ShownStack, back: timedelta, period: int) -> EndpointMetrics:
    """What API Gateway measured, or else, as in the local cloud, what Lambda did.

    API Gateway alone tells refused requests from answered ones. `period` is in seconds.
    """
    api = stack.access.outputs.get("ApiId")
    if api:
        named = {"ApiId": api}
        found = _read(stack, "AWS/ApiGateway", named, GATEWAY_COUNTS, "Latency", back, period)
        if found["requests"]:
            return _made(found, GATEWAY_COUNTS, by_gateway=True)
    function = stack.access.output("EndpointFunctionName")
    alias = {"FunctionName": function, "Resource": f"{function}:{ALIAS}"}
    found = _read(stack, "AWS/Lambda", alias, FUNCTION_COUNTS, "Duration", back, period)
    return _made(found, FUNCTION_COUNTS, by_gateway=False)


def _made(
    found: Mapping[str, Points], counts: Mapping[str, str], *, by_gateway: bool
) -> EndpointMetrics:
    return EndpointMetrics(
        {name: found[name] for name in counts}, {name: found[name] for name in PERCENTILES},
        by_gateway,
    )  # fmt: skip


def _read(
    stack: ShownStack,
    namespace: str,
    dimensions: Mapping[str, str],
    counts: Mapping[str, str],
    latency: str,
    back: timedelta,
    period: int,
) -> dict[str, Points]:
    wanted = {name: (metric, "Sum") for name, metric in counts.items()}
    wanted |= {name: (latency, statistic) for name, statistic in PERCENTILES.items()}
    given = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    queries = [
        {"Id": f"q{place}", "Label": name, "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": given},
            "Period": period, "Stat": statistic,
        }}
        for place, (name, (metric, statistic)) in enumerate(wanted.items())
    ]  # fmt: skip
    end = datetime.now(UTC)
    answer = stack.access.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=end - back, EndTime=end
    )
    found = {
        item["Label"]: dict(zip(item["Timestamps"], item["Values"], strict=True))
        for item in answer["MetricDataResults"]
    }
    moments = moments_of(
        [at for values in found.values() for at in values], end - back, end, period
    )
    return {
        name: [(at.timestamp(), found.get(name, {}).get(at, 0.0 if name in counts else None))
               for at in moments]
        for name in wanted
    }  # fmt: skip


def moments_of(
    known: Sequence[datetime], start: datetime, end: datetime, period: int
) -> list[datetime]:
    """Every point of a span, in step with those that are known; none where none is."""
    if not known:
        return []
    step, one = timedelta(seconds=period), min(known)
    before, after = max(0, (one - start) // step), max(0, (end - one) // step)
    return [one + step * place for place in range(-before, after + 1)]
