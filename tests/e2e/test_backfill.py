"""`noria features backfill` on a running stack: broken off half-way, taken up again, and seen."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from infra.cli import backfill
from infra.cli import deployed_stack as stack_access
from infra.cli.main import app
from infra.local.s3.lifecycle_rules import expire
from noria.aws.feature_store import Catalogue, Files
from noria.aws.s3 import Store
from noria.feature_store.store import FeatureReference, open_feature_store
from tests.e2e.stack import Stack
from tests.support.data_sets import flights_of
from tests.support.denied_writes import writes_denied

pytestmark = pytest.mark.slow
RANGE = ["--from", "2013-01-01", "--to", "2013-03-01"]


@pytest.fixture
def departures(
    stacks: dict[str, Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Stack:  # fmt: skip
    """A stack that has stored flights without, and then with their distance."""
    stack = stacks["departures"]
    stored = stack.run(only="features", as_of="2013-03-01T12:00:00Z")
    assert stored.ending == "FeaturesStored", stored.reasons
    stack.drop("flights", flights_of(1, 2).to_csv(index=False).encode())
    monkeypatch.setattr(stack_access, "LOCAL_FILE", stack.noted_in(tmp_path))
    monkeypatch.setattr(backfill, "POLL_SECONDS", 0.1)
    return stack


def features(stack: Stack, *arguments: str, code: int = 0) -> Any:
    command = ["features", arguments[0], stack.name, "--local", *arguments[1:]]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert result.exit_code == code, (result.output, result.exception)
    return result


def distances(stack: Stack) -> "pd.Series[float]":
    """The distances that a row of the tenth of February sees of each airplane's last flight."""
    client = stack.cloud.client
    catalogue = Catalogue(client("glue"), stack.outputs["DatabaseName"])
    flown = flights_of(1).dropna(subset=["tailnum", "arr_delay"])["tailnum"].unique()
    asked = pd.DataFrame(
        {"tailnum": flown, "prediction_time": pd.Timestamp("2013-02-10", tz="UTC")}
    )
    with open_feature_store(Files(Store(client("s3"), stack.bucket)), catalogue) as store:
        return store.historical_features(asked, [FeatureReference("features", ["distance"])])[
            "distance"
        ]


@contextmanager
def without_february(stack: Stack) -> Iterator[None]:
    """The function may not say that February is computed."""
    function = stack.cloud.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["BackfillFunctionName"]
    )
    objects = f"{stack.bucket}/features-backfills/*/2013-02.json"
    with writes_denied(stack.cloud.client("iam"), function["Role"], objects):
        yield


def glue_calls(stack: Stack) -> set[str]:
    """What the function asked of Glue, which the local cloud records and does not judge."""
    calls = (call for call in stack.cloud.access.calls if "Backfill" in call.role)
    return {call.action for call in calls if call.action.startswith("glue:")}


def glue_grants(stack: Stack) -> set[str]:
    iam = stack.cloud.client("iam")
    function = stack.cloud.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["BackfillFunctionName"]
    )
    role = function["Role"].rpartition("/")[2]
    granted: set[str] = set()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        actions = (one["Action"] for one in policy["Statement"])
        granted.update(*([one] if isinstance(one, str) else one for one in actions))
    return granted


def test_a_column_that_was_added_is_seen_in_the_past(departures: Stack) -> None:
    stored = departures.run(only="features", as_of="2013-03-02T12:00:00Z")
    assert stored.ending == "FeaturesStored", stored.reasons
    assert distances(departures).isna().all()

    with without_february(departures):
        broken = features(departures, "backfill", *RANGE, "--run", stored.name, code=1)
    assert "States.ExceedToleratedFailureThreshold" in broken.stdout
    assert "1 of 2 months are computed" in broken.stdout
    assert distances(departures).isna().all()
    january = {key: departures.read(key) for key in departures.keys("features-backfills/")}

    resumed = features(departures, "backfill", *RANGE, "--run", stored.name, "--json")
    told = json.loads(resumed.stdout)
    assert (told["status"], told["partitions"], told["skipped"]) == ("SUCCEEDED", 2, 1)
    assert told["rows"] > 6000
    assert {key: departures.read(key) for key in january} == january
    assert distances(departures).notna().all()

    again = features(departures, "backfill", *RANGE, "--run", stored.name)
    assert "2 skipped; all of it was published before" in again.stdout
    described = features(departures, "describe", "features").stdout
    assert "2 runs and 1 backfill, in 4 files" in described

    assert "features: 4 files are 2 now" in features(departures, "compact").stdout
    a_week_later = datetime.now(UTC) + timedelta(days=8)
    gone = expire(departures.cloud.client("s3"), departures.bucket, a_week_later)
    assert len([key for key in gone if key.startswith("features/")]) == 3
    assert distances(departures).notna().all()
    asked = glue_calls(departures)
    assert {"glue:GetPartitions", "glue:BatchCreatePartition"} <= asked <= glue_grants(departures)
    refused = [c for c in departures.cloud.access.calls if not c.allowed and "ackfill" in c.role]
    assert {call.resource.rpartition("/")[2] for call in refused} == {"2013-02.json"}
