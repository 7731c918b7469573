"""Batch prediction by its functions: the endpoint's answers, told refusals, and no effect twice."""

import gzip
import io
import json
from typing import Any

import pandas as pd
import pyarrow.parquet as parquet
import pytest

from noria.aws.s3 import Store
from noria.batch import files
from noria.batch.scoring import served_model
from noria.errors import BatchError, RegistryError
from noria.serving import process
from noria.serving.gateway_events import ApiRequest
from noria.serving.prediction import predict
from tests.support import tiny_model
from tests.support.batch_steps import BatchRun
from tests.support.tiny_model import make_champion, write_model

INCOMING = "batch-incoming/day/"
ROWS = [
    {"distance": 1.5, "carrier": "AA", "departure": "2013-01-31T17:00:00Z"},
    {"distance": -2, "carrier": "UA", "departure": None},
    {"distance": 0.1, "carrier": None, "departure": "2013-01-31T18:00:00Z"},
    {"distance": 3, "carrier": "ZZ", "departure": "2013-02-01T00:00:00Z"},
]
GOOD = pd.DataFrame(ROWS).assign(flight=["007", "8", "9", "10"])


@pytest.fixture
def champion(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A stack whose champion is a small binary model, and parts of three rows."""
    monkeypatch.setattr(files, "PART_ROWS", 3)
    monkeypatch.setenv("NORIA_MODEL", "v1")
    monkeypatch.setenv("NORIA_CODE_VERSION", "code")
    for cached in (served_model, process.served):
        cached.cache_clear()
    write_model(store, "v1")
    make_champion(store, "v1")
    return store


def asked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the endpoint answers."""
    body = json.dumps({"rows": rows}).encode()
    reply = predict(ApiRequest("POST", "/predict", body=body), write=lambda lines: None)
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = json.loads(reply.body)["predictions"]
    return found


def answers(store: Store, batch: str) -> pd.DataFrame:
    keys = [key for key in store.keys(f"batch/{batch}/") if key.endswith(".parquet")]
    return pd.concat([pd.read_parquet(io.BytesIO(store.get(key))) for key in keys])


def as_parquet(frame: pd.DataFrame) -> bytes:
    written = io.BytesIO()
    frame.to_parquet(written)
    return written.getvalue()


def as_lines(frame: pd.DataFrame) -> bytes:
    lines = frame.to_json(orient="records", lines=True)
    assert isinstance(lines, str)
    return gzip.compress(lines.encode())


FORMS = {
    "rows.csv": GOOD.to_csv(index=False).encode(),
    "rows.csv.gz": gzip.compress(GOOD.to_csv(index=False, sep=";").encode()),
    "rows.parquet": as_parquet(GOOD),
    "times.parquet": as_parquet(GOOD.assign(departure=pd.to_datetime(GOOD["departure"]))),
    "rows.jsonl.gz": as_lines(GOOD),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_any_form_gets_the_endpoints_answers(champion: Store, name: str) -> None:
    champion.put(f"{INCOMING}{name}", FORMS[name])
    told = BatchRun(champion, "day").to_end()
    counts = {count: told[count] for count in ("files", "rows", "answered", "refused", "parts")}
    assert counts == {"files": 1, "rows": 4, "answered": 4, "refused": 0, "parts": 2}
    found, online = answers(champion, told["batch"]), asked(ROWS)
    assert found["probability"].tolist() == [one["probability"] for one in online]
    assert found["prediction"].tolist() == [one["prediction"] for one in online]
    assert found["error"].isna().all()
    assert list(found.columns) == [*GOOD.columns, "prediction", "probability", "error"]


def test_a_bad_row_is_told_and_costs_no_other(champion: Store) -> None:
    """GIVEN rows of which two cannot be read THEN each has the endpoint's reason, no answer."""
    lines = [
        "flight,distance,carrier,departure",
        "1,1.5,AA,2013-01-31T17:00:00Z",
        "2,much,UA,2013-01-31T17:00:00Z",
        "3,-2,UA,",
        "4,1e39,AA,yesterday",
        "5, 0.1 ,,2013-01-31T18:00:00Z",
    ]
    champion.put(f"{INCOMING}rows.csv", "\n".join(lines).encode())
    told = BatchRun(champion, "day").to_end()
    assert (told["rows"], told["answered"], told["refused"]) == (5, 3, 2)
    found = answers(champion, told["batch"]).reset_index(drop=True)
    assert found["probability"].dropna().tolist() == [
        one["probability"] for one in asked([ROWS[0], ROWS[1], ROWS[2]])
    ]
    assert found.loc[[1, 3], "prediction"].isna().all()
    assert found["error"][1] == "field 'distance': 'much' is not a number: send a number or null"
    assert found["error"][3].startswith("field 'distance': 1e+39 is not a finite 32-bit number")
    manifest = champion.get_json(f"batch/{told['batch']}/manifest.json")
    assert {one["reason"] for one in manifest["counts"]["reasons"]} == set(found["error"].dropna())


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(champion: Store, task: str) -> None:
    write_model(champion, "v2", getattr(tiny_model, f"{task}_signature")())
    make_champion(champion, "v2")
    champion.put(f"{INCOMING}rows.csv", b"distance\n1.5\n3e38\n")
    told = BatchRun(champion, "day").to_end()
    first, second = answers(champion, told["batch"]).to_dict("records")
    if task == "regression":
        assert (first["prediction"], told["refused"]) == (2.25, 1)
        assert second["error"].startswith("has no finite prediction")
    else:
        assert first["prediction"] == "b"
        assert [name for name, _ in first["probabilities"]] == ["a", "b", "c"]
        assert sum(value for _, value in first["probabilities"]) == pytest.approx(1)
        assert first["others"] == 0


def test_a_file_that_is_no_table_costs_no_other(champion: Store) -> None:
    champion.put(f"{INCOMING}a.csv", b"%PDF-1.7 no table")
    champion.put(f"{INCOMING}b.csv", b"distanse,carrier\n1,AA\n")
    champion.put(f"{INCOMING}c.csv", b"distance,error\n1,none\n")
    champion.put(f"{INCOMING}d.csv", b"name\nx\n")
    champion.put(f"{INCOMING}e.csv", b"distance\n1\n")
    champion.put(f"{INCOMING}_SUCCESS", b"")
    told = BatchRun(champion, "day").to_end()
    assert (told["files"], told["unreadable"], told["rows"]) == (5, 4, 1)
    manifest = champion.get_json(f"batch/{told['batch']}/manifest.json")
    reasons = {file["name"]: file.get("unreadable", "") for file in manifest["files"]}
    assert "is a PDF document" in reasons["a.csv"]
    assert "'distanse' (did you mean 'distance'?)" in reasons["b.csv"]
    assert "has a column 'error', as the answers have" in reasons["c.csv"]
    assert "no column that the model reads" in reasons["d.csv"]
    assert reasons["e.csv"] == ""


def test_without_any_table_there_is_nothing_to_answer(champion: Store) -> None:
    champion.put(f"{INCOMING}a.csv", b"%PDF-1.7 no table")
    with pytest.raises(BatchError, match="none of the batch's files can be read"):
        BatchRun(champion, "day").to_end()


def test_every_step_can_be_delivered_twice(champion: Store) -> None:
    champion.put(f"{INCOMING}rows.csv", FORMS["rows.csv"])
    told = BatchRun(champion, "day", calls=2).to_end()
    once = {key: champion.get(key) for key in champion.keys(f"batch/{told['batch']}/")}
    assert len(once) == 3
    assert BatchRun(champion, "day", execution="two").to_end() == {**told, "resumed": 2}
    assert {key: champion.get(key) for key in once} == once


def test_what_is_done_is_not_done_again(champion: Store) -> None:
    """GIVEN a batch that broke off behind its first part THEN another execution does the rest."""
    champion.put(f"{INCOMING}rows.csv", FORMS["rows.csv"])
    broken = BatchRun(champion, "day")
    plan = broken.plan()
    first, _ = champion.get_json(broken.read(plan)["key"])
    broken.answer(plan, first)
    with pytest.raises(BatchError, match=r"1 of 2 parts are not answered \(rows.csv, part 1"):
        broken.finish(plan)
    [done] = champion.objects(f"batch/{plan['batch']}/")
    told = BatchRun(champion, "day", execution="two").to_end()
    assert (told["batch"], told["resumed"], told["rows"]) == (plan["batch"], 1, 4)
    others = champion.objects(f"batch/{plan['batch']}/")
    assert done in others
    assert len(others) == 3


def test_all_files_are_answered_by_the_champion_of_the_plan(champion: Store) -> None:
    champion.put(f"{INCOMING}rows.csv", FORMS["rows.csv"])
    run = BatchRun(champion, "day")
    plan = run.plan()
    write_model(champion, "v2", tiny_model.regression_signature())
    make_champion(champion, "v2")
    for item in champion.get_json(run.read(plan)["key"]):
        run.answer(plan, item)
    told = run.finish(plan)
    assert told["model_version"] == "v1"
    assert answers(champion, told["batch"])["probability"].notna().all()
    later = BatchRun(champion, "day", execution="two").plan()
    assert later["batch"] != plan["batch"]
    assert later["done"] is False


def test_the_manifest_tells_where_answers_come_from(champion: Store) -> None:
    champion.put(f"{INCOMING}rows.csv", FORMS["rows.csv"])
    [listed] = champion.objects(INCOMING)
    told = BatchRun(champion, "day").to_end()
    manifest = champion.get_json(f"batch/{told['batch']}/manifest.json")
    named = {name: manifest[name] for name in ("model_version", "function_version", "source")}
    assert named == {"model_version": "v1", "function_version": "1",
                     "source": f"s3://{champion.bucket}/batch-incoming/day"}  # fmt: skip
    [file] = manifest["files"]
    assert (file["key"], file["etag"], file["bytes"]) == (listed.key, listed.etag, listed.size)
    assert len(file["sha256"]) == 64
    folder = f"batch/{told['batch']}/"
    rows = [parquet.read_metadata(io.BytesIO(champion.get(folder + name))).num_rows
            for name in file["answers"]]  # fmt: skip
    assert rows == [3, 1]


@pytest.mark.parametrize(
    "source", ["s3://another/batch-incoming/x/", "s3://stack-bucket/models/", None, 7]
)
def test_what_is_not_below_the_prefix_is_refused(champion: Store, source: object) -> None:
    run = BatchRun(champion, "")
    run._source = source  # type: ignore[assignment]
    with pytest.raises(BatchError, match="no file or folder below s3://stack-bucket/batch-inco"):
        run.plan()


def test_nothing_there_and_no_model_are_told(
    champion: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BatchError, match=r"there is no file at .*batch-incoming/day"):
        BatchRun(champion, "day").plan()
    champion.put(f"{INCOMING}rows.csv", b"distance\n1\n")
    champion.delete("registry/champion.json")
    with pytest.raises(BatchError, match="there is no model yet"):
        BatchRun(champion, "day").plan()


def test_a_file_that_changes_meanwhile_is_told_by_the_last_step(champion: Store) -> None:
    champion.put(f"{INCOMING}rows.csv", b"distance\n1\n")
    run = BatchRun(champion, "day")
    plan = run.plan()
    champion.put(f"{INCOMING}rows.csv", b"distance\n2\n")
    with pytest.raises(BatchError, match=r"rows.csv was changed since the batch began"):
        run.read(plan)
    with pytest.raises(BatchError, match=r"1 of 1 files were not read .*was changed since"):
        run.finish(plan)


def test_an_altered_model_is_refused(champion: Store) -> None:
    champion.put(f"{INCOMING}rows.csv", b"distance\n1\n")
    run = BatchRun(champion, "day")
    plan = run.plan()
    [item] = champion.get_json(run.read(plan)["key"])
    champion.put("models/v1/model.onnx", b"altered")
    with pytest.raises(RegistryError, match="does not match its checksum"):
        run.answer(plan, item)
