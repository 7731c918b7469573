"""Asynchronous events are retried, and their outcome is sent on."""

from collections.abc import Callable
from typing import Any

from infra.local import LocalCloud

Invoke = Callable[..., Any]


def test_asynchronous_events_are_retried_and_reported(cloud: LocalCloud, invoke: Invoke) -> None:
    answer = invoke({"do": "flaky", "mark": "later", "times": 2}, InvocationType="Event")
    assert answer["StatusCode"] == 202
    assert cloud.settle() == []
    invoke({"do": "hopeless"}, InvocationType="Event")
    (failure,) = cloud.settle()
    assert (failure.error, failure.message) == ("Hopeless", "no use")
