"""What CloudWatch tells of an alarm: to EventBridge and to the alarm's actions."""

from typing import Any


def configuration(alarm: Any) -> dict[str, Any]:
    """Describe an alarm as its events do."""
    metric = {
        "namespace": alarm.namespace,
        "name": alarm.metric_name,
        "dimensions": {d.name: d.value for d in alarm.dimensions},
    }
    stat = {
        "metric": metric,
        "period": int(alarm.period),
        "stat": alarm.statistic or alarm.extended_statistic,
    }
    return {
        "description": alarm.description,
        "metrics": [{"id": alarm.name[:36].lower(), "metricStat": stat, "returnData": True}],
    }


def notification(
    alarm: Any, before: dict[str, Any], after: dict[str, Any], account: str
) -> dict[str, Any]:
    """Write the message that an action receives when the alarm's state has changed."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmArn": alarm.alarm_arn,
        "NewStateValue": after["value"],
        "NewStateReason": after["reason"],
        "StateChangeTime": after["timestamp"],
        "Region": alarm.region_name,
        "OldStateValue": before["value"],
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": alarm.statistic or alarm.extended_statistic,
            "Dimensions": [{"name": d.name, "value": d.value} for d in alarm.dimensions],
            "Period": int(alarm.period),
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": float(alarm.threshold),
            "TreatMissingData": alarm.treat_missing_data or "missing",
        },
    }
