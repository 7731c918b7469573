"""`noria predict --batch` on a running stack: broken off half-way, taken up again, and fetched."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from infra.cli import batch
from infra.cli import deployed_stack as stack_access
from infra.cli.main import app
from tests.e2e.stack import Stack
from tests.support.data_sets import SETS
from tests.support.denied_writes import writes_denied

pytestmark = pytest.mark.slow
BAD = [3, 17]  # rows of the CSV file


@pytest.fixture
def trained(diabetes: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack with a champion, which commands with --local find."""
    if not diabetes.keys("registry/champion.json"):
        assert diabetes.run().ending == "Promote"
    monkeypatch.setattr(stack_access, "LOCAL_FILE", diabetes.noted_in(tmp_path))
    monkeypatch.setattr(batch, "POLL_SECONDS", 0.1)
    return diabetes


@pytest.fixture
def patients() -> pd.DataFrame:
    """Rows of the training file without its target."""
    return SETS["diabetes"]()["patients"].drop(columns="progression")


@pytest.fixture
def folder(tmp_path: Path, patients: pd.DataFrame) -> Path:
    """Three files, each in a form of its own: two rows cannot be read, a column is not there."""
    made = tmp_path / "files"
    made.mkdir()
    spoilt = patients[:100].assign(bmi=patients["bmi"][:100].astype(str))
    spoilt.loc[BAD, "bmi"] = "heavy"
    spoilt.to_csv(made / "a.csv", index=False)
    patients[100:200].to_parquet(made / "b.parquet", index=False)
    lines = patients[200:300].drop(columns="s6").to_json(orient="records", lines=True)
    (made / "c.jsonl.gz").write_bytes(gzip.compress(str(lines).encode()))
    return made


def predict(stack: Stack, *arguments: str, code: int = 0) -> Result:
    command = ["predict", stack.name, "--local", *arguments]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert result.exit_code == code, (result.output, result.exception)
    return result


@contextmanager
def without_second_file(stack: Stack) -> Iterator[None]:
    """The function may not say that the second file's part is answered."""
    functions = stack.cloud.client("lambda").get_paginator("list_functions").paginate()
    [role] = [
        function["Role"] for page in functions for function in page["Functions"]
        if function["Handler"] == "functions.batch_files.handler"
        and function["Environment"]["Variables"]["NORIA_STACK"] == stack.name
    ]  # fmt: skip
    objects = f"{stack.bucket}/batch-work/*/counts/00001-00000.json"
    with writes_denied(stack.cloud.client("iam"), role, objects):
        yield


def online(stack: Stack, rows: pd.DataFrame) -> list[Any]:
    """What the endpoint answers to the same rows."""
    answer = stack.ask("POST", "/predict", {"rows": json.loads(rows.to_json(orient="records"))})
    assert answer.status == 200, answer.body
    return [(one["prediction"], one.get("interval")) for one in answer.json()["predictions"]]


def in_batch(rows: pd.DataFrame) -> list[Any]:
    ends = {"interval_low", "interval_high"} <= set(rows.columns)
    return [
        (one["prediction"], [one["interval_low"], one["interval_high"]] if ends else None)
        for one in rows.to_dict("records")
    ]


def test_files_are_answered_as_the_endpoint_answers(
    trained: Stack, folder: Path, patients: pd.DataFrame, tmp_path: Path
) -> None:
    with without_second_file(trained):
        broken = predict(trained, "--batch", str(folder), code=1)
    assert "1 of 3 parts are not answered (b.parquet, part 0" in broken.stdout
    before = {key: trained.read(key) for key in trained.keys("batch/") if "00001" not in key}
    assert len(before) == 2

    resumed = predict(trained, "--batch", str(folder), "--output", str(tmp_path / "out"))
    assert "3 of 3 parts answered" in resumed.stdout
    assert "300 rows: 298 answered by model" in resumed.stdout
    assert "2 refused, in 3 parts; 2 of them before" in resumed.stdout
    assert "c.jsonl.gz lacks s6: its rows were answered without" in resumed.stdout
    assert {key: trained.read(key) for key in before} == before

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["model_version"] == json.loads(trained.champion())["version"]
    assert [file["name"] for file in manifest["files"]] == ["a.csv", "b.parquet", "c.jsonl.gz"]
    first, second, third = (
        pd.read_parquet(tmp_path / "out" / name)
        for file in manifest["files"] for name in file["answers"]
    )  # fmt: skip
    assert first["error"].dropna().index.tolist() == BAD
    assert set(first["error"].dropna()) == {
        "field 'bmi': 'heavy' is not a number: send a number or null"
    }
    good = patients[:100].drop(index=BAD)
    assert in_batch(first.drop(index=BAD)) == online(trained, good)
    assert in_batch(second) == online(trained, patients[100:200])
    assert in_batch(third) == online(trained, patients[200:300].drop(columns="s6"))
    assert second[[*patients.columns]].equals(patients[100:200].reset_index(drop=True))

    other = tmp_path / "other"
    other.mkdir()
    (other / "part-00000-00000.parquet").write_bytes(b"of another day")
    mixed = predict(trained, "--batch", str(folder), "--output", str(other), code=2)
    assert "holds answers of a download that broke off: empty it" in mixed.output

    again = predict(trained, "--batch", str(folder), "--json")
    told = json.loads(again.stdout)
    assert (told["parts"], told["resumed"], told["refused"]) == (3, 3, 2)
    refused = [call for call in trained.cloud.access.calls
               if not call.allowed and "Batch" in call.role]  # fmt: skip
    assert {call.resource.rpartition("/")[2] for call in refused} <= {"00001-00000.json"}


def test_another_bucket_is_refused_with_what_to_do(trained: Stack) -> None:
    told = predict(trained, "--batch", "s3://elsewhere/rows/", code=2).output
    assert f"the stack reads below s3://{trained.bucket}/batch-incoming/ only" in told
