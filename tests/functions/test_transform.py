"""Transform: what it writes, what it refuses, and what changed since the last run."""

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions import transform
from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.core.cleansing.quality_gate import too_large

ROWS = pd.DataFrame({"y": [0, 1] * 60, "x": [float(n % 17) for n in range(120)]}).assign(
    city=["Rome", "Oslo", "Bern"] * 40
)
CONTRACT: dict[str, Any] = {
    "name": "places", "statement": "Which of two kinds of place is this one?", "task": "binary",
    "target": "y", "objective": {"metric": "accuracy", "threshold": 0.9},
    "sources": [{"name": "places", "kind": "s3", "primary": True}],
}  # fmt: skip


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def run(store: Store, name: str, frame: pd.DataFrame = ROWS, **quality: Any) -> dict[str, Any]:
    """Hand a collected table to Transform, as CollectSources leaves it; `notes` are its file's."""
    files = [{"name": "places.xlsx", "notes": quality.pop("notes", [])}]
    read = {name: quality.pop(name) for name in ("drift", "left_out") if name in quality}
    contract = CONTRACT | {"features": {"exclude": quality.pop("exclude", [])}}
    scaling = {"lambda_rows": quality.pop("lambda_rows", 5000)}
    store.put_json(f"runs/{name}/problem.json", contract | {"quality": quality, "scaling": scaling})
    schema = {str(column): str(kind) for column, kind in frame.dtypes.items()}
    folder = f"raw/places/run={name}/"
    store.put(f"{folder}rows.parquet", parquet(frame))
    provenance = {"source": "places", "rows": len(frame), "schema": schema, "files": files} | read
    store.put_json(f"{folder}provenance.json", provenance)
    event = {
        "state": "Transform", "execution": name, "started_at": "2026-11-24T00:00:00Z",
        "input": {"collected": [{"source": "places", "rows": len(frame)}]},
    }  # fmt: skip
    return transform.handler(event, SimpleNamespace(memory_limit_in_mb="10240"))


def verdict(store: Store, name: str) -> dict[str, Any]:
    found: dict[str, Any] = store.get_json(f"runs/{name}/verdicts/00-Transform.json")
    return found


def read(store: Store, key: str) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(store.get(key)))


def test_rows_in_are_rows_out_and_quarantined(store: Store) -> None:
    frame = ROWS.copy()
    frame.loc[3, "city"] = "Atlantis"
    frame.loc[5, "x"] = 1e6
    told = run(store, "r1", frame, columns={"city": {"allowed": ["Rome", "Oslo", "Bern"]}})
    assert (told["decision"], told["rows"], told["quarantined"]) == ("usable", 119, 1)
    clean, bad = (
        read(store, "clean/run=r1/rows.parquet"),
        read(store, "quarantine/run=r1/rows.parquet"),
    )
    assert len(clean) + len(bad) == len(frame)
    assert bad["broken_rule"].tolist() == ["city is not one of Rome, Oslo, Bern"]
    flagged = read(store, "clean/run=r1/outliers.parquet")
    assert flagged.to_dict("records") == [{"row": 4, "column": "x", "value": 1e6}]


def test_its_log_line_counts_the_rows(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(store, "r1", ROWS.assign(y=[None, *ROWS["y"][1:]]))
    (record,) = [record for record in caplog.records if record.name == "functions.transform"]
    found = record.__dict__
    assert record.getMessage() == "Transform ended"
    assert (found["run"], found["decision"]) == ("r1", "usable")
    assert (found["rows_in"], found["rows_out"]) == (120, 119)


def test_what_was_noticed_while_files_were_read_is_told(store: Store) -> None:
    note = "3 cells of column 'x' hold an error (#N/A) and count as missing"
    assert run(store, "r1", notes=[note, note])["decision"] == "usable"
    told = verdict(store, "r1")["reasons"]
    assert told.count(f"Source 'places': {note}") == 1


def test_a_schema_that_drifted_is_named_column_by_column(store: Store) -> None:
    assert run(store, "r1")["decision"] == "usable"
    assert verdict(store, "r1")["evidence"]["schema_drift"] == []
    changed = ROWS.rename(columns={"city": "town"}).assign(x=ROWS["x"].astype(int).astype(str))
    run(store, "r2", changed)
    drift = verdict(store, "r2")["evidence"]["schema_drift"]
    assert drift == [
        "source 'places': column 'city' (str) is gone",
        "source 'places': column 'town' (str) is new",
        "source 'places': column 'x' was float64 and is str",
    ]
    assert drift[0] in verdict(store, "r2")["reasons"]
    run(store, "r2", changed)  # delivered again
    assert verdict(store, "r2")["evidence"]["schema_drift"] == drift
    run(store, "r3", changed)
    assert verdict(store, "r3")["evidence"]["schema_drift"] == []


def test_unusable_data_does_not_become_the_schema(store: Store) -> None:
    run(store, "r1")
    assert run(store, "r2", ROWS.drop(columns="x").head(20))["decision"] == "unusable"
    run(store, "r3")
    assert verdict(store, "r3")["evidence"]["schema_drift"] == []


def test_the_contract_may_refuse_a_drifted_schema(store: Store) -> None:
    run(store, "r1")
    told = run(store, "r2", ROWS.assign(extra=np.arange(120)), schema_drift="fail")
    assert told["decision"] == "unusable"
    assert told["reasons"][0].startswith("quality.schema_drift is fail")
    assert "column 'extra' (int64) is new" in told["reasons"][1]
    assert not store.keys("clean/run=r2/")


def test_files_of_other_columns_are_told_as_schema_drift(store: Store) -> None:
    told = "2.csv also has town (beside 1.csv): missing where a file has it not"
    assert run(store, "r1", drift=[told])["decision"] == "usable"
    assert verdict(store, "r1")["evidence"]["schema_drift"] == [f"source 'places': {told}"]
    refused = run(store, "r2", drift=[told], schema_drift="fail")
    assert refused["decision"] == "unusable"
    assert refused["reasons"][1] == f"source 'places': {told}"


def test_columns_that_cannot_be_read_are_known_where_they_are_excluded(store: Store) -> None:
    assert run(store, "r1", left_out=["tags"], exclude=["tags"])["decision"] == "usable"
    assert any("not read: tags" in reason for reason in verdict(store, "r1")["reasons"])
    assert run(store, "r2", left_out=["tags"], exclude=["tag"])["decision"] == "unusable"


def test_more_rows_than_a_lambda_takes_are_refused_early(store: Store) -> None:
    told = run(store, "r1", pd.concat([ROWS] * 10), lambda_rows=1000)
    assert told["decision"] == "unusable"
    assert told["reasons"] == [
        "1,200 rows were collected, and a function of 10,240 MB takes 1,000 (scaling.lambda_rows "
        "1,000 at 10,240 MB): filter or sample the sources"
    ]


def test_less_memory_takes_fewer_rows() -> None:
    contract = Problem.parse(CONTRACT)
    assert too_large(1_000_000, contract, 3008) == []
    assert "set scaling.memory to 10,240" in too_large(1_200_000, contract, 3008)[0]
    assert too_large(1_200_000, contract, 10_240) == []


def test_equal_deliveries_write_equal_bytes(store: Store) -> None:
    def written() -> dict[str, bytes]:
        return {key: store.get(key) for key in store.keys("clean/") + store.keys("quarantine/")}

    first = run(store, "r1")
    before = written()
    assert run(store, "r1") == first
    assert written() == before
    assert json.loads(before["clean/schemas.json"])["run"] == "r1"
