"""What an HTTP API sends to a function for a request, and what a function answers."""

import base64
import json
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(
    aws_request_id="bench",
    function_name="bench",
    function_version="1",
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:bench:live",
    memory_limit_in_mb="2048",
    log_group_name="bench",
    log_stream_name="bench",
    get_remaining_time_in_millis=lambda: 29_000,
)


def event(document: Any) -> dict[str, Any]:
    """An event of payload format 2.0: `POST /predict` with a JSON document."""
    host = "bench.execute-api.eu-west-1.amazonaws.com"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/predict",
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "host": host,
            "user-agent": "bench",
            "x-forwarded-for": "203.0.113.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "bench",
            "domainName": host,
            "domainPrefix": "bench",
            "http": {
                "method": "POST",
                "path": "/predict",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.1",
                "userAgent": "bench",
            },
            "requestId": "bench",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Nov/2026:00:00:00 +0000",
            "timeEpoch": 1793491200000,
        },
        "body": json.dumps(document),
        "isBase64Encoded": False,
    }


def document(answer: dict[str, Any]) -> Any:
    """The JSON document of an answer; AssertionError where it is no success."""
    body = answer["body"]
    if answer.get("isBase64Encoded"):
        body = base64.b64decode(body)
    assert answer["statusCode"] == 200, body
    return json.loads(body)


def probabilities(answer: dict[str, Any]) -> list[float]:
    """What `{"predictions": [{"probability"}]}` says."""
    return [float(one["probability"]) for one in document(answer)["predictions"]]
