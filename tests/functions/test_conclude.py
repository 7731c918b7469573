"""The endings that deploy nothing: what the log of runs says of them."""

from typing import Any

import boto3
import pytest

from functions import conclude
from noria.aws.run_log import RunLog
from noria.aws.s3 import Store

ALARM = {"kind": "alarm", "alarm": "noria-drift"}


@pytest.mark.parametrize(("cause", "automatic"), [(ALARM, True), ({"kind": "person"}, False)])
def test_a_skipped_run_keeps_who_started_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, cause: dict[str, Any], automatic: bool
) -> None:
    topic = boto3.client("sns", region_name="eu-west-1").create_topic(Name="runs")["TopicArn"]
    monkeypatch.setenv("NORIA_TOPIC", topic)
    event = {
        "state": "Skipped", "execution": "r1", "started_at": "2026-11-24T00:00:00Z",
        "input": {
            "run": {"id": "r1", "cause": cause},
            "admit": {"decision": "skip", "reasons": ["a run is under way"]},
        },
    }  # fmt: skip
    assert conclude.handler(event, None)["ending"] == "Skipped"
    [entry] = RunLog(store).entries()
    assert (entry["ending"], entry["automatic"]) == ("Skipped", automatic)
