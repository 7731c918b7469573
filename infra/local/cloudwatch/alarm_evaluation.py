"""What state a metric alarm is in at a moment: CloudWatch's evaluation, as far as we use it."""

import json
import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

COMPARE: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True)
class Datapoint:
    """The statistic of one period, and when its latest sample was stamped."""

    value: float
    at: datetime


@dataclass(frozen=True)
class Judgement:
    """The state an alarm should be in, and the sentence and data that CloudWatch gives for it."""

    state: str
    reason: str
    data: dict[str, Any]


def judge(alarm: Any, metrics: Iterable[Any], at: datetime) -> Judgement | None:
    """Evaluate an alarm on the periods that end at `at`; None leaves its state as it is."""
    periods = int(alarm.evaluation_periods)
    needed = int(alarm.datapoints_to_alarm or periods)
    own = [metric for metric in metrics if _is_of(metric, alarm)]
    points = [_datapoint(own, alarm, at, back) for back in range(periods)]
    known = [point for point in points if point]
    treat = alarm.treat_missing_data or "missing"
    if not known and treat == "ignore":
        return None
    if not known and treat == "missing":
        return Judgement(
            "INSUFFICIENT_DATA", f"Insufficient Data: {_plural(periods)} "
            f"{'was' if periods == 1 else 'were'} unknown.", _data(alarm, known, at),
        )  # fmt: skip
    compare, _ = COMPARE[alarm.comparison_operator]
    breaching = [point for point in known if compare(point.value, float(alarm.threshold))]
    missing = periods - len(known) if treat == "breaching" else 0
    alarming = len(breaching) + missing >= needed
    reason = _reason(alarm, known, breaching, periods, needed, alarming)
    return Judgement("ALARM" if alarming else "OK", reason, _data(alarm, known, at))


def _is_of(metric: Any, alarm: Any) -> bool:
    ours = {(dimension.name, dimension.value) for dimension in alarm.dimensions}
    theirs = {(dimension.name, dimension.value) for dimension in metric.dimensions}
    same_unit = not alarm.unit or metric.unit == alarm.unit
    names = (metric.namespace, metric.name) == (alarm.namespace, alarm.metric_name)
    return names and ours == theirs and same_unit


def _datapoint(metrics: list[Any], alarm: Any, at: datetime, back: int) -> Datapoint | None:
    period = timedelta(seconds=int(alarm.period))
    end = at - back * period
    inside = [metric for metric in metrics if end - period < _utc(metric.timestamp) <= end]
    if not inside:
        return None
    value = statistic(inside, alarm.statistic or alarm.extended_statistic)
    return Datapoint(value, max(_utc(metric.timestamp) for metric in inside))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def statistic(metrics: list[Any], name: str) -> float:
    """Compute a statistic, percentiles such as p95 included, over one period's samples."""
    # A sample is one value, or a statistic set that stands for several.
    counts = [float(getattr(metric, "sample_count", 1)) for metric in metrics]
    sums = [float(metric.sum if hasattr(metric, "sum") else metric.value) for metric in metrics]
    lows = [float(metric.min if hasattr(metric, "min") else metric.value) for metric in metrics]
    highs = [float(metric.max if hasattr(metric, "max") else metric.value) for metric in metrics]
    plain: dict[str, Callable[[], float]] = {
        "Average": lambda: sum(sums) / sum(counts),
        "Maximum": lambda: max(highs),
        "Minimum": lambda: min(lows),
        "SampleCount": lambda: sum(counts),
        "Sum": lambda: sum(sums),
    }
    return plain[name]() if name in plain else _percentile(highs, float(name[1:]))


def _percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _reason(
    alarm: Any, known: list[Datapoint], breaching: list[Datapoint], periods: int, needed: int,
    alarming: bool,
) -> str:  # fmt: skip
    _, words = COMPARE[alarm.comparison_operator]
    treated = _TREATED.get(alarm.treat_missing_data or "", "")
    if not known:
        return (
            f"Threshold Crossed: no datapoints were received for {_plural(periods, 'period')} and "
            f"{_plural(periods, 'missing datapoint')} {_was(periods)} treated as [{treated}]."
        )
    shown = (breaching if alarming else [p for p in known if p not in breaching]) or known
    texts = ", ".join(f"{p.value} ({p.at:%d/%m/%y %H:%M:%S})" for p in shown)
    some = f"{_plural(len(shown))} [{texts}]"
    if periods > 1:
        some = f"{len(shown)} out of the last {_plural(periods)} [{texts}]"
    negation = "" if alarming else "not "
    minimum = f" (minimum {_plural(needed)} for OK -> ALARM transition)" if periods > 1 else ""
    threshold = float(alarm.threshold)
    return (
        f"Threshold Crossed: {some} {_was(len(shown))} {negation}{words} the threshold "
        f"({threshold}){minimum}."
    )


def _plural(count: int, noun: str = "datapoint") -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _data(alarm: Any, known: list[Datapoint], at: datetime) -> dict[str, Any]:
    return {
        "version": "1.0",
        "queryDate": at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "statistic": alarm.statistic or alarm.extended_statistic,
        "period": int(alarm.period),
        "recentDatapoints": [point.value for point in known],
        "threshold": float(alarm.threshold),
    }


def encode(data: dict[str, Any]) -> str:
    """Write reason data as alarms carry it."""
    return json.dumps(data, separators=(",", ":"))
