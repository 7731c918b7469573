"""History windows all the way: feature store, training, endpoint, and the same numbers in all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from infra.cli import deployed_stack as stack_access
from noria.aws.feature_store import Catalogue, Files
from noria.aws.s3 import Store
from noria.core.data.dataset import Dataset
from noria.feature_store.store import FeatureReference, FeatureStore, open_feature_store
from tests.e2e.stack import Ended, Stack
from tests.support.data_sets import flights_of

pytestmark = pytest.mark.slow
AS_OF = "2013-03-01T12:00:00Z"
WINDOWS = ["delay_today", "late_share", "flown", "idle"]


@pytest.fixture(scope="module")
def trained(stacks: dict[str, Stack]) -> Ended:
    """A run on January and February, as of the first of March."""
    return stacks["airplanes"].run(as_of=AS_OF)


@pytest.fixture
def features(airplanes: Stack) -> Iterator[FeatureStore]:
    client = airplanes.cloud.client
    files = Files(Store(client("s3"), airplanes.bucket))
    catalogue = Catalogue(client("glue"), airplanes.outputs["DatabaseName"])
    with open_feature_store(files, catalogue, threads=1) as opened:
        yield opened


def test_history_is_what_the_second_turn_adds(trained: Ended, airplanes: Stack) -> None:
    """GIVEN flights that tell little of themselves THEN their airplanes' history is what helps."""
    assert trained.ending == "Promote", trained.reasons
    first, second = [v for v in trained.record["verdicts"] if v["state"] == "EngineerFeatures"]
    assert (first["decision"], second["decision"]) == ("basic", "windows")
    champion = json.loads(airplanes.champion())
    described = airplanes.ask("GET", "/model").json()
    assert champion["version"] == described["version"] == trained.versions[-1]
    assert described["run"] == trained.name
    assert set(described["looked_up"]) == set(WINDOWS)
    assert described["looked_up_by"] == ["tailnum", "sched_departure"]
    assert not set(WINDOWS) & {field["name"] for field in described["inputs"]}
    basic = airplanes.json(f"models/{trained.versions[0]}/signature.json")
    assert basic["history"] is None


def test_the_analysis_looks_at_history_too(trained: Ended, airplanes: Stack) -> None:
    analysis = airplanes.json(f"runs/{trained.name}/analysis.json")
    assert {"delay_today", "idle"} <= {one["name"] for one in analysis["columns"]}


def test_training_rows_hold_what_the_store_answers(
    trained: Ended, airplanes: Stack, features: FeatureStore
) -> None:
    expanded = Dataset.from_bytes(airplanes.read(f"runs/{trained.name}/expanded.npz"))
    alone = Dataset.from_bytes(airplanes.read(f"clean/run={trained.name}/dataset.npz"))
    rows = pd.DataFrame(
        {
            "tailnum": pd.array(expanded.data["tailnum"], dtype="string"),
            "prediction_time": pd.to_datetime(expanded.event_time, unit="s", utc=True),
        }
    )
    found = features.historical_features(rows, [FeatureReference("features", WINDOWS)])
    for name in WINDOWS:
        stored = found[name].to_numpy(dtype="float32")
        assert expanded.data[name].tobytes() == stored.tobytes()
        # On a first run nothing can have been late: the analysis saw the same.
        assert alone.data[name].tobytes() == stored.tobytes()


def test_endpoint_looks_up_what_the_store_answers(
    trained: Ended, airplanes: Stack, features: FeatureStore
) -> None:
    """GIVEN requests with an airplane and a time THEN each is answered and logged with history."""
    sample = airplanes.json(f"models/{trained.versions[1]}/sample.json")
    assert len(sample) == 3
    assert all("tailnum" in row and not set(WINDOWS) & set(row) for row in sample)
    instants = pd.date_range(AS_OF, periods=3, freq="2h")
    rows = [
        {**row, "sched_departure": at.isoformat()} for row, at in zip(sample, instants, strict=True)
    ]
    answered = airplanes.ask("POST", "/predict", {"rows": [*rows, {**rows[0], "tailnum": "N0"}]})
    assert answered.status == 200, answered.text
    logged = _logged(airplanes, [one["id"] for one in answered.json()["predictions"]])
    asked = pd.DataFrame(
        {"tailnum": [row["tailnum"] for row in rows], "prediction_time": instants}
    ).astype({"tailnum": "string"})
    stored = features.historical_features(asked, [FeatureReference("features", WINDOWS)])
    assert len(logged) == 4
    for number, inputs in enumerate(logged[:3]):
        for name in WINDOWS:
            wanted = stored[name].iloc[number]
            assert inputs[name] == (None if pd.isna(wanted) else pytest.approx(wanted, rel=1e-7))
    assert stored["late_share"].notna().any()
    unknown = logged[3]
    assert (unknown["flown"], unknown["late_share"]) == (0, None)


def test_the_store_is_brought_up_to_date_between_runs(trained: Ended, airplanes: Stack) -> None:
    """GIVEN flights of the next days WHEN the schedule's input comes THEN answers know of them."""
    champion = airplanes.champion()
    asked = {"dest": "BOS", "distance": 187, "sched_departure": "2013-03-04T12:00:00Z"}
    airplane = "N821JB"
    before = _answered(airplanes, {**asked, "tailnum": airplane})
    more = flights_of(3).query("sched_departure < '2013-03-04'")
    airplanes.drop("flights", more.to_csv(index=False).encode(), "march.csv")
    stored = airplanes.run(only="features", as_of="2013-03-04T12:00:00Z")
    assert stored.ending == "FeaturesStored", stored.reasons
    assert "Analyse" not in stored.states
    known = more[more["arr_delay"].notna()]
    assert stored.reasons.startswith(f"{len(known)} of 6,616 rows were new or changed")
    after = _answered(airplanes, {**asked, "tailnum": airplane})
    assert (before["flown"], before["idle"] > 40) == (0, True)
    latest = known.loc[known["tailnum"] == airplane, "sched_departure"].max()
    last = pd.Timestamp("2013-03-04T12:00Z") - pd.Timestamp(latest)
    assert after["idle"] == pytest.approx(last.total_seconds() / 3600)
    assert airplanes.champion() == champion
    log = airplanes.json("registry/runs.json")
    assert stored.name not in {entry["run_id"] for entry in log}
    left = [key for top in ("clean/", "quarantine/", "raw/flights/") for key in
            airplanes.keys(f"{top}run={stored.name}/")]  # fmt: skip
    assert len(left) > 4
    assert {airplanes.tag(key, "noria") for key in left} == {"passing"}
    kept = f"clean/run={trained.name}/rows.parquet"
    assert airplanes.tag(kept, "noria") is None


def test_a_time_that_has_not_come_is_refused(trained: Ended, airplanes: Stack) -> None:
    """GIVEN a slip of the pen THEN nothing is kept, or forgotten, as of a far year."""
    ended = airplanes.run(only="features", as_of="2213-03-04T12:00:00Z")
    assert ended.status == "FAILED"
    assert "input.as_of: '2213-03-04T12:00:00Z' lies ahead" in ended.reasons


def test_history_has_a_lineage(
    trained: Ended, airplanes: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN a champion that reads history THEN what it was computed from is known by checksum."""
    monkeypatch.setattr(stack_access, "LOCAL_FILE", airplanes.noted_in(tmp_path))
    steps = {step["kind"]: step for step in airplanes.lineage(trained.versions[1])}
    objects = [one for step in steps.values() for one in step["objects"] if one["sha256"]]
    assert {one["state"] for one in objects} == {"same"}
    keys = {one["where"].rpartition("/")[2] for one in objects}
    assert {"expanded.npz", "history.json", "rows.parquet", "plan.json"} <= keys


def test_a_request_that_names_no_airplane_is_told_so(trained: Ended, airplanes: Stack) -> None:
    answered = airplanes.ask("POST", "/predict", {"rows": [{"dest": "BOS", "distance": 187}]})
    assert answered.status == 422
    assert "row 0 has no 'tailnum'" in answered.json()["detail"]


def _answered(stack: Stack, row: dict[str, Any]) -> dict[str, Any]:
    """What the log says of a request."""
    answered = stack.ask("POST", "/predict", {"rows": [row]})
    assert answered.status == 200, answered.text
    [found] = _logged(stack, [one["id"] for one in answered.json()["predictions"]])
    return found


def _logged(stack: Stack, ids: list[str]) -> list[dict[str, Any]]:
    lines = [
        json.loads(line)
        for key in stack.keys("predictions/")
        for line in stack.read(key).splitlines()
    ]
    found = {line["prediction_id"]: line["inputs"] for line in lines}
    return [found[name] for name in ids]


def test_a_model_that_does_without_history_says_so(trained: Ended, airplanes: Stack) -> None:
    """GIVEN an objective that the first recipe meets THEN it is said that no windows are in it."""
    ended = airplanes.run(as_of=AS_OF, problem={"objective": {"threshold": 0.52}})
    assert ended.ending in ("KeepChampion", "Promote"), ended.reasons
    met = ended.decision("EvaluateModel")
    assert met["decision"] == "met"
    assert any("met without the history delay_today" in reason for reason in met["reasons"])
