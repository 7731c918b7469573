"""Who mends what the monitor sees: that the endpoint serves another model than the champion."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from infra.constructs import grants
from noria.lifecycle.environment import CHAMPION_MISMATCH, Environment


def let_mend(monitor: lambda_.Function, keeper: lambda_.Function) -> None:
    """Let the monitor call the function that changes champions; it may change nothing itself."""
    known = Environment(alias="", keeper=keeper.function_name).to_variables()
    for variable, value in known.items():
        monitor.add_environment(variable, value)
    monitor.add_to_role_policy(grants.allow(["lambda:InvokeFunction"], [keeper.function_arn]))


def mismatch_metric(namespace: str, period: cdk.Duration) -> cloudwatch.IMetric:
    """What the monitor publishes at each tick: 1 where it saw another model than the champion."""
    return cloudwatch.Metric(
        namespace=namespace, metric_name=CHAMPION_MISMATCH, statistic="Maximum", period=period
    )
