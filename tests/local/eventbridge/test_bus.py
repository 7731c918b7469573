"""Events reach the targets of rules, or their dead-letter queue."""

import json

from infra.local import Deployed, LocalCloud
from tests.local.queues import messages


def test_events_that_people_put_reach_the_machine(cloud: LocalCloud, stack: Deployed) -> None:
    before = len(cloud.bus.started)
    cloud.client("events").put_events(
        Entries=[
            {"Source": "sample.people", "DetailType": "ask", "Detail": json.dumps({"do": "brief"})},
            {"Source": "someone.else", "DetailType": "ask", "Detail": "{}"},
        ]
    )
    (started,) = cloud.bus.started[before:]
    assert cloud.wait(started).output["do"] == "brief"


def test_a_failed_delivery_goes_to_the_dead_letter_queue(
    cloud: LocalCloud, stack: Deployed
) -> None:
    detail = json.dumps({"padding": "x" * 200_000, "more": "y" * 100_000})
    cloud.client("events").put_events(
        Entries=[{"Source": "sample.people", "DetailType": "ask", "Detail": detail}]
    )
    (dead,) = messages(cloud, stack.outputs["DeadLettersUrl"])
    assert dead["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "InvalidExecutionInput"
    assert json.loads(dead["Body"])["source"] == "sample.people"
