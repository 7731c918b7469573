"""What asks for another training run: the contract's `retraining.on`, as alarms' terms."""

from dataclasses import dataclass
from datetime import timedelta

from aws_cdk import aws_cloudwatch as cloudwatch

from noria.common.metric_table import LOWER_IS_BETTER
from noria.contracts import Problem

ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """When a metric of the monitor asks for another training run."""

    metric: str
    statistic: str
    comparison: cloudwatch.ComparisonOperator
    threshold: float


def triggers_of(problem: Problem) -> dict[str, Trigger]:
    """The contract's `retraining.on`, as alarms on what the monitor publishes."""
    retraining, monitoring = problem.retraining, problem.monitoring
    age = retraining.maximum_age / timedelta(days=1)
    known = {
        "drift": _maximum("Drift", ABOVE, monitoring.drift),
        "new_rows": _maximum("NewRows", AT_LEAST, retraining.new_rows),
        "age": _maximum("ModelAge", AT_LEAST, age),
    }
    if monitoring.quality_floor is not None:
        known["quality"] = _quality(problem.objective.metric, monitoring.quality_floor)
    return {name: known[name] for name in dict.fromkeys(retraining.on) if name in known}


def _quality(metric: str, floor: float) -> Trigger:
    if metric in LOWER_IS_BETTER:
        return _maximum("Quality", ABOVE, floor)
    return Trigger(metric="Quality", statistic="Minimum", comparison=BELOW, threshold=floor)


def _maximum(metric: str, comparison: cloudwatch.ComparisonOperator, threshold: float) -> Trigger:
    return Trigger(metric=metric, statistic="Maximum", comparison=comparison, threshold=threshold)
