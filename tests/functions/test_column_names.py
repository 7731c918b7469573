"""Any header is a column, from Transform through the feature store to a request."""

import io
import json
import re

import boto3
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.rule_model.rule_model import rule_model
from noria.core.training.signatures import signature_of
from noria.core.windows.lookup_spec import LookupSpec
from noria.errors import RequestError
from noria.serving.form_page import render
from noria.serving.openapi import schemas
from noria.serving.requests import parse_rows
from tests.support.examples import examples
from tests.support.feature_stack import features_of
from tests.support.header_data import (
    DATABASE,
    HEADERS,
    TARGET,
    contract_of,
    header_stack,
    stage,
    table_of,
)

GLUE_NAME = re.compile("[\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff\t]+")
DAYS = "20T00:00:00Z", "21T00:00:00Z"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def names_of(store: Store) -> dict[str, str]:
    """What the latest version of the feature set calls each column of the data."""
    with features_of(store, DATABASE) as features:
        columns = features.feature_set("features").columns
    assert len({column.name for column in columns}) == len(columns)
    return {str(column.source_column): column.name for column in columns}


def stored_rows(store: Store, run: str) -> pd.DataFrame:
    """The rows that a run put into the feature store, by the names there."""
    [key] = [key for key in store.keys(f"features/run={run}/") if key.endswith(".parquet")]
    return pd.read_parquet(io.BytesIO(store.get(key)))


def check_requests(store: Store, run: str, frame: pd.DataFrame, used: str) -> None:
    """A training row is a request, alone and in a list; the rule's own model answers it."""
    dataset = Dataset.from_bytes(store.get(f"clean/run={run}/dataset.npz"))
    problem = Problem.parse(store.get_json(f"runs/{run}/problem.json"))
    signature = signature_of(dataset.training, problem, "basic", "ridge", {})
    assert set(signature.names) == set(frame.columns) - {TARGET}
    assert set(schemas(signature)["Row"]["properties"]) == set(signature.names)
    assert "<form" in render("v1", signature, "iam")
    row = frame.drop(columns=TARGET).iloc[0].to_dict()
    for body in ({"rows": [row]}, row):
        [parsed] = parse_rows(json.dumps(body).encode())
        assert parsed == row
    made = rule_model(dataset, problem)
    model = OnnxModel(made.onnx, made.signature)
    for value, answer in ((5.0, "yes"), (-5.0, "no")):
        [asked] = parse_rows(json.dumps({"rows": [{used: value}]}).encode())
        assert model.predict([asked])[0]["prediction"] == answer


def check_store(store: Store, run: str, frame: pd.DataFrame) -> dict[str, str]:
    """Every column has a name of its own in store and catalogue, with its own values there."""
    names = names_of(store)
    assert set(names) == set(frame.columns)
    rows = stored_rows(store, run)
    for column in frame.columns.drop(TARGET):
        assert sorted(rows[names[column]]) == sorted(frame[column])
    glue = boto3.client("glue", region_name="eu-west-1")
    tables = glue.get_tables(DatabaseName=DATABASE)["TableList"]
    described = tables[-1]["StorageDescriptor"]["Columns"]
    for column in described:
        assert len(column["Name"].encode()) <= 255
        assert GLUE_NAME.fullmatch(column["Name"])
        assert re.fullmatch(r"(?:\w|[^\x00-\x7f])+", column["Name"])
        assert len(column.get("Comment", "").encode()) <= 255
        assert not column.get("Comment") or GLUE_NAME.fullmatch(column["Comment"])
    assert len({column["Name"].lower() for column in described}) == len(described)
    return names


def test_every_kind_of_header_is_a_column() -> None:
    """GIVEN all of them in one table THEN each is stored, served, and kept when others come."""
    frame = table_of([name for name in HEADERS if name != "temp"])
    later = table_of(HEADERS)
    with header_stack() as store:
        problem = contract_of(f"{quoted('run')} > 0")
        assert stage(store, DAYS[0], frame, problem)["decision"] == "usable"
        first = check_store(store, DAYS[0], frame)
        assert first["run_value"] == "run_value"
        assert first["order_date"] == "order_date"
        check_requests(store, DAYS[0], frame, "run")
        assert stage(store, DAYS[1], later, problem)["decision"] == "usable"
        second = check_store(store, DAYS[1], later)
        assert {name: second[name] for name in first} == first
        with features_of(store, DATABASE) as features:
            told = features.describe("features")["definition"]
        assert told["version"] == 1
        sources = {column["name"]: column["source_column"] for column in told["features"]}
        assert sources["order_date"] == "order_date"
        assert sources[second["Order Date"]] == "Order Date"


def test_history_by_names_that_the_store_has_for_itself() -> None:
    """GIVEN a key, a time and columns called as the store's THEN windows tell them apart."""
    frame = table_of(["x"], rows=120)
    frame["event_time"] = pd.date_range("2026-10-01", periods=120, freq="4h", tz="UTC")
    frame["prediction_time"], frame["run"] = frame.index % 3, "r"
    frame["Temp"], frame["temp"] = 1.0, 2.0
    frame.loc[0, ["Temp", "temp"]] = [1.5, 2.5]
    window = {"function": "minimum", "over": "7d"}
    windows = [{**window, "column": name, "as": f"least {name}"} for name in ("Temp", "temp")]
    problem = contract_of(
        None, entity_key=["prediction_time", "run"], event_time="event_time",
        features={"windows": windows, "delay": "1h", "refresh": "1h"},
    )  # fmt: skip
    with header_stack() as store:
        assert stage(store, DAYS[0], frame, problem)["decision"] == "usable"
        names = names_of(store)
        assert {names[name] for name in ("prediction_time", "run")}.isdisjoint(frame.columns)
        dataset = Dataset.from_bytes(store.get(f"runs/{DAYS[0]}/expanded.npz"))
    for name, least in (("least Temp", 1.0), ("least temp", 2.0)):
        assert dataset.data[name][-30:].tolist() == [least] * 30


def test_history_is_looked_up_by_times_as_the_source_writes_them() -> None:
    """GIVEN a key and a time in a file's own format THEN its rows are requests as they stand."""
    frame = table_of(["x"], rows=120)
    at = pd.date_range("2026-10-01", periods=120, freq="4h", tz="UTC")
    frame["at"] = at.strftime("%d/%m/%Y %H:%M")
    frame["opened"] = [["13/01/2020", "28/02/2021"][row % 2] for row in range(120)]
    windows = [{"column": "x", "function": "count", "over": "7d", "as": "seen"}]
    problem = contract_of(
        None, entity_key=["opened"], event_time="at", features={"windows": windows, "delay": "1h"}
    )
    with header_stack() as store:
        assert stage(store, DAYS[0], frame, problem)["decision"] == "usable"
        spec = LookupSpec.model_validate_json(store.get(f"runs/{DAYS[0]}/history.json"))
    row = frame.drop(columns=TARGET).iloc[-1].to_dict()
    assert spec.instant_of(0, row, at[0]) == at[-1].timestamp()
    assert spec.instant_of(0, row | {"at": "n/a"}, at[0]) == at[0].timestamp()
    assert spec.key_of(0, row) == ("2021-02-28T00:00:00Z",)
    with pytest.raises(RequestError, match="or a time in the form %d/%m/%Y %H:%M"):
        spec.instant_of(0, row | {"at": "soon"}, at[0])


def test_a_text_that_names_a_column_is_that_column_from_then_on() -> None:
    """GIVEN a name that reads as a difference WHEN the data have it THEN all stages know it."""
    frame = table_of(["x"], rows=120)
    frame["Order-Date"] = pd.date_range("2026-10-01", periods=120, freq="4h", tz="UTC")
    with header_stack() as store:
        problem = contract_of(None, event_time="Order-Date")
        assert stage(store, DAYS[0], frame, problem)["decision"] == "usable"
        kept = Problem.parse(store.get_json(f"runs/{DAYS[0]}/problem.json"))
        assert kept.event_time_column == "Order-Date"
        with features_of(store, DATABASE) as features:
            assert features.feature_set("features").event_time == "Order-Date"
        dataset = Dataset.from_bytes(store.get(f"clean/run={DAYS[0]}/dataset.npz"))
        assert dataset.event_time is not None


header = st.one_of(
    st.sampled_from(HEADERS),
    st.text(min_size=1, max_size=12),
    st.text("aAäÄeE\u0301\u0308 _.-\"'", min_size=1, max_size=4),
    st.text("问ж", min_size=80, max_size=300),
).filter(lambda name: name.strip() == name and name != TARGET and "\x00" not in name)


@examples(20, suppress_health_check=[HealthCheck.too_slow])
@given(headers=st.lists(header, min_size=2, max_size=6, unique=True))
def test_any_headers_are_columns(headers: list[str]) -> None:
    frame = table_of(headers)
    with header_stack() as store:
        problem = contract_of(f"{quoted(headers[0])} > 0")
        assert stage(store, DAYS[0], frame, problem)["decision"] == "usable"
        check_store(store, DAYS[0], frame)
        check_requests(store, DAYS[0], frame, headers[0])
