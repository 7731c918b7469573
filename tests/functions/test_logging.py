"""Every function logs: a stage one line, the endpoint one for what it refuses."""

import importlib
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "functions"
FUNCTIONS = sorted(file.stem for file in FOLDER.glob("[a-z]*.py"))
CONTEXT = SimpleNamespace(aws_request_id="1", memory_limit_in_mb="128")
REFUSED = {  # a request of which nothing can be predicted
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/predict",
    "rawQueryString": "",
    "headers": {"host": "test", "content-type": "application/json"},
    "requestContext": {
        "http": {"method": "POST", "path": "/predict", "sourceIp": "192.0.2.1"},
        "stage": "$default",
    },
    "body": "private",
    "isBase64Encoded": False,
}


def test_there_are_functions() -> None:
    assert {"admit", "endpoint", "monitor", "train"} <= set(FUNCTIONS)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "endpoint"])
def test_a_stage_that_fails_logs_one_line(
    name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN an event that no stage takes THEN the line says which and by which class of error."""
    monkeypatch.delenv("NORIA_BUCKET", raising=False)
    caplog.set_level(logging.INFO)
    handler = importlib.import_module(f"functions.{name}").handler
    with pytest.raises(Exception) as raised:  # noqa: PT011 - what it is, differs
        handler({"secret": "private"}, CONTEXT)
    (record,) = [record for record in caplog.records if record.name == f"functions.{name}"]
    assert record.levelno == logging.ERROR
    assert (_extra(record, "state"), _extra(record, "error")) == (name, raised.type.__name__)
    assert "private" not in str(record.__dict__)


def test_the_endpoint_logs_what_it_refuses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    endpoint = importlib.import_module("functions.endpoint")
    answer = endpoint.handler(REFUSED, CONTEXT)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["detail"]
    (record,) = caplog.records  # and none of mangum, which would log every request
    assert (record.name, record.levelno) == ("noria.serving.failures", logging.WARNING)
    assert (_extra(record, "path"), _extra(record, "status")) == ("/predict", 422)
    assert "private" not in str(record.__dict__)


def _extra(record: logging.LogRecord, field: str) -> Any:
    return record.__dict__[field]
