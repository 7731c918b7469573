"""The two ways to an answer, the short one of predictions and that through the web framework."""

import base64
import json
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from functions import endpoint
from noria.aws.s3 import Store
from tests.functions.test_endpoint import LOG, ROW, champion, printed, store
from tests.support.examples import examples

__all__ = ["champion", "store"]
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=2), max_leaves=3)
names = st.sampled_from([*ROW, "none of them"]) | st.text(max_size=5)
rows = st.just(ROW) | st.dictionaries(names, values, max_size=4)
documents = st.one_of(
    rows,
    st.fixed_dictionaries({"rows": st.lists(rows, max_size=3)}),
    st.fixed_dictionaries({"rows": st.lists(rows, max_size=3)}, optional={"labels": values}),
    values,
)
bodies = st.one_of(
    documents.map(json.dumps), documents.map(lambda one: json.dumps(one, ensure_ascii=False)),
    st.text(), st.just('{"distance": 1, "distance": 2}'), st.just("[" * 5_000),
)  # fmt: skip
types = st.sampled_from(["application/json", "text/plain;charset=UTF-8", "", "x", "text/csv"])
queries = st.sampled_from(["", "", "explain=true", "explain=false", "explain=%C3%A9", "a=1&a"])


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of an HTTP API for predictions."""
    text, encoded = draw(bodies), draw(st.booleans())
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = b"\xff"
    body = base64.b64encode(content).decode() if encoded else content.decode("utf-8", "replace")
    path = draw(st.sampled_from(["/predict", "/predic%74", "/predict/", "/Predict", "/", "/model"]))
    method = draw(st.sampled_from(["POST", "POST", "POST", "GET", "PUT"]))
    asked = event(method, path, body, {"content-type": draw(types)}, encoded)
    return asked | {"rawQueryString": draw(queries)}


def event(
    method: str, path: str, body: str, headers: Mapping[str, str], encoded: bool = False
) -> dict[str, Any]:
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {**headers, "Host": "test"},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "127.0.0.1",
                                    "protocol": "HTTP/1.1", "userAgent": "test"},
                           "stage": "$default"},
        "body": body, "isBase64Encoded": encoded,
    }  # fmt: skip


@examples(3_000, quick=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=events())
def test_both_ways_give_the_same_bytes(champion: Store, asked: dict[str, Any]) -> None:
    with redirect_stdout(LOG):
        short, long = endpoint.handler(asked, None), endpoint.web_app()(asked, None)
    for answer in (short, long):
        answer["body"] = ID.sub("ID", answer["body"])
    assert short == long
    assert short["statusCode"] < 500


def test_every_answered_row_is_logged_once(champion: Store) -> None:
    body = json.dumps({"rows": [ROW] * 3})
    for answer_by in (endpoint.handler, endpoint.web_app()):
        before = len(printed())
        with redirect_stdout(LOG):
            answer = answer_by(event("POST", "/predict", body, {}), None)
        told = [one["id"] for one in json.loads(answer["body"])["predictions"]]
        lines = [one for one in printed()[before:] if "prediction_id" in one]
        assert told == [one["prediction_id"] for one in lines]
        assert len(set(told)) == 3


def test_an_event_of_another_form_is_no_prediction(champion: Store) -> None:
    """GIVEN an event in payload format 1.0 THEN the adapter reads it."""
    old = {
        "version": "1.0", "resource": "/predict", "path": "/predict", "httpMethod": "POST",
        "headers": {"Host": "test"}, "body": json.dumps(ROW), "isBase64Encoded": False,
        "requestContext": {"identity": {"sourceIp": "127.0.0.1"}},
    }  # fmt: skip
    answer = endpoint.handler(old, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["predictions"][0]["prediction"] is True
