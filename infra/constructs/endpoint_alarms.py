"""What tells people that the endpoint, its log or its version is not as it should be."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.champion_keeper import mismatch_metric
from infra.constructs.serving import Serving
from noria.common.request_metrics import FAILED
from noria.serving.log_records import NOT_LOGGED

SLOW_ANSWER = 3000  # milliseconds

#: By an alarm's name: its metric, from where on it tells people, and what it tells them.
Watched = Mapping[str, tuple[cloudwatch.IMetric, float, str]]


def endpoint_alarms(serving: Serving, namespace: str, period: cdk.Duration) -> Watched:
    """The metrics of the endpoint that people are told of."""
    return {
        "EndpointErrors": (
            cloudwatch.Metric(
                namespace=namespace, metric_name=FAILED, statistic="Sum", period=period
            ),
            5,
            "The endpoint answers that it cannot: see its function's log",
        ),
        "EndpointLost": (
            serving.alias.metric_errors(period=period, statistic="Sum"),
            5,
            "The endpoint's function ends without an answer: out of time, or of memory",
        ),
        "EndpointServerErrors": (
            serving.api.metric_server_error(period=period, statistic="Sum"),
            5,
            "Callers of the endpoint get server errors",
        ),
        "EndpointLatency": (
            serving.api.metric_latency(period=period, statistic="p99"),
            SLOW_ANSWER,
            "The endpoint's slowest answers take too long",
        ),
        "PredictionsNotLogged": (
            cloudwatch.Metric(
                namespace=namespace, metric_name=NOT_LOGGED, statistic="Sum", period=period
            ),
            1,
            "Predictions were answered but are too long for the log",
        ),
        "PredictionLogFailed": (
            _log_delivery("DeliveryErrors", serving, period),
            1,
            "Logged predictions did not reach their delivery stream",
        ),
        "PredictionLogThrottled": (
            _log_delivery("DeliveryThrottling", serving, period),
            1,
            "Logged predictions wait for their delivery stream, which takes no more",
        ),
        "ChampionMismatch": (
            mismatch_metric(namespace, period),
            1,
            "The endpoint served another model than the champion; the monitor had it mended",
        ),
    }


def _log_delivery(name: str, serving: Serving, period: cdk.Duration) -> cloudwatch.IMetric:
    """What CloudWatch Logs says of the subscription that carries predictions to their stream."""
    return cloudwatch.Metric(
        namespace="AWS/Logs",
        metric_name=name,
        dimensions_map={
            "LogGroupName": serving.function.log_group.log_group_name,
            "DestinationType": "Firehose",
            "FilterName": serving.prediction_log.ref,
        },
        statistic="Sum",
        period=period,
    )
