"""The endpoint of a model with history windows: looked up by key, logged, and refused in words."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import numpy as np
import pytest

from noria.aws.feature_store.dynamodb_online import Latest, OnlineTable
from noria.aws.s3 import Store
from noria.core.model.signature import Field, Signature
from noria.core.windows.lookup_spec import KeyColumn, LookupSpec
from noria.core.windows.tile_codec import pack
from noria.core.windows.tiles import NO_END, EntityRows, WindowAggregation, to_tiles
from noria.serving import process
from tests.functions.test_endpoint import call, store
from tests.functions.test_endpoint import logged as endpoint_log
from tests.support import tiny_model
from tests.support.feature_stack import make_online_table
from tests.support.tiny_model import make_champion, write_model

__all__ = ["store"]
DAY = 86_400
NOON = int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp())
WINDOW = WindowAggregation(name="distance", column="leg", function="sum", over=7 * DAY)
HISTORY = LookupSpec(
    feature_set="features", keys=(KeyColumn(name="plane"),), event_time="departure", delay=3_600,
    windows=(WINDOW,), descriptions={"distance": "sum of leg in the 7d before"},
)  # fmt: skip


def flown(*legs: tuple[int, float]) -> bytes:
    """The history of an airplane that flew legs, by hours before noon."""
    when = np.array([NOON - hours * 3_600 for hours, _ in legs], dtype=np.int64)
    zeros, forever = np.zeros(len(legs), dtype=np.int64), np.full(len(legs), NO_END)
    rows = EntityRows(zeros, when, when + 3_600, forever, np.array([leg for _, leg in legs]))
    return pack({WINDOW.group: to_tiles(rows, WINDOW.tile, 3_600)})


@pytest.fixture
def online(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnlineTable]:
    """A champion whose only number is looked up: P(late) = sigmoid(0.5 * distance)."""
    monkeypatch.setenv("NORIA_DATABASE", "noria_test")
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps({"features": {"windows": [{"as": "distance"}]}}))
    opened = process.online
    opened.cache_clear()
    signature = tiny_model.binary_signature()
    made = signature.model_copy(
        update={"history": HISTORY, "example": {"plane": "N1", "carrier": "AA"}}
    )
    write_model(store, "run-1", made)
    make_champion(store, "run-1")
    make_online_table(boto3.client("dynamodb"), "noria_test_online")
    table = opened()
    table.load("features", [Latest(("N1",), 1, 1, {}, flown((2, 1.5), (30, 2.0)))], at=1)
    yield table
    opened.cache_clear()


def predict(*rows: dict[str, Any]) -> Any:
    return call("POST", "/predict", json={"rows": list(rows)})


def logged(store: Store) -> list[dict[str, Any]]:
    return [record["inputs"] for record in endpoint_log(store, "predictions")]


def test_history_is_looked_up_and_logged(online: OnlineTable, store: Store) -> None:
    rows = [
        {"plane": "N1", "departure": NOON}, {"plane": "N1", "departure": NOON + 6 * DAY},
        {"plane": "N1", "departure": NOON, "distance": -9}, {"plane": "N2", "departure": NOON},
    ]  # fmt: skip
    answer = predict(*rows)
    assert answer.status_code == 200, answer.text
    assert [row["distance"] for row in logged(store)] == [3.5, 1.5, -9, 0]
    found = [one["probability"] for one in answer.json()["predictions"]]
    assert found == pytest.approx([1 / (1 + np.exp(-0.5 * x)) for x in (3.5, 1.5, -9, 0)], rel=1e-5)


def test_without_a_time_it_is_now(online: OnlineTable, store: Store) -> None:
    assert predict({"plane": "N1"}).status_code == 200
    assert logged(store)[0]["distance"] == 0  # all that was flown is long ago


@pytest.mark.parametrize(
    ("row", "remedy"),
    [
        ({"carrier": "AA"}, "row 0 has no 'plane': it names the entity"),
        ({"plane": {}}, "field 'plane': {} names no entity"),
        ({"plane": "N1", "departure": "noon"}, "'noon' is not a time: send ISO 8601"),
        ({"plane": "N1", "plan": 1}, "the model has no field 'plan'"),
    ],
)
def test_bad_rows_are_refused(online: OnlineTable, row: Any, remedy: str) -> None:
    answer = predict(row)
    assert answer.status_code == 422
    assert remedy in answer.json()["detail"]


def test_a_table_that_is_gone_is_a_503(online: OnlineTable) -> None:
    boto3.client("dynamodb").delete_table(TableName="noria_test_online")
    answer = predict({"plane": "N1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "there is no table 'noria_test_online'" in answer.json()["detail"]
    assert predict({"plane": "N1", "distance": 1}).status_code == 200


def test_dynamodb_that_fails_is_a_503_without_its_reason(
    online: OnlineTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down:
        def batch_get_item(self, **_: Any) -> Any:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url="https://inside.example")

    table = OnlineTable(Down(), "noria_test_online", lambda _: None)
    monkeypatch.setattr(process, "online", lambda: table)
    answer = predict({"plane": "N1"})
    assert answer.status_code == 503
    assert "history cannot be read now" in answer.json()["detail"]
    assert "inside.example" not in answer.text


def test_the_model_says_what_it_looks_up(online: OnlineTable) -> None:
    told = call("GET", "/model").json()
    assert told["looked_up"] == HISTORY.descriptions
    assert told["looked_up_by"] == ["plane", "departure"]
    assert [field["name"] for field in told["inputs"]] == ["carrier", "departure"]
    row = call("GET", "/openapi.json").json()["components"]["schemas"]["Row"]
    assert {"plane", "distance", "departure", "carrier"} == set(row["properties"])
    assert 'name="plane"' in call("GET", "/").text


def test_signature_types() -> None:
    """A stored signature with a history is read back as it was."""
    signature = Signature(
        problem="p", task="regression", target="y", metric="r2", recipe="windows", candidate="c",
        columns=(Field(name="distance", kind="number"),), history=HISTORY,
    )  # fmt: skip
    assert Signature.model_validate_json(signature.model_dump_json()) == signature
