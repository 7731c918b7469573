"""Amazon CloudWatch: what the endpoint's versions did."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

STATISTICS = {"Invocations": "Sum", "Errors": "Sum", "Duration": "p95"}


@dataclass(frozen=True)
class VersionTraffic:
    """A function version's traffic: counts, and the 95th percentile of its duration in ms."""

    version: str
    invocations: float
    errors: float
    duration: float | None


def version_traffic(
    client: Any, function: str, alias: str, version: str, start: datetime, end: datetime
) -> VersionTraffic:
    """What a version behind an alias did between two times."""
    dimensions = [
        {"Name": "FunctionName", "Value": function},
        {"Name": "Resource", "Value": f"{function}:{alias}"},
        {"Name": "ExecutedVersion", "Value": version},
    ]
    queries = [
        {
            "Id": name.lower(),
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions},
                "Period": 60,
                "Stat": statistic,
            },
        }
        for name, statistic in STATISTICS.items()
    ]
    answer = client.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end)
    values = {item["Id"]: item["Values"] for item in answer["MetricDataResults"]}
    durations = values.get("duration") or []
    return VersionTraffic(
        version=version,
        invocations=sum(values.get("invocations", [])),
        errors=sum(values.get("errors", [])),
        duration=max(durations) if durations else None,
    )
