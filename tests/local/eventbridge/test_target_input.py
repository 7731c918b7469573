"""What targets of rules receive, as EventBridge documents it."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.eventbridge.target_input import target_input

EVENT = {
    "id": "e", "source": "s", "detail-type": "t", "time": "2013-04-24T12:00:00Z",
    "resources": ["r0", "r1"], "detail": {"name": 'say "x"', "n": 1.5, "deep": {"list": [1, 2]}},
}  # fmt: skip
RULE = SimpleNamespace(arn="arn:rule", name="rule")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, EVENT),
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail.deep"}, {"list": [1, 2]}),
        (
            {"InputTransformer": {
                "InputPathsMap": {"n": "$.detail.name", "r": "$.resources[1]", "no": "$.nothing",
                                  "d": "$.detail.deep", "t": "$.detail-type"},
                "InputTemplate": '{"name": <n>, "text": "it is <n>", "r": <r>, "no": <no>, '
                                 '"d": <d>, "t": "<t>", "rule": <aws.events.rule-name>}'}},
            {"name": 'say "x"', "text": 'it is say "x"', "r": "r1", "no": None,
             "d": {"list": [1, 2]}, "t": "t", "rule": "rule"},
        ),
        ({"InputTransformer": {"InputTemplate": '"all is <aws.events.event>"'}},
         f"all is {json.dumps(EVENT)}"),
    ],
)  # fmt: skip
def test_target_inputs(target: dict[str, Any], expected: Any) -> None:
    assert json.loads(target_input(target, EVENT, RULE)) == expected


def test_a_template_that_makes_no_json_fails_the_delivery() -> None:
    broken = {"InputTransformer": {"InputPathsMap": {}, "InputTemplate": "{a: <b>}"}}
    with pytest.raises(ValueError, match="property name"):
        target_input(broken, EVENT, RULE)
