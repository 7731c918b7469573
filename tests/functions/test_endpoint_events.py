"""Events as API Gateway sends them (payload 2.0): any encoding, type, path and method."""

import base64
import gzip
import json
from contextlib import redirect_stdout
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions import endpoint
from noria.aws.s3 import Store
from noria.serving import process
from tests.functions.test_endpoint import LOG, ROW, champion, logged, store
from tests.support import tiny_model
from tests.support.tiny_model import make_champion, write_model

__all__ = ["champion", "store"]
HOST = "qwerty.execute-api.eu-west-1.amazonaws.com"
TEXT = json.dumps({"rows": [ROW]})


def event_of(
    method: str = "POST",
    path: str = "/predict",
    body: str | bytes | None = TEXT,
    query: str = "",
    stage: str = "$default",
    **headers: str,
) -> dict[str, Any]:
    """An event; a body of bytes comes in base64, as API Gateway sends what it takes for no text."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    encoded = isinstance(body, bytes)
    sent = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.4",
            "userAgent": "test"}  # fmt: skip
    context = {
        "accountId": "210987654321", "apiId": "qwerty", "domainName": HOST,
        "domainPrefix": "qwerty", "http": http, "requestId": "one", "routeKey": "$default",
        "stage": stage, "time": "05/Mar/2025:08:00:00 +0000", "timeEpoch": 1741161600000,
    }  # fmt: skip
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"host": HOST, "x-forwarded-proto": "https", **named},
        "requestContext": context, "isBase64Encoded": encoded,
        **({} if sent is None else {"body": sent}),
    }  # fmt: skip


def answered(**event: Any) -> dict[str, Any]:
    with redirect_stdout(LOG):
        answer: dict[str, Any] = endpoint.handler(event_of(**event), None)
    return answer


PREDICTED = {
    "plain": {"content_type": "application/json"},
    "base64": {"body": TEXT.encode(), "content_type": "application/octet-stream"},
    "base64 with a byte order mark": {"body": TEXT.encode("utf-8-sig")},
    "no content type": {},
    "a browser's": {"content_type": "text/plain;charset=UTF-8"},
    "a charset": {"content_type": "application/json; charset=utf-8"},
    "a query of others": {"query": "b=1&b=2&%00=x&explained=yes"},
    "CSV": {"body": "distance,carrier,departure\n1.5,AA,2013-01-31T17:00:00Z\n",
            "content_type": "text/csv"},
    "CSV in base64": {"body": b"\xef\xbb\xbfdistance\r\n1.5\r\n",
                      "content_type": "Text/CSV; charset=UTF-8"},
    "instances": {"body": json.dumps({"instances": [ROW]})},
    "a split table": {"body": json.dumps({
        "dataframe_split": {"columns": [*ROW], "index": [0], "data": [[*ROW.values()]]}})},
}  # fmt: skip


@pytest.mark.parametrize("case", PREDICTED)
def test_a_prediction_is_answered_in_text(champion: Store, case: str) -> None:
    answer = answered(**PREDICTED[case])
    assert answer["statusCode"] == 200, answer["body"]
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["content-type"] == "application/json"
    document = json.loads(answer["body"])
    assert document["predictions"][0]["probability"] == pytest.approx(0.679, abs=1e-3)
    [record] = logged(champion, "predictions")
    assert record["prediction_id"] == document["predictions"][0]["id"]
    assert record["inputs"]["distance"] == 1.5


REFUSED = {
    "packed": ({"body": gzip.compress(TEXT.encode()), "content_encoding": "gzip",
                "content_type": "application/json"}, 422, "packed with gzip; send it unpacked"),
    "no body": ({"body": None, "content_type": "application/json"}, 422, "not JSON"),
    "an empty body": ({"body": "", "content_type": "application/json"}, 422, "not JSON"),
    "a form of a page": ({"body": "distance=1", "content_type": "multipart/form-data"}, 422,
                         "its type is 'multipart/form-data'"),
    "XML": ({"body": "<row/>", "content_type": "application/xml"}, 422, "or CSV as text/csv"),
    "CSV that is JSON": ({"content_type": "text/csv"}, 422, "send"),
    "a body of 6 MB": ({"body": b" " * 6_000_000}, 413, "in several requests"),
    "1,001 rows": ({"body": json.dumps({"rows": [ROW] * 1001})}, 422, "send 1 to 1000 at a time"),
    "1,001 lines": ({"body": "distance\n" + "1\n" * 1001, "content_type": "text/csv"}, 422,
                    "send 1 to 1000 at a time"),
    "NaN": ({"body": '{"distance": NaN}'}, 422, "not JSON"),
    "deep nesting": ({"body": '{"distance": ' + "[" * 50_000 + "]" * 50_000 + "}"}, 422,
                     "not JSON"),
    "two forms": ({"body": json.dumps({"rows": [ROW], "instances": [ROW]})}, 422,
                  "send one of them"),
    "an unknown wish": ({"query": "explain=maybe"}, 422, "send explain=true or leave it out"),
    "too much to explain": ({"query": "explain=true", "body": json.dumps({"rows": [ROW] * 6})},
                            422, "send at most 5 with explain=true"),
    "a wrong method": ({"method": "GET", "body": None}, 405, "Method Not Allowed"),
    "an unknown path": ({"method": "GET", "path": "/nothing", "body": None}, 404, "Not Found"),
    "a prefix": ({"method": "GET", "path": "/api/docs", "body": None, "stage": "prod"}, 404,
                 "Not Found"),
    "a preflight": ({"method": "OPTIONS", "body": None, "origin": "https://shop.example",
                     "access_control_request_method": "POST"}, 405, "Method Not Allowed"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_told_in_json(champion: Store, case: str) -> None:
    event, status, told = REFUSED[case]
    answer = answered(**event)
    assert answer["statusCode"] == status
    assert told in json.loads(answer["body"])["detail"]
    assert logged(champion, "predictions") == []


def test_a_slash_behind_leads_nowhere_else(champion: Store) -> None:
    answer = answered(path="/predict/")
    assert answer["statusCode"] in (200, 307, 404)
    target = urlsplit(answer["headers"].get("location", f"https://{HOST}/predict"))
    assert (target.scheme, target.netloc, target.path) == ("https", HOST, "/predict")


def test_the_pages_of_the_api_find_each_other(champion: Store) -> None:
    page = answered(method="GET", path="/docs", body=None)
    assert page["statusCode"] == 200
    assert "openapi.json" in page["body"]
    document = answered(method="GET", path="/openapi.json", body=None)
    assert json.loads(document["body"])["paths"].keys() >= {"/predict", "/model"}


def test_head_has_no_body(champion: Store) -> None:
    answer = answered(method="HEAD", path="/health", body=None)
    assert answer["statusCode"] in (200, 405)
    if answer["statusCode"] == 200:
        assert answer["body"] == ""


def test_requests_during_a_rollback_are_answered_and_logged(champion: Store) -> None:
    """GIVEN a champion that changes between requests THEN a version goes on with its own model."""
    first = json.loads(answered()["body"])
    write_model(champion, "run-2", tiny_model.regression_signature())
    make_champion(champion, "run-2", "rmse")
    during = json.loads(answered()["body"])
    process.served.cache_clear()  # another process of the version that is being left
    after = json.loads(answered()["body"])
    assert [one["model"] for one in (first, during, after)] == ["run-1"] * 3
    told = [one["predictions"][0]["id"] for one in (first, during, after)]
    assert [one["prediction_id"] for one in logged(champion, "predictions")] == told
