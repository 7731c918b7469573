"""Alarms."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


def _put_alarm(aws: Clients, made: Made, _: Properties, p: Properties) -> None:
    aws("cloudwatch").put_metric_alarm(**{**p, "AlarmName": made.ref})


def _delete_alarm(aws: Clients, made: Made, _: Properties) -> None:
    aws("cloudwatch").delete_alarms(AlarmNames=[made.ref])


@resource("AWS::CloudWatch::Alarm", name="AlarmName", update=_put_alarm, delete=_delete_alarm)
def metric_alarm(aws: Clients, name: str, p: Properties) -> Made:
    """Create a metric alarm; `tick` evaluates it."""
    client = aws("cloudwatch")
    client.put_metric_alarm(**{**p, "AlarmName": name})
    described = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return Made(name, {"Arn": described["AlarmArn"]})
