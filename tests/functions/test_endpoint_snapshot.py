"""The endpoint after SnapStart: copies of one process share its model, and nothing fresh."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

ROOT = Path(__file__).parents[2]
RANDOM = (1 << 62) - 1  # the bits of an id that no clock gives


@pytest.fixture(scope="module")
def snapshot() -> dict[str, Any]:
    """What three copies of an initialised endpoint answered to the same request."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.snapshot_processes", "3"],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_no_two_copies_give_a_prediction_the_same_id(snapshot: dict[str, Any]) -> None:
    """GIVEN copies of one memory THEN their ids differ in random bits, not in time only."""
    bodies = [json.loads(one["body"]) for one in snapshot["answers"]]
    ids = [UUID(one["id"]) for body in bodies for one in body["predictions"]]
    assert len(ids) == 6
    assert len({one.int & RANDOM for one in ids}) == 6


def test_each_copy_answers_with_the_model_of_its_version(snapshot: dict[str, Any]) -> None:
    assert [one["status"] for one in snapshot["answers"]] == [200, 200, 200]
    bodies = [json.loads(one["body"]) for one in snapshot["answers"]]
    assert {body["model"] for body in bodies} == {"v1"}
    scores = {tuple(one["probability"] for one in body["predictions"]) for body in bodies}
    assert len(scores) == 1


def test_a_snapshot_holds_no_credentials(snapshot: dict[str, Any]) -> None:
    """GIVEN the module after its initialisation THEN no client and no credentials are kept in it.

    A restored process asks its runtime for its own: a client that was kept would sign with those
    of the moment the version was published, over a connection that is long closed.
    """
    assert snapshot["held"] == []
