"""Amazon CloudWatch: what the endpoint's versions answered."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from noria.common.request_metrics import FAILED, LATENCY, REFUSED, REQUESTS, VERSION

MINUTE = 60
#: What Lambda counts itself: requests that no code answered, as it ran out of time or memory.
LOST = "Errors"
SUM, P95 = "Sum", "p95"


@dataclass(frozen=True)
class VersionTraffic:
    """A function version's traffic: counts of requests, and their 95th percentile in ms."""

    version: str
    requests: int
    failed: int
    refused: int
    latency: float | None


@dataclass(frozen=True)
class VersionMetrics:
    """Where an endpoint's metrics are: its own namespace, its function and its alias."""

    client: Any
    namespace: str
    function: str
    alias: str

    def traffic(self, version: str, start: datetime, end: datetime) -> VersionTraffic:
        """What a version behind the alias answered between two times, first requests apart.

        A percentile of a window is no function of those of its parts, so one period holds it all.
        """
        began, period = one_period(start, end)
        own = [{"Name": VERSION, "Value": version}]
        lambdas = [
            {"Name": "FunctionName", "Value": self.function},
            {"Name": "Resource", "Value": f"{self.function}:{self.alias}"},
            {"Name": "ExecutedVersion", "Value": version},
        ]
        wanted = [
            (self.namespace, REQUESTS, own, SUM), (self.namespace, FAILED, own, SUM),
            (self.namespace, REFUSED, own, SUM), ("AWS/Lambda", LOST, lambdas, SUM),
            (self.namespace, LATENCY, own, P95),
        ]  # fmt: skip
        answer = self.client.get_metric_data(
            MetricDataQueries=[_query(*one, period) for one in wanted],
            StartTime=began,
            EndTime=began + timedelta(seconds=period),
        )
        found = {item["Id"]: item["Values"] for item in answer["MetricDataResults"]}
        count = {name: round(sum(found.get(_id(name), []))) for _, name, _, _ in wanted[:4]}
        latency = found.get(_id(LATENCY)) or [None]
        return VersionTraffic(
            version=version,
            requests=count[REQUESTS] + count[LOST],
            failed=count[FAILED] + count[LOST],
            refused=count[REFUSED],
            latency=latency[0],
        )


def one_period(start: datetime, end: datetime) -> tuple[datetime, int]:
    """The begin and the length (seconds) of one period of CloudWatch that holds a window.

    Periods are whole minutes and begin at multiples of their length: the shortest that fits is
    taken, which reaches back before the window a little.
    """
    first, last = int(start.timestamp()), int(end.timestamp())
    period = max(1, -(-(last - first) // MINUTE)) * MINUTE
    while first // period != last // period:
        period += MINUTE
    return datetime.fromtimestamp(first // period * period, UTC), period


def _query(
    namespace: str, name: str, dimensions: list[dict[str, str]], statistic: str, period: int
) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {
        "Id": _id(name),
        "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic},
    }


def _id(name: str) -> str:
    return name.lower()
