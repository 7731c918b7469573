"""The stages of a run up to EvaluateModel, by their handlers and in one process.

A folder answers as S3 and as Glue, so that a run takes a second or two, and what a handler raises
is seen as it is: in the machine it would end the run as a failure.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3

from functions import (
    analyse,
    collect,
    define_problem,
    engineer_features,
    evaluate,
    explore,
    score_holdout,
    search_trials,
    train,
    transform,
)
from noria.aws import clients
from noria.contracts import Problem
from tests.support.memory_bucket import FolderBucket
from tests.support.memory_catalog import FolderCatalogue

CONTEXT = SimpleNamespace(memory_limit_in_mb="10240")
STARTED = "2026-11-24T00:00:00Z"
OUT_OF_MEMORY = {
    "Error": "Runtime.OutOfMemory",
    "Cause": json.dumps({"errorMessage": "RequestId: 1 Error: Runtime exited: signal: killed"}),
}
LONGEST_NAME = 255  # bytes of a column's name in Glue


@dataclass
class Outcome:
    """Where a run in one process stopped, with what it says, and all that it left.

    `objects` are those of the whole bucket, by key.
    """

    state: str
    decision: str
    reasons: list[str]
    answers: dict[str, Any] = field(default_factory=dict)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        """The objects of the model versions, by key."""
        return {key: one for key, one in self.objects.items() if key.startswith("models/")}

    @property
    def sentences(self) -> list[str]:
        """Every reason of every verdict, and those of the last answer."""
        return [*self.reasons, *(one for verdict in self.verdicts for one in verdict["reasons"])]


class StrictCatalogue(FolderCatalogue):
    """Refuses what AWS Glue refuses of a table's columns."""

    def create_table(self, DatabaseName: str, TableInput: dict[str, Any]) -> None:
        """Make a table whose columns Glue would take."""
        columns = TableInput["StorageDescriptor"]["Columns"]
        names = [one["Name"] for one in [*columns, *TableInput.get("PartitionKeys", [])]]
        assert all(1 <= len(name.encode()) <= LONGEST_NAME for name in names), names
        assert not any(mark in name for name in names for mark in "\r\n"), names
        assert len({name.lower() for name in names}) == len(names), names
        super().create_table(DatabaseName, TableInput)


def run_stages(
    contract: Mapping[str, Any],
    files: Mapping[str, tuple[str, bytes]],
    killed: Callable[[Mapping[str, Any]], bool] = lambda trial: False,
) -> Outcome:
    """Run a contract on one file for each source, given as its name and its bytes.

    Trials that are `killed` need more memory than Lambda gives. Raises whatever a stage raises;
    ContractError where the contract is none.
    """
    Problem.parse(contract)
    with _stack(contract) as folder:
        for source, (name, content) in files.items():
            path = folder / "bucket" / "incoming" / source / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        outcome = _run(contract, killed, folder / "bucket")
        verdicts = sorted((folder / "bucket/runs/run/verdicts").glob("*.json"))
        outcome.verdicts = [json.loads(one.read_text()) for one in verdicts]
        bucket = folder / "bucket"
        outcome.objects = {
            one.relative_to(bucket).as_posix(): one.read_bytes()
            for one in bucket.rglob("*")
            if one.is_file()
        }
        return outcome


@contextmanager
def _stack(contract: Mapping[str, Any]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        services = {
            "s3": FolderBucket(folder / "bucket"),
            "glue": StrictCatalogue(folder / "glue"),
        }
        variables = {
            "NORIA_STACK": "one", "NORIA_BUCKET": "bucket", "NORIA_DATABASE": "noria_one",
            "NORIA_PROBLEM": json.dumps(contract),
        }  # fmt: skip
        clients.client.cache_clear()
        with (
            patch.dict("os.environ", variables),
            patch.object(boto3, "client", lambda service, **_: services[service]),
        ):
            yield folder
        clients.client.cache_clear()


def _run(
    contract: Mapping[str, Any], killed: Callable[[Mapping[str, Any]], bool], bucket: Path
) -> Outcome:
    """The machine's way from DefineProblem to EvaluateModel and a final fit, with its choices."""
    answers: dict[str, Any] = {}

    def call(module: Any, state: str, item: Any = None, **more: Any) -> dict[str, Any]:
        event = {"state": state, "execution": "run", "started_at": STARTED, "item": item, **more}
        answer = module.handler({**event, "input": answers}, CONTEXT)
        assert len(json.dumps(answer)) < 8192  # a state carries verdicts and pointers only
        return dict(answer)

    def ended(state: str, answer: Mapping[str, Any]) -> Outcome:
        return Outcome(state, answer["decision"], list(answer["reasons"]), answers)

    def tried(search: Mapping[str, Any]) -> None:
        for trial in json.loads((bucket / search["key"]).read_text()):
            if killed(trial):
                call(search_trials, "TrialFailed", trial, failure=OUT_OF_MEMORY)
            else:
                call(explore, "ExploreModelsItem", trial)

    answers["problem"] = call(define_problem, "DefineProblem")
    names = answers["problem"]["sources"]
    answers["collected"] = [call(collect, "CollectSourcesItem", name) for name in names]
    answers["transform"] = call(transform, "Transform")
    if answers["transform"]["decision"] != "usable":
        return ended("Transform", answers["transform"])
    answers["analyse"] = call(analyse, "Analyse")
    if answers["analyse"]["decision"] == "serve_rule":
        answers = call(train, "ExportRule")
    elif answers["analyse"]["decision"] != "go_on":
        return ended("Analyse", answers["analyse"])
    else:
        answers["features"] = call(engineer_features, "EngineerFeatures")
        while answers.get("judge", {}).get("decision") != "train":
            answers["search"] = call(search_trials, "ProposeTrials")
            tried(answers["search"])
            answers["judge"] = call(search_trials, "JudgeTrials")
        answers["train"] = call(train, "TrainModel")
    answers["score"] = call(score_holdout, "ScoreHoldout")
    answers["evaluate"] = call(evaluate, "EvaluateModel")
    if answers["evaluate"]["challenger"] == "wins" and answers["evaluate"]["final_fit"]:
        answers["refit"] = call(train, "FitAllRows")
        answers["final"] = call(score_holdout, "CheckFinalFit")
    return ended("EvaluateModel", answers["evaluate"])
