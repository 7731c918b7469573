"""Batches by a model with history windows: looked up as the endpoint does, as of the plan."""

import io
import json

import pandas as pd
import pytest

from noria.aws.feature_store.dynamodb_online import OnlineTable
from noria.aws.s3 import Store
from noria.batch.scoring import served_model
from tests.functions.test_endpoint_history import DAY, NOON, online, predict, store
from tests.support.batch_steps import BatchRun

__all__ = ["online", "store"]


@pytest.fixture(autouse=True)
def unloaded() -> None:
    """No model of another test."""
    served_model.cache_clear()


def test_histories_are_looked_up_row_by_row(online: OnlineTable, store: Store) -> None:
    """GIVEN rows with and without an entity, a window of their own and a readable time."""
    rows = [
        {"plane": "N1", "departure": NOON, "row": 0},
        {"plane": "N1", "departure": NOON + 6 * DAY, "row": 1},
        {"plane": "N2", "departure": NOON, "row": 2},
        {"plane": None, "departure": NOON, "row": 3},
        {"plane": "N1", "departure": None, "row": 4},
    ]
    lines = "\n".join(json.dumps(row) for row in rows)
    store.put("batch-incoming/a/rows.jsonl", lines.encode())
    told = BatchRun(store, "a").to_end()
    [key] = [key for key in store.keys(f"batch/{told['batch']}/") if key.endswith(".parquet")]
    found = pd.read_parquet(io.BytesIO(store.get(key)))
    asked = [{name: row[name] for name in ("plane", "departure")} for row in rows]
    answer = predict(*asked)
    assert answer.status_code == 200, answer.text
    assert found["probability"].tolist() == [
        one["probability"] for one in answer.json()["predictions"]
    ]
    assert found["row"].tolist() == [row["row"] for row in rows]
    assert found["probability"].nunique() > 2


def test_an_entity_that_is_not_named_at_all_is_refused(online: OnlineTable, store: Store) -> None:
    store.put("batch-incoming/a/rows.csv", b"carrier,departure\nAA,noon\n")
    told = BatchRun(store, "a").to_end()
    assert (told["rows"], told["refused"]) == (1, 1)
    manifest = store.get_json(f"batch/{told['batch']}/manifest.json")
    [reason] = manifest["counts"]["reasons"]
    assert reason["reason"].startswith("has no 'plane': it names the entity")
