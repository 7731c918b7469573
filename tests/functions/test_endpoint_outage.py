"""The registry away: who has a model goes on answering, who has none says when to come again."""

import io
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError

from functions import endpoint
from noria.aws.clients import loading_client
from noria.aws.s3 import Store
from noria.serving import process
from tests.functions.test_endpoint import ROW, champion, store
from tests.functions.test_endpoint_paths import event

__all__ = ["champion", "store"]
REQUESTS = 10_000


@contextmanager
def s3_away() -> Iterator[list[str]]:
    """S3 cannot be reached; gives the calls that were tried, which grow."""
    tried: list[str] = []

    call = BaseClient._make_api_call

    def lost(client: BaseClient, operation: str, parameters: Any) -> Any:
        if client.meta.service_model.service_name != "s3":
            return call(client, operation, parameters)
        tried.append(operation)
        raise EndpointConnectionError(endpoint_url="s3")

    with patch.object(BaseClient, "_make_api_call", lost):  # of clients that are made later, too
        yield tried


def ask(method: str, path: str, body: str = "") -> dict[str, Any]:
    with redirect_stdout(io.StringIO()):
        return dict(endpoint.handler(event(method, path, body, {}), None))


def test_a_warm_process_answers_every_request(champion: Store) -> None:
    assert ask("POST", "/predict", json.dumps(ROW))["statusCode"] == 200
    body = json.dumps(ROW)
    with s3_away() as tried:
        statuses = [ask("POST", "/predict", body)["statusCode"] for _ in range(REQUESTS)]
        others = [ask("GET", path)["statusCode"] for path in ("/health", "/model", "/")]
    assert statuses.count(200) == REQUESTS
    assert others == [200, 200, 200]
    assert tried == []


def test_a_cold_process_says_when_to_come_again_and_recovers(champion: Store) -> None:
    with s3_away() as tried:
        process.load_published()
        for method, path, body in (("POST", "/predict", json.dumps(ROW)), ("GET", "/health", "")):
            answer = ask(method, path, body)
            assert answer["statusCode"] == 503
            assert answer["headers"]["retry-after"] == "5"
            assert "cannot be read now: try again" in json.loads(answer["body"])["detail"]
    assert tried
    assert ask("POST", "/predict", json.dumps(ROW))["statusCode"] == 200


def test_health_tells_how_old_the_model_is(champion: Store) -> None:
    as_of = datetime.now(UTC) - timedelta(days=3)
    champion.put_json("models/run-1/lineage.json", {"as_of": as_of.isoformat(), "run": "run"})
    health = json.loads(ask("GET", "/health")["body"])
    assert (health["status"], health["model"]) == ("ok", "run-1")
    assert health["trained_as_of"] == as_of.isoformat()
    assert health["age_days"] == pytest.approx(3, abs=0.01)
    assert datetime.fromisoformat(health["loaded_at"]) <= datetime.now(UTC)
    assert 0 <= health["loaded_seconds_ago"] < 60


def test_a_model_of_unknown_age_says_so(champion: Store) -> None:
    health = json.loads(ask("GET", "/health")["body"])
    assert (health["trained_as_of"], health["age_days"]) == (None, None)


def test_a_cold_process_does_not_wait_for_a_store_that_never_answers(
    champion: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN an S3 that takes connections and says nothing THEN a start fits into its 10 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        loading_client.cache_clear()
        began = time.monotonic()
        answer = ask("POST", "/predict", json.dumps(ROW))
        assert time.monotonic() - began < 9
    loading_client.cache_clear()
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
