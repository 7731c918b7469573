"""`noria features`: what it prints of a real store."""

import json
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from infra.cli.deployed_stack import StackAccess
from infra.cli.main import app
from noria.aws.feature_store import Catalogue, Files
from noria.aws.s3 import Store
from noria.core.feature_store.feature_set import define
from noria.feature_store.store import open_feature_store
from tests.noria.feature_store.test_store import DATABASE, DAY, FEATURES, WINES, measured
from tests.support.stack_bucket import STACK_BUCKET, Serial


@pytest.fixture(autouse=True)
def stack(s3: Serial, bucket: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack with two versions of a set."""
    glue = boto3.client("glue", region_name="eu-west-1")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    narrow = define(**(WINES.model_dump() | {"features": FEATURES[:1]}))
    with open_feature_store(Files(bucket), Catalogue(glue, DATABASE), threads=1) as store:
        store.write(store.register(WINES), measured(), run="first", created=DAY)
        rows = measured(0, 20).drop(columns="magnesium")
        store.write(store.register(narrow), rows, run="second", created=DAY)
    outputs = {"BucketName": STACK_BUCKET, "DatabaseName": DATABASE}
    session = boto3.session.Session(region_name="eu-west-1")
    opened = StackAccess("wines", outputs, session)
    monkeypatch.setattr(StackAccess, "open", lambda name, local: opened)


def told(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["features", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


def test_listing() -> None:
    first, second = (line.split() for line in told("list", "wines").splitlines() if "wines" in line)
    assert "".join(first).split("│")[1:-1] == [
        "wines", "1", "vineyard", "2", "178", "1", "features_wines"
    ]  # fmt: skip
    assert second[-2] == "features_wines_v2"
    assert [one["rows"] for one in json.loads(told("list", "wines", "--json"))] == [178, 20]


def test_describing() -> None:
    text = told("describe", "wines", "wines", "--version", "1")
    for part in ("wines, version 1", "what the laboratory measures", "entity key: vineyard",
                 "178 from 1 run, in 1 file of", "in % vol.", "13.0006", "for 20d"):  # fmt: skip
        assert part in text
    document: dict[str, Any] = json.loads(told("describe", "wines", "wines", "--json"))
    assert document["definition"]["version"] == 2


def test_describing_windows(bucket: Store) -> None:
    """GIVEN a set with history THEN what is computed from it is told beside what it stores."""
    spread = {"name": "spread", "column": "alcohol", "function": "maximum", "over": 86_400,
              "description": "maximum of alcohol in the 1d before"}  # fmt: skip
    glue = boto3.client("glue", region_name="eu-west-1")
    with open_feature_store(Files(bucket), Catalogue(glue, DATABASE), threads=1) as store:
        store.register(define(**(WINES.model_dump() | {"name": "casks", "windows": [spread]})))
    text = told("describe", "wines", "casks")
    assert "spread" in text
    assert "maximum of alcohol in the 1d before" in text


def test_describing_after_a_compaction(bucket: Store) -> None:
    """GIVEN runs whose files became one THEN each is still told, and the latest write."""
    catalogue = Catalogue(boto3.client("glue", region_name="eu-west-1"), DATABASE)
    with open_feature_store(Files(bucket), catalogue, threads=1) as store:
        changed = measured(0, 20, alcohol=1.0)
        store.write(store.feature_set("wines", 1), changed, run="third", created=DAY)
        store.compact("wines", 1)
    text = told("describe", "wines", "wines", "--version", "1")
    assert "rows: 198 from 2 runs, in 1 file of 0.0 MiB" in text
    assert "the latest write: 20 rows of run third" in text
    document = json.loads(told("describe", "wines", "wines", "--version", "1", "--json"))
    assert (document["runs"], document["backfills"]) == (["first", "third"], [])


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2013-04-01", "2013-01-01", "is empty"),
        ("2013-01-01T00:00", "2013-04-01", "has no zone"),
        ("yesterday", "2013-04-01", "from 'yesterday' is no date; write one such as 2013-01-01"),
    ],
)
def test_ranges_that_cannot_be_backfilled(start: str, end: str, said: str) -> None:
    assert said in told("backfill", "wines", "--from", start, "--to", end, code=2)


@pytest.mark.parametrize(
    "command", [["compact"], ["backfill", "--from", "2013-01-01", "--to", "2013-04-01"]]
)
def test_stacks_of_an_earlier_version(command: list[str]) -> None:
    assert "deploy it again" in told(command[0], "wines", *command[1:], code=1)


def test_comparing() -> None:
    text = told("compare", "wines", "1", "2", "--set", "wines")
    assert "removed: magnesium" in text
    assert "readers of version 1 cannot read version 2" in text
    assert "no difference" in told("compare", "wines", "2", "2", "--set", "wines")


def test_what_is_not_there() -> None:
    assert "no feature set 'features'; registered are: wines" in told("describe", "wines", code=1)
    assert "no version 9" in told("describe", "wines", "wines", "--version", "9", code=1)
