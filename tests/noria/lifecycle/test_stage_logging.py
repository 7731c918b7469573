"""A stage's log line: one per invocation, with what it was and how it ended."""

import contextlib
import logging
from typing import Any

import pytest

from noria.lifecycle.stage_logging import logged, note

EVENT = {
    "state": "Transform",
    "execution": "run-1",
    "started_at": "2013-01-31T00:00:00Z",
    "input": {"features": {"iteration": 2}, "password": "hunter2"},
}
STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """The one record that was logged: its level, logger, message and extra fields."""
    (record,) = caplog.records
    extra = {k: v for k, v in record.__dict__.items() if k not in STANDARD}
    return {"level": record.levelname, "message": record.getMessage(), **extra}


@logged
def usable(event: dict[str, Any], context: Any) -> str:
    note(decision="usable", rows_in=3, rows_out=2)
    return f"{event['state']} on {context}"


@logged
def broken(event: dict[str, Any], context: Any) -> None:
    note(rows_in=3)
    raise ValueError("hunter2 is no password")


def test_stage_that_ends_logs_its_run_state_decision_rows_and_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    assert usable(EVENT, "lambda") == "Transform on lambda"
    found = line(caplog)
    assert found.pop("seconds") >= 0
    assert found == {
        "level": "INFO", "message": "Transform ended", "run": "run-1", "state": "Transform",
        "iteration": 2, "decision": "usable", "rows_in": 3, "rows_out": 2,
    }  # fmt: skip
    assert caplog.records[0].name == __name__


def test_stage_that_fails_logs_its_error_class_and_raises(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ValueError, match="no password"):
        broken(EVENT, None)
    found = line(caplog)
    assert (found["level"], found["error"]) == ("ERROR", "ValueError")
    assert (found["run"], found["state"], found["rows_in"]) == ("run-1", "Transform", 3)
    assert caplog.records[0].exc_info is None  # the traceback is Lambda's


@pytest.mark.parametrize("handler", [usable, broken])
def test_no_input_is_logged(handler: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with contextlib.suppress(ValueError):
        handler({**EVENT, "item": {"token": "hunter2"}}, None)
    assert "hunter2" not in str(line(caplog))


def test_events_of_the_machine_itself_name_their_execution(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(KeyError):
        usable({"detail": {"name": "run-1", "status": "ABORTED"}}, None)
    assert line(caplog)["run"] == "run-1"


def test_each_item_of_a_map_is_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    usable({**EVENT, "item": "hist_gradient_boosting"}, None)
    assert line(caplog)["item"] == "hist_gradient_boosting"


def test_notes_do_not_pass_from_one_invocation_to_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    usable(EVENT, None)
    note(decision="nobody's")
    caplog.clear()
    with pytest.raises(ValueError, match="no password"):
        broken(EVENT, None)
    assert "decision" not in line(caplog)
