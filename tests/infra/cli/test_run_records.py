"""What a run recorded, read back: ended, waiting, and failed before anything was written."""

import json
from typing import Any

from infra.cli.run_records import Bucket, read_run

VERDICT = {"state": "Transform", "iteration": 0, "decision": "usable", "reasons": ["ok"]}


class NoSuchKeyError(Exception):
    """As S3 says it."""


class FakeS3:
    """The calls of S3 that reading a run makes."""

    class exceptions:  # noqa: N801 - boto3 names it so
        NoSuchKey = NoSuchKeyError

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise NoSuchKeyError(Key)
        content = json.dumps(self.objects[Key]).encode()
        return {"Body": type("Body", (), {"read": lambda _: content})()}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}]


def read(objects: dict[str, Any], **how: Any) -> Any:
    return read_run(Bucket(FakeS3(objects), "b"), "r", **{"waiting_at": None, **how})


def test_a_run_that_ended() -> None:
    champion = {"version": "v1", "run_id": "r", "metrics": {"roc_auc": 0.7}}
    record = read(
        {
            "runs/r/ending.json": {
                "ending": "Promote", "reasons": ["better"], "verdicts": [VERDICT],
                "candidates": [{"candidate": "ridge"}], "champion": champion,
            }
        }
    )  # fmt: skip
    assert record.as_meant
    assert record.champion == champion
    assert record.decisions == [
        {"state": "Transform", "decision": "usable", "reasons": ["ok"], "evidence": {}}
    ]


def test_a_run_that_waits_counts_as_ended() -> None:
    waiting = {"state": "ReevaluateProblem", "token": "t", "reasons": ["no signal"]}
    analysed = VERDICT | {"state": "Analyse", "decision": "reevaluate"}
    objects = {
        "runs/r/waiting.json": waiting,
        "runs/r/verdicts/00-Analyse.json": analysed,
        "runs/r/verdicts/00-Transform.json": VERDICT,
    }
    record = read(objects, waiting_at="ReevaluateProblem")
    assert (record.ending, record.reasons) == ("ReevaluateProblem", ["no signal"])
    assert record.as_meant
    assert [item["state"] for item in record.decisions] == ["Transform", "Analyse"]


def test_a_run_that_recorded_nothing_failed() -> None:
    record = read({}, failed="States.Runtime: no such path")
    assert (record.ending, record.reasons) == ("Failed", ["States.Runtime: no such path"])
    assert not record.as_meant
