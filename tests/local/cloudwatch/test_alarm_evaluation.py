"""The rules behind alarms, events and signatures, without a cloud: what AWS documents."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.apigateway.http_api import Route, reply_from
from infra.local.cloudwatch.alarm_evaluation import judge
from infra.local.eventbridge.bus import target_input
from infra.local.moto_patches import firehose_prefix

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


EVENT = {
    "id": "e", "source": "s", "detail-type": "t", "time": "2013-04-24T12:00:00Z",
    "resources": ["r0", "r1"], "detail": {"name": 'say "x"', "n": 1.5, "deep": {"list": [1, 2]}},
}  # fmt: skip
RULE = SimpleNamespace(arn="arn:rule", name="rule")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, EVENT),
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail.deep"}, {"list": [1, 2]}),
        (
            {"InputTransformer": {
                "InputPathsMap": {"n": "$.detail.name", "r": "$.resources[1]", "no": "$.nothing",
                                  "d": "$.detail.deep", "t": "$.detail-type"},
                "InputTemplate": '{"name": <n>, "text": "it is <n>", "r": <r>, "no": <no>, '
                                 '"d": <d>, "t": "<t>", "rule": <aws.events.rule-name>}'}},
            {"name": 'say "x"', "text": 'it is say "x"', "r": "r1", "no": None,
             "d": {"list": [1, 2]}, "t": "t", "rule": "rule"},
        ),
        ({"InputTransformer": {"InputTemplate": '"all is <aws.events.event>"'}},
         f"all is {json.dumps(EVENT)}"),
    ],
)  # fmt: skip
def test_target_inputs(target: dict[str, Any], expected: Any) -> None:
    assert json.loads(target_input(target, EVENT, RULE)) == expected


def test_a_template_that_makes_no_json_fails_the_delivery() -> None:
    broken = {"InputTransformer": {"InputPathsMap": {}, "InputTemplate": "{a: <b>}"}}
    with pytest.raises(ValueError, match="property name"):
        target_input(broken, EVENT, RULE)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("p/", "p/2013/04/24/12/"),
        ("p/date=!{timestamp:yyyy-MM-dd}/", "p/date=2013-04-24/"),
        ("!{timestamp:'y='yyyy'/h='HH}/", "y=2013/h=12/"),
    ],
)
def test_firehose_prefixes(prefix: str, expected: str) -> None:
    assert firehose_prefix(prefix, AT) == expected


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/models/a", "GET /models/{name}"),
        ("PUT", "/models/a", "ANY /models/{name}"),
        ("GET", "/models/live", "GET /models/live"),
        ("GET", "/deep/er/path", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, key: str) -> None:
    keys = ["$default", "ANY /{proxy+}", "ANY /models/{name}", "GET /models/{name}",
            "GET /models/live"]  # fmt: skip
    routes = [Route(name, "arn", "NONE", 1) for name in keys]
    fits = [(found[0], route.key) for route in routes if (found := route.match(method, path))]
    assert max(fits)[1] == key


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"statusCode": 404, "body": "gone"}, 404, b"gone"),
        ({"some": "thing"}, 200, b'{"some": "thing"}'),
        ("text", 200, b"text"),
        ({"statusCode": "what"}, 500, b'{"message": "Internal Server Error"}'),
    ],
)
def test_replies(result: Any, status: int, body: bytes) -> None:
    reply = reply_from(result)
    assert (reply.status, reply.body) == (status, body)
