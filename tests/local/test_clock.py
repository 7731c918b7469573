"""The local clock: schedules, alarms, events, and the machine that an alarm starts again."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.local import AlarmChange, Deployed, ExecutionResult, LocalCloud
from tests.local.queues import messages

NOON = datetime(2013, 4, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _real_time_afterwards(cloud: LocalCloud) -> Iterator[None]:
    yield
    cloud._clock = None


@pytest.fixture
def drift(cloud: LocalCloud, stack: Deployed) -> Callable[[float], None]:
    """Say what the monitor will find."""

    def put(value: float) -> None:
        cloud.client("s3").put_object(
            Bucket=stack.outputs["BucketName"], Key="open/drift.json", Body=json.dumps(value)
        )

    return put


def test_an_alarm_restarts_the_machine_with_its_cause(
    cloud: LocalCloud, stack: Deployed, drift: Callable[[float], None]
) -> None:
    name = stack.outputs["DriftAlarmName"]
    drift(0.05)
    calm = cloud.tick(NOON)
    assert calm.failures == []
    assert calm.started == []
    assert [c for c in calm.alarms if c.name == name] == [
        AlarmChange(
            name, "INSUFFICIENT_DATA", "OK",
            "Threshold Crossed: 1 datapoint [0.05 (24/04/13 12:00:00)] was not greater than the "
            "threshold (0.2).",
        )
    ]  # fmt: skip
    messages(cloud, stack.outputs["InboxUrl"])

    drift(0.31)
    at = NOON + timedelta(hours=1)
    alarmed = cloud.tick(at)
    reason = (
        "Threshold Crossed: 1 datapoint [0.31 (24/04/13 13:00:00)] was greater than the "
        "threshold (0.2)."
    )
    assert alarmed.alarms == [AlarmChange(name, "OK", "ALARM", reason)]
    (started,) = alarmed.started
    result = cloud.wait(started)
    assert result.status == "SUCCEEDED"
    assert result.output["cause"] == {"kind": "alarm", "alarm": name, "reason": reason}
    assert result.output["as_of"] == "2013-04-24T13:00:00Z"
    (notified,) = messages(cloud, stack.outputs["InboxUrl"])
    message = json.loads(json.loads(notified["Body"])["Message"])
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "OK")

    assert cloud.tick(at + timedelta(minutes=1)).started == []  # it is still in ALARM


def test_failed_executions_are_events_and_metrics(
    cloud: LocalCloud, stack: Deployed, run: Callable[..., ExecutionResult],
    drift: Callable[[float], None],
) -> None:  # fmt: skip
    messages(cloud, stack.outputs["InboxUrl"])
    drift(0.0)
    at = NOON + timedelta(days=40)
    cloud.tick(at)
    failed = run({"do": "exit", "status": 1}, name="to-fail")
    bodies = [json.loads(m["Body"]) for m in messages(cloud, stack.outputs["InboxUrl"])]
    (event,) = [b for b in bodies if b.get("source") == "aws.states"]
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["detail"]["name"] == "to-fail"
    assert event["detail"]["status"] == "FAILED"
    assert event["detail"]["error"] == "Runtime.ExitError"
    assert event["detail"]["executionArn"] == failed.arn
    changes = cloud.tick(at + timedelta(minutes=1)).alarms
    assert [c.new for c in changes if "ExecutionsFailed" in c.name] == ["ALARM"]


def test_a_monitor_that_fails_is_told(cloud: LocalCloud, stack: Deployed) -> None:
    cloud.client("s3").delete_object(Bucket=stack.outputs["BucketName"], Key="open/drift.json")
    tick = cloud.tick(NOON + timedelta(days=80))
    assert [failure.error for failure in tick.failures] == ["NoSuchKey"]


def test_setting_an_alarm_by_hand_acts_too(cloud: LocalCloud, stack: Deployed) -> None:
    client, name = cloud.client("cloudwatch"), stack.outputs["DriftAlarmName"]
    client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="reset")
    before = len(cloud.bus.started)
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")
    (started,) = cloud.bus.started[before:]
    assert cloud.wait(started).output["cause"]["reason"] == "by hand"


def test_a_rule_that_does_not_exist_is_named(cloud: LocalCloud, stack: Deployed) -> None:
    with pytest.raises(ValueError, match="no enabled scheduled rule is named 'weekly'"):
        cloud.tick(NOON, rule="weekly")


def test_a_time_without_zone_is_refused(cloud: LocalCloud) -> None:
    with pytest.raises(ValueError, match="time zone"):
        cloud.tick(datetime(2013, 1, 1))  # noqa: DTZ001
