"""How a function's answer becomes a reply."""

from typing import Any

import pytest

from infra.local.apigateway.replies import reply_from


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"statusCode": 404, "body": "gone"}, 404, b"gone"),
        ({"some": "thing"}, 200, b'{"some": "thing"}'),
        ("text", 200, b"text"),
        ({"statusCode": "what"}, 500, b'{"message": "Internal Server Error"}'),
    ],
)
def test_replies(result: Any, status: int, body: bytes) -> None:
    reply = reply_from(result)
    assert (reply.status, reply.body) == (status, body)
