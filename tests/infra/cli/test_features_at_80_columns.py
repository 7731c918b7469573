"""`noria features` on a narrow terminal, and compaction as a person asks for it."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from functions import backfill
from infra.cli.deployed_stack import StackAccess
from infra.cli.main import app
from noria.aws.s3 import Store
from tests.noria.feature_store.test_store import DATABASE, DAY, WINES, measured
from tests.support.feature_stack import feature_stack, features_of
from tests.support.stack_bucket import Serial

STYLE = re.compile(r"\x1b\[[0-9;]*m")
SENTENCE = "what the laboratory measures of each bottle, in grams per litre of the wine as sold"

CONTRACT: dict[str, Any] = {
    "name": "wines", "statement": "Which cultivar is this wine?", "task": "multiclass",
    "target": "cultivar", "sources": [{"name": "wines", "kind": "s3", "primary": True}],
    "objective": {"metric": "accuracy", "threshold": 0.9},
}  # fmt: skip


class Lambdas:
    """Lambda's client, whose function is run here."""

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:
        answer = backfill.handler(json.loads(Payload), None)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


class Session:
    """A session whose only client of its own is Lambda's."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def client(self, service: str, **options: Any) -> Any:
        return Lambdas() if service == "lambda" else self._session.client(service, **options)


@pytest.fixture
def store(s3: Serial, bucket: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A stack with one set, whose rows three runs brought."""
    with feature_stack(bucket, monkeypatch, DATABASE) as store:
        described = [
            feature.model_dump() | {"description": SENTENCE} for feature in WINES.features
        ]  # fmt: skip
        definition = WINES.model_copy(
            update={"features": tuple(type(WINES.features[0])(**one) for one in described)}
        )
        with features_of(store, DATABASE) as features:
            one = features.register(definition)
            for number in range(3):
                features.write(one, measured(number * 20, number * 20 + 20), run=f"run-{number}",
                               created=DAY)  # fmt: skip
        outputs = {"BucketName": store.bucket, "DatabaseName": DATABASE,
                   "BackfillFunctionName": "backfill"}  # fmt: skip
        session = Session(boto3.session.Session(region_name="eu-west-1"))
        opened = StackAccess("wines", outputs, session)
        monkeypatch.setattr(StackAccess, "open", lambda name, local: opened)
        monkeypatch.setenv("NORIA_PROBLEM", json.dumps(CONTRACT))
        yield store


def shown(*arguments: str, width: int) -> list[str]:
    wide = {"COLUMNS": str(width), "FORCE_COLOR": "1"}
    result = CliRunner().invoke(app, ["features", *arguments], env=wide)
    assert result.exit_code == 0, result.output
    return [STYLE.sub("", line).rstrip() for line in result.stdout.splitlines()]


@pytest.mark.parametrize("width", [200, 80, 60])
def test_names_and_numbers_are_never_folded(store: Store, width: int) -> None:
    """GIVEN a width THEN each feature is on one row with whole cells, and no line is wider."""
    lines = shown("describe", "wines", "wines", width=width)
    table = [line.split("│")[1:-1] for line in lines if line.startswith("│")]
    names = [row[0].strip() for row in table if row[0].strip()]
    assert [name for name in names if name in {one.name for one in WINES.features}] == [
        one.name for one in WINES.features
    ]  # fmt: skip
    drawn = [line for line in lines if line[:1] in "┏┡│└"]
    assert drawn
    assert max(map(len, drawn)) <= width
    words = " ".join(row[-1].strip() for row in table)
    assert SENTENCE in " ".join(words.split())
    meaning = max(len(row[-1]) for row in table)
    assert meaning >= 24  # a sentence is read in lines, not in syllables


def test_what_is_not_shown_is_named(store: Store) -> None:
    assert any(
        line.startswith("not shown for want of width: ")
        for line in shown("describe", "wines", "wines", width=80)
    )
    assert not any("not shown" in line for line in shown("describe", "wines", "wines", width=200))


def test_a_second_compaction_says_that_there_was_nothing_to_do(store: Store) -> None:
    [first] = shown("compact", "wines", width=80)
    assert re.match(r"features_wines: 3 files are 1 now; \d+ objects will be deleted", first)
    assert shown("compact", "wines", width=80) == [
        "features_wines: nothing to do; it has 1 file"
    ]  # fmt: skip
    again = json.loads("\n".join(shown("compact", "wines", "--json", width=80)))
    assert again == [
        {"table": "features_wines", "files_before": 1, "files": 1, "superseded": 0}
    ]  # fmt: skip


def test_one_file_is_one_file(store: Store) -> None:
    shown("compact", "wines", width=80)
    text = "\n".join(shown("describe", "wines", "wines", width=120))
    assert "rows: 60 from 3 runs, in 1 file of " in text
    assert "the latest write: 20 rows of run run-2" in text
