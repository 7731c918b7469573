"""A line for each answer, as CloudWatch reads metrics out of lines."""

import json
from typing import Any

import pytest

from noria.serving.request_metrics import line


def metrics_of(text: str) -> dict[tuple[str, ...], dict[str, tuple[float, str]]]:
    """Values and units by dimensions, of a line that ends."""
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    document: dict[str, Any] = json.loads(text)
    assert document["_aws"]["Timestamp"] == 1_700_000_000_000
    return {
        tuple(names): {
            one["Name"]: (document[one["Name"]], one["Unit"]) for one in directive["Metrics"]
        }
        for directive in document["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        if directive["Namespace"] == "Noria/flights"
    }


def written(status: int, milliseconds: float = 3.25, is_first: bool = False) -> str:
    stamp = 1_700_000_000_000
    return line(status, milliseconds, "Noria/flights", "7", stamp, is_first=is_first)


@pytest.mark.parametrize(
    ("status", "counted"),
    [(200, "Status2xx"), (422, "Status4xx"), (413, "Status4xx"), (307, "Status2xx")],
)
def test_an_answer_is_counted_for_its_version(status: int, counted: str) -> None:
    assert json.loads(written(status))["FunctionVersion"] == "7"
    assert metrics_of(written(status)) == {
        ("FunctionVersion",): {
            "Requests": (1, "Count"), counted: (1, "Count"), "Latency": (3.25, "Milliseconds"),
        }
    }  # fmt: skip


def test_failures_are_also_counted_over_all_versions() -> None:
    found = metrics_of(written(503))
    assert set(found) == {("FunctionVersion",), ()}
    assert found["FunctionVersion",]["Status5xx"] == (1, "Count")
    assert found[()] == {"Status5xx": (1, "Count")}


def test_the_first_request_of_a_sandbox_has_a_latency_of_its_own() -> None:
    found = metrics_of(written(200, 2100.5, is_first=True))
    assert found["FunctionVersion",]["ColdLatency"] == (2100.5, "Milliseconds")
    assert "Latency" not in found["FunctionVersion",]
