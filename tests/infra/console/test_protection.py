"""The console answers the person who started it, in its own pages, and nobody else."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.console.protection import Gate
from tests.infra.console.served import Served, served

CONTRACT: dict[str, Any] = {
    "name": "parcels", "statement": "Will this parcel be late?", "task": "binary",
    "target": "late", "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
}  # fmt: skip
PAGES = (
    "/",
    "/stacks/parcels",
    "/stacks/parcels/runs",
    "/stacks/parcels/models",
    "/static/form.js",
)


@pytest.fixture
def console() -> Iterator[Served]:
    with served(CONTRACT) as made:
        yield made


@pytest.mark.parametrize("path", PAGES)
def test_nobody_without_the_key_is_answered(console: Served, path: str) -> None:
    for client in (console.stranger(), console.stranger()):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "`noria console` printed" in answer.text
    wrong = console.stranger().get(f"{path}?key=guess")
    assert wrong.status_code == 403


def test_the_key_becomes_a_cookie_that_other_sites_cannot_send(console: Served) -> None:
    client = console.stranger()
    opened = client.get(console.gate.url)
    assert opened.status_code == 303
    assert opened.headers["location"] == "/"
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.get("/stacks/parcels/models").status_code == 200


def test_a_name_that_points_here_is_refused(console: Served) -> None:
    """GIVEN a name of another site that resolves to this machine THEN it gets nothing."""
    rebound = {"Host": f"evil.example:{console.gate.port}"}
    answer = console.client.get("/stacks/parcels", headers=rebound)
    assert answer.status_code == 403
    assert "not at this name" in answer.text


def test_another_sites_request_is_refused_even_with_the_cookie(console: Served) -> None:
    for origin in ("https://evil.example", "null", f"{console.home}0"):
        answer = console.client.get("/stacks/parcels", headers={"Origin": origin})
        assert answer.status_code == 403
    own = console.client.get("/stacks/parcels/runs", headers={"Origin": console.home})
    assert own.status_code == 200


@pytest.mark.parametrize("path", ["/runs", "/runs/any/answer", "/change"])
@pytest.mark.parametrize("token", [None, "", "guess"])
def test_a_form_without_the_token_does_nothing(
    console: Served, path: str, token: str | None
) -> None:
    fields = {"input": "{}", "action": "start", "decision": "approve", "reason": "because"}
    given = fields if token is None else {**fields, "token": token}
    answer = console.client.post(f"/stacks/parcels{path}", data=given)
    assert answer.status_code == 403
    assert "not of this console" in answer.text


def test_a_prediction_without_the_token_is_not_sent(console: Served) -> None:
    answer = console.client.post("/stacks/parcels/predict", json={"rows": [{"a": 1}]})
    assert answer.status_code == 403
    assert "not of this console" in answer.json()["detail"]


def test_every_answer_says_what_a_browser_may_do_with_it(console: Served) -> None:
    for path in ("/stacks/parcels", "/stacks/parcels/runs", "/static/form.js"):
        headers = console.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_report_can_do_nothing(console: Served) -> None:
    script = b"<script>alert(1)</script>"
    console.made.put("runs/first/ending.json", {"ending": "Promote", "verdicts": []})
    put_bytes(console, "runs/first/report.html", script)
    answer = console.get("/runs/first/report")
    assert answer.content == script
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox")
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def put_bytes(console: Served, key: str, content: bytes) -> None:
    boto3.client("s3").put_object(Bucket=console.made.bucket, Key=key, Body=content)


def test_two_consoles_do_not_know_each_others_secrets() -> None:
    one, other = Gate(8765), Gate(8765)
    assert len({one.key, one.session, one.token, other.key, other.session, other.token}) == 6
    assert one.url.startswith("http://127.0.0.1:8765/?key=")


def test_the_address_of_a_page_keeps_its_question(console: Served) -> None:
    opened = console.stranger().get(f"/stacks/parcels/runs?features=true&key={console.gate.key}")
    assert opened.headers["location"] == "/stacks/parcels/runs?features=true"
