"""Requests that Schemathesis makes of the endpoint's OpenAPI document: no answer is a failure."""

import base64
import json
import subprocess
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from functions import endpoint
from noria.aws.s3 import Store
from tests.bench.environments import python_of
from tests.functions.test_endpoint import LOG, store
from tests.functions.test_endpoint_events import answered, event_of
from tests.support import tiny_model
from tests.support.examples import repeats
from tests.support.tiny_model import make_champion, write_model

__all__ = ["store"]
SUPPORT = Path(__file__).parents[1] / "support"
OPERATIONS = {("POST", "/predict"), ("POST", "/labels"), ("GET", "/model"), ("GET", "/health")}
REQUESTS, QUICK = 1_000, 40  # per operation


def made_requests(document: str, folder: Path, count: int) -> list[dict[str, Any]]:
    python = python_of("schemathesis", within=SUPPORT)
    if python is None:
        pytest.skip("Schemathesis cannot be had")
    file = folder / "openapi.json"
    file.write_text(document)
    script = SUPPORT / "schemathesis" / "make_requests.py"
    done = subprocess.run(
        [python, script, file, str(count)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def filled(store: Store) -> Store:
    """A champion that also answers rows without a distance."""
    signature = tiny_model.binary_signature()
    distance = signature.columns[0].model_copy(update={"fill": 0.0})
    fields = (distance, *signature.columns[1:])
    write_model(store, "run-1", signature.model_copy(update={"columns": fields}))
    make_champion(store, "run-1")
    return store


def test_no_request_of_the_document_fails(filled: Store, tmp_path: Path) -> None:
    document = answered(method="GET", path="/openapi.json", body=None)["body"]
    count = repeats(REQUESTS, QUICK)
    asked = made_requests(document, tmp_path, count)
    statuses: dict[tuple[str, str], Counter[int]] = {}
    for one in asked:
        event = event_of(one["method"], one["path"], base64.b64decode(one["body"]), one["query"])
        event["headers"] |= {name.lower(): value for name, value in one["headers"].items()}
        with redirect_stdout(LOG):
            answer = endpoint.handler(event, None)
        assert answer["statusCode"] < 500, (one, answer["body"])
        found = statuses.setdefault((one["method"], one["path"]), Counter())
        found[answer["statusCode"]] += 1
    assert statuses.keys() >= OPERATIONS
    for path in ("/predict", "/labels"):
        assert sum(statuses["POST", path].values()) >= 0.9 * count
    assert statuses["POST", "/predict"][200] >= len(asked) // 40
    assert statuses["POST", "/predict"][422] >= len(asked) // 40
