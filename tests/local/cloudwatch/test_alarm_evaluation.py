"""The state of alarms, as CloudWatch documents its evaluation."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.cloudwatch.alarm_evaluation import judge

AT = datetime(2013, 4, 24, 12, tzinfo=UTC)


@dataclass
class Alarm:
    """An alarm as moto keeps it."""

    comparison_operator: str = "GreaterThanThreshold"
    threshold: float = 0.2
    statistic: str | None = "Maximum"
    extended_statistic: str | None = None
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    treat_missing_data: str | None = None
    period: int = 3600
    unit: str | None = None
    namespace: str = "N"
    metric_name: str = "M"
    dimensions: list[Any] = field(default_factory=list)


def metric(value: float, hours_ago: float = 0, **extra: Any) -> Any:
    """Make a sample as moto keeps it."""
    stamp = AT - timedelta(hours=hours_ago)
    given = {"namespace": "N", "name": "M", "dimensions": [], "unit": None} | extra
    return SimpleNamespace(value=value, timestamp=stamp, **given)


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Average", 2.0), ("Maximum", 3.0), ("Minimum", 1.0), ("Sum", 6.0), ("SampleCount", 3.0)],
)
def test_statistics_of_all_samples_in_the_period(statistic: str, expected: float) -> None:
    samples = [metric(v, h) for v, h in [(1, 0.9), (2, 0.5), (3, 0)]] + [metric(99, 1)]
    judged = judge(Alarm(statistic=statistic), samples, AT)
    assert judged is not None
    assert judged.data["recentDatapoints"] == [expected]


def test_other_metrics_dimensions_and_times_do_not_count() -> None:
    dimension = SimpleNamespace(name="d", value="1")
    samples = [
        metric(9, namespace="other"), metric(9, name="other"), metric(9, dimensions=[dimension]),
        metric(9, hours_ago=-1),
    ]  # fmt: skip
    judged = judge(Alarm(), samples, AT)
    assert judged is not None
    assert judged.state == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("treat", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("breaching", "ALARM")],
)
def test_missing_data_is_treated_as_asked(treat: str, state: str) -> None:
    judged = judge(Alarm(treat_missing_data=treat), [], AT)
    assert judged is not None
    assert judged.state == state


def test_missing_data_may_be_ignored() -> None:
    assert judge(Alarm(treat_missing_data="ignore"), [], AT) is None


@pytest.mark.parametrize(("values", "state"), [([1, 0, 1], "ALARM"), ([1, 0, 0], "OK")])
def test_m_out_of_n(values: list[float], state: str) -> None:
    samples = [metric(value, hour) for hour, value in enumerate(values)]
    judged = judge(Alarm(evaluation_periods=3, datapoints_to_alarm=2), samples, AT)
    assert judged is not None
    assert judged.state == state


@pytest.mark.parametrize(
    ("operator", "value", "state"),
    [
        ("GreaterThanThreshold", 0.2, "OK"),
        ("GreaterThanOrEqualToThreshold", 0.2, "ALARM"),
        ("LessThanThreshold", 0.1, "ALARM"),
        ("LessThanOrEqualToThreshold", 0.3, "OK"),
    ],
)
def test_comparisons(operator: str, value: float, state: str) -> None:
    judged = judge(Alarm(comparison_operator=operator), [metric(value)], AT)
    assert judged is not None
    assert judged.state == state
