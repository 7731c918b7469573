"""`noria features`: what it prints of a real store."""

import json
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.commands.stacks import StackAccess
from noria.aws.feature_store import Catalogue, Files
from noria.aws.storage import Store
from noria.core.feature_sets import define
from noria.feature_store import open_feature_store
from tests.functions.conftest import STACK_BUCKET, Serial
from tests.functions.test_feature_store import DATABASE, DAY, FEATURES, WINES, measured


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
                 "178 from 1 runs", "in % vol.", "13.0006", "for 20d"):  # fmt: skip
        assert part in text
    document: dict[str, Any] = json.loads(told("describe", "wines", "wines", "--json"))
    assert document["definition"]["version"] == 2


def test_comparing() -> None:
    text = told("compare", "wines", "1", "2", "--set", "wines")
    assert "removed: magnesium" in text
    assert "readers of version 1 cannot read version 2" in text
    assert "no difference" in told("compare", "wines", "2", "2", "--set", "wines")


def test_what_is_not_there() -> None:
    assert "no feature set 'features'; registered are: wines" in told("describe", "wines", code=1)
    assert "no version 9" in told("describe", "wines", "wines", "--version", "9", code=1)
