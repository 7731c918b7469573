"""The endpoint, called over ASGI, with S3 and Firehose in process."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import boto3
import httpx
import pytest

from functions import endpoint
from noria.aws import clients, firehose
from noria.aws.s3 import Store
from noria.core.model.signature import Field
from noria.serving import process
from noria.serving.web_app import app
from tests.support import tiny_model
from tests.support.moto_session import aws_in_process
from tests.support.tiny_model import BUCKET, make_champion, write_model

LOG = io.StringIO()  # what the function writes to standard output
ROW = {"distance": 1.5, "carrier": "AA", "departure": "2013-01-31T17:00:00Z"}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A stack's bucket and streams, and the endpoint's environment."""
    variables = {
        "NORIA_BUCKET": BUCKET, "NORIA_NAMESPACE": "Noria/test", "NORIA_MODEL": "champion",
        "NORIA_LABELS_STREAM": "labels",
        "AWS_LAMBDA_FUNCTION_VERSION": "7", "AWS_LAMBDA_FUNCTION_NAME": "parcels",
        "NORIA_STACK_ID": "a1b2",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    LOG.seek(0)
    LOG.truncate()
    caches = (clients.client, clients.loading_client, firehose.firehose, process.served)
    with aws_in_process():
        for cached in caches:
            cached.cache_clear()
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        boto3.client("firehose").create_delivery_stream(
            DeliveryStreamName="labels",
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::123456789012:role/firehose",
                "BucketARN": f"arn:aws:s3:::{BUCKET}",
                "Prefix": "labels/",
            },
        )
        yield Store(s3, BUCKET)
        for cached in caches:
            cached.cache_clear()


@pytest.fixture
def champion(store: Store) -> Store:
    """A stack that has a binary champion."""
    write_model(store, "run-1")
    make_champion(store, "run-1")
    return store


def call(method: str, path: str, **request: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as session:
            return await session.request(method, path, **request)

    # Not asyncio.run: it forgets the loop that importing Mangum made, without closing it.
    loop = asyncio.new_event_loop()
    try:
        with redirect_stdout(LOG):
            return loop.run_until_complete(ask())
    finally:
        loop.close()


def logged(store: Store, prefix: str) -> list[dict[str, Any]]:
    """The labels that were stored, or the predictions that were written to standard output."""
    if prefix == "predictions":
        return [one for one in printed() if "prediction_id" in one]
    lines = [line for key in store.keys(f"{prefix}/") for line in store.get(key).splitlines()]
    return [json.loads(line) for line in lines]


def printed() -> list[dict[str, Any]]:
    """What the function wrote to its log."""
    return [json.loads(line) for line in LOG.getvalue().split("\n") if line]


def test_rows_are_answered_and_logged(champion: Store) -> None:
    answer = call("POST", "/predict", json={"rows": [ROW, {**ROW, "distance": -2}]}).json()
    assert answer["model"] == "run-1"
    first, second = answer["predictions"]
    assert first["prediction"] is True
    assert second["prediction"] is False
    assert first["probability"] == pytest.approx(0.679, abs=1e-3)
    assert first["id"] < second["id"]
    record = logged(champion, "predictions")[0]
    assert record["prediction_id"] == first["id"]
    assert record["inputs"] == ROW
    assert record["score"] == first["probability"]
    assert record["model_version"] == "run-1"
    assert record["function_version"] == "7"
    assert record["served_at"].endswith("Z")


def test_a_bare_row_and_missing_fields_are_answered(champion: Store) -> None:
    answer = call("POST", "/predict", json={"distance": 0}).json()
    assert answer["predictions"][0]["probability"] == pytest.approx(0.5)


def test_all_records_of_a_large_request_are_logged(champion: Store) -> None:
    answer = call("POST", "/predict", json={"rows": [ROW] * 1000})
    assert answer.status_code == 200
    ids = [item["id"] for item in answer.json()["predictions"]]
    assert ids == sorted(record["prediction_id"] for record in logged(champion, "predictions"))
    assert len(set(ids)) == 1000


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(store: Store, task: str) -> None:
    write_model(store, "run-1", getattr(tiny_model, f"{task}_signature")())
    make_champion(store, "run-1")
    (answer,) = call("POST", "/predict", json=ROW).json()["predictions"]
    (record,) = logged(store, "predictions")
    if task == "regression":
        assert answer["prediction"] == record["score"] == pytest.approx(2.25)
    else:
        assert answer["prediction"] == "b"
        assert list(answer["probabilities"]) == ["a", "b", "c"]
        assert record["score"] == list(answer["probabilities"].values())


def test_of_many_classes_the_most_probable_are_named(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN a limit of two THEN the answer names two, and the log still has all three."""
    write_model(store, "run-1", tiny_model.multiclass_signature())
    make_champion(store, "run-1")
    (every,) = call("POST", "/predict", json=ROW).json()["predictions"]
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps({"deployment": {"most_classes": 2}}))
    (answer,) = call("POST", "/predict", json=ROW).json()["predictions"]
    likely = sorted(every["probabilities"], key=lambda name: -every["probabilities"][name])
    assert [*answer["probabilities"]] == likely[:2]
    assert answer["prediction"] == likely[0]
    assert answer["others"] == pytest.approx(every["probabilities"][likely[2]])
    assert "others" not in every
    first, second = (record["score"] for record in logged(store, "predictions"))
    assert first == second == [*every["probabilities"].values()]


BAD_BODIES = {
    "nothing": (b"", "not JSON"),
    "not JSON": (b"{rows", "not JSON"),
    "not UTF-8": (b'{"carrier": "\xff"}', "not JSON"),
    "NaN": (b'{"distance": NaN}', "not JSON"),
    "infinity": (b'{"distance": 1e999}', "'distance'"),
    "an enormous integer": (b'{"distance": 1' + b"0" * 400 + b"}", "'distance'"),
    "too deep": (b"[" * 100_000, "not JSON"),
    "a list": (b"[1, 2]", 'send {"rows"'),
    "no rows": (b'{"rows": []}', "1 to 1000"),
    "too many rows": (json.dumps({"rows": [ROW] * 1001}).encode(), "1 to 1000"),
    "an empty row": (b'{"rows": [{}]}', "row 0 is empty"),
    "a row that is a list": (b'{"rows": [[false]]}', "row 0"),
    "ragged nesting": (b'{"rows": [{"distance": [1]}]}', "'distance'"),
    "an unknown field": (b'{"distanse": 1}', "did you mean 'distance'"),
    "beside the rows": (b'{"rows": [{"distance": 1}], "x": 1}', "'x'"),
    "a number as text": (b'{"distance": "1"}', "send a number"),
    "a boolean as number": (b'{"distance": false}', "send a number"),
    "a number as category": (b'{"carrier": 1}', "send a string"),
    "a lone surrogate": (b'{"carrier": "\\ud800"}', "not JSON"),
    "a long text": (json.dumps({"carrier": "x" * 2000}).encode(), "2000 characters"),
    "a bad time": (b'{"departure": "yesterday"}', "ISO 8601"),
    "a time out of range": (b'{"departure": 1e300}', "1 to 9999"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_is_refused_with_its_remedy(champion: Store, case: str) -> None:
    body, remedy = BAD_BODIES[case]
    answer = call("POST", "/predict", content=body)
    assert answer.status_code == 422, answer.text
    assert remedy in answer.json()["detail"]
    assert logged(champion, "predictions") == []


def test_a_huge_body_is_too_large(champion: Store) -> None:
    assert call("POST", "/predict", content=b" " * 6_000_000).status_code == 413


def test_an_overflowing_answer_is_refused(store: Store) -> None:
    write_model(store, "run-1", tiny_model.regression_signature())
    make_champion(store, "run-1")
    answer = call("POST", "/predict", json={"rows": [ROW, {"distance": 3e38}]})
    assert answer.status_code == 422
    assert "row 1 has no finite prediction" in answer.json()["detail"]


def test_without_champion_it_says_what_to_do_and_tries_again(store: Store) -> None:
    for path in ("/health", "/model", "/"):
        answer = call("GET", path)
        assert answer.status_code == 503
        assert "start the state machine" in answer.text
    write_model(store, "run-1")
    make_champion(store, "run-1")
    answer = call("GET", "/health").json()
    assert (answer["status"], answer["model"]) == ("ok", "run-1")


def test_a_function_version_never_changes_its_model(champion: Store) -> None:
    call("GET", "/health")
    assert champion.keys("registry/served/") == ["registry/served/parcels/a1b2/7.json"]
    write_model(champion, "run-2")
    make_champion(champion, "run-2")
    process.served.cache_clear()
    assert call("GET", "/health").json()["model"] == "run-1"


def test_a_named_model_and_the_unpublished_function_are_not_pinned(
    champion: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(champion, "run-2")
    monkeypatch.setenv("NORIA_MODEL", "run-2")
    assert call("GET", "/health").json()["model"] == "run-2"
    process.served.cache_clear()
    monkeypatch.setenv("NORIA_MODEL", "champion")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
    assert call("GET", "/health").json()["model"] == "run-1"
    assert champion.keys("registry/served/") == []


def test_a_damaged_model_is_a_503(champion: Store) -> None:
    champion.put("models/run-1/model.onnx", b"damaged")
    answer = call("POST", "/predict", json=ROW)
    assert answer.status_code == 503
    assert "checksum" in answer.json()["detail"]


def test_a_prediction_that_is_too_long_for_the_log_is_answered_and_counted(store: Store) -> None:
    """GIVEN three texts of 100,000 characters in one of two rows THEN that one is counted lost."""
    prose = tuple(Field(name=name, kind="text") for name in ("one", "two", "three"))
    signature = tiny_model.binary_signature()
    columns = (*signature.columns, *prose)
    write_model(store, "run-1", signature.model_copy(update={"columns": columns}))
    make_champion(store, "run-1")
    long = {field.name: "é" * 100_000 for field in prose}
    answer = call("POST", "/predict", json={"rows": [ROW, {**ROW, **long}]})
    assert answer.status_code == 200, answer.text
    kept, counted = printed()
    assert kept["prediction_id"] == answer.json()["predictions"][0]["id"]
    assert counted["PredictionsNotLogged"] == 1
    assert counted["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Noria/test"
    assert "longer than" in counted["reason"]


def test_texts_with_marks_that_end_lines_are_one_record(champion: Store) -> None:
    text = 'A\u2028"},{"prediction_id":\n\x85'
    answer = call("POST", "/predict", json={"rows": [{**ROW, "carrier": text}, ROW]})
    records = logged(champion, "predictions")
    assert [one["id"] for one in answer.json()["predictions"]] == [
        one["prediction_id"] for one in records
    ]
    assert records[0]["inputs"]["carrier"] == text


def test_an_answer_leaves_no_log_line(champion: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert call("POST", "/predict", json=ROW).status_code == 200
    assert not [record for record in caplog.records if record.name.startswith("noria")]
    call("POST", "/predict", json={"rows": []})
    assert [record for record in caplog.records if record.name.startswith("noria")]


def test_labels_are_stored(champion: Store) -> None:
    (made,) = call("POST", "/predict", json=ROW).json()["predictions"]
    answer = call("POST", "/labels", json={"labels": [{"id": made["id"], "value": True}]})
    assert answer.json() == {"stored": 1}
    (record,) = logged(champion, "labels")
    assert record["prediction_id"] == made["id"]
    assert record["value"] is True
    assert record["received_at"].endswith("Z")


UUID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("body", "remedy"),
    [
        ({"labels": [{"id": UUID, "value": 1}]}, "send False, True"),
        ({"labels": [{"id": UUID, "value": "true"}]}, "send False, True"),
        ({"labels": [{"id": UUID, "value": None}]}, "send False, True"),
        ({"labels": [{"id": "x", "value": True}]}, "no UUID"),
        ({"labels": [{"id": 1, "value": True}]}, "not a text"),
        ({"labels": [{"id": UUID}]}, "exactly id and value"),
        ({"labels": [UUID]}, "exactly id and value"),
        ({"labels": []}, "1 to 1000"),
        ({"labels": [{"id": UUID, "value": True}], "x": 1}, "'x'"),
        ({}, "list of labels"),
    ],
)
def test_a_bad_label_is_refused(champion: Store, body: Any, remedy: str) -> None:
    answer = call("POST", "/labels", json=body)
    assert answer.status_code == 422
    assert remedy in answer.json()["detail"]
    assert logged(champion, "labels") == []


def test_a_label_of_a_regression_is_a_finite_number(store: Store) -> None:
    write_model(store, "run-1", tiny_model.regression_signature())
    make_champion(store, "run-1")
    for value in (b"true", b'"1"', b"1e999", b"1" + b"0" * 400):
        body = b'{"labels": [{"id": "%s", "value": %s}]}' % (UUID.encode(), value)
        assert call("POST", "/labels", content=body).status_code == 422
    assert call("POST", "/labels", json={"labels": [{"id": UUID, "value": 1}]}).status_code == 200


def test_a_label_that_is_not_stored_is_a_503(
    champion: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_LABELS_STREAM", "gone")
    answer = call("POST", "/labels", json={"labels": [{"id": UUID, "value": True}]})
    assert answer.status_code == 503
    assert "send the request again" in answer.json()["detail"]


def test_the_model_describes_itself(champion: Store) -> None:
    model = call("GET", "/model").json()
    assert model["version"] == "run-1"
    assert model["metrics"] == {"roc_auc": 0.75}
    assert model["classes"] == [False, True]
    assert [item["name"] for item in model["inputs"]] == ["distance", "carrier", "departure"]
    assert model["inputs"][0]["maximum"] == 3
    assert model["inputs"][1]["values"] == ["AA", "UA"]


def test_the_documentation_is_made_from_the_signature(champion: Store) -> None:
    page = call("GET", "/docs")
    assert page.status_code == 200
    assert "rows[].distance" in page.text
    assert "://" not in page.text  # nothing comes from another site
    document = call("GET", "/openapi.json").json()
    row = document["components"]["schemas"]["Row"]
    assert set(row["properties"]) == {"distance", "carrier", "departure"}
    assert set(document["paths"]) == {"/predict", "/labels", "/model", "/health"}


def test_the_page_has_a_field_per_input_and_escapes_text(champion: Store) -> None:
    answer = call("GET", "/")
    assert answer.headers["content-type"].startswith("text/html")
    for name in ("distance", "carrier", "departure"):
        assert f'name="{name}"' in answer.text
    assert "a browser cannot sign" in answer.text
    assert "Will it be late? &lt;b&gt;" in answer.text


def test_the_handler_answers_api_gateways_events(champion: Store) -> None:
    event = {
        "version": "2.0", "routeKey": "$default", "rawPath": "/predict", "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "test"},
        "requestContext": {
            "http": {"method": "POST", "path": "/predict", "sourceIp": "127.0.0.1",
                     "protocol": "HTTP/1.1", "userAgent": "test"},
            "stage": "$default",
        },
        "body": json.dumps(ROW), "isBase64Encoded": False,
    }  # fmt: skip
    answer = endpoint.handler(event, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["predictions"][0]["prediction"] is True
