"""`noria lineage` on a stack whose run was made by the real handlers, on the wines of Italy."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import boto3
import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from functions import collect, explore, search_trials, train, transform
from infra.cli.main import app
from noria.aws import clients
from noria.aws.firehose_log import PARALLEL_READS
from noria.aws.model_registry import Champion, Registry
from noria.aws.run_folder import RunFolder
from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.features.plan import make_plan
from noria.core.model.answers import Answers
from noria.serving.log_records import label_records, new_ids, prediction_lines
from tests.support import tiny_model
from tests.support.data_sets import wine
from tests.support.moto_session import aws_in_process

STACK, BUCKET, RUN, VERSION = "wine", "wine-bucket", "run-of-wine", "v1"
CONTRACT = {
    "name": STACK, "statement": "Which of three cultivars is this wine?", "task": "multiclass",
    "target": "cultivar", "sources": [{"name": "wine", "kind": "s3", "primary": True}],
    "objective": {"metric": "accuracy", "threshold": 0.6},
    "exploration": {"folds": 3, "candidates": ["logistic_regression"], "trials": 1},
}  # fmt: skip
PROMOTED = datetime(2026, 11, 24, 8, tzinfo=UTC)
TEMPLATE = {
    # No bucket: once a local cloud has been up in this process, its own resources stay in moto.
    "Resources": {
        "Any": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": "any", "Name": "any"},
        }
    },
    "Outputs": {"BucketName": {"Value": BUCKET}, "MonitorFunctionName": {"Value": "monitor"}},
}


class Wine:
    """The stack, its bucket, and the steps of one run."""

    def __init__(self) -> None:
        boto3.client("cloudformation").create_stack(
            StackName=STACK, TemplateBody=json.dumps(TEMPLATE)
        )
        self.s3 = boto3.client("s3")
        place = {"LocationConstraint": "eu-west-1"}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.store = Store(self.s3, BUCKET)
        self.run = RunFolder(self.store, RUN)

    def deploy_monitor(self, contract: dict[str, Any]) -> None:
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole",
                 "Principal": {"Service": "lambda.amazonaws.com"}}  # fmt: skip
        role = boto3.client("iam").create_role(
            RoleName="monitor", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
        )
        variables = {"NORIA_PROBLEM": json.dumps(contract), "NORIA_CODE_VERSION": "newer"}
        boto3.client("lambda").create_function(
            FunctionName="monitor", Runtime="python3.13", Role=role["Role"]["Arn"],
            Handler="functions.monitor.handler", Code={"ZipFile": b"none"},
            Environment={"Variables": variables},
        )  # fmt: skip

    def train(self) -> None:
        """Collect, cleanse, explore one candidate, train it, judge it, promote it."""
        self.store.put("incoming/wine/wine.csv", wine()["wine"].to_csv(index=False).encode())
        self.store.put_json(self.run.key("problem.json"), CONTRACT)
        collected = self.handle(collect, "CollectSources", {}, item="wine")
        self.handle(transform, "Transform", {"collected": [collected]})
        dataset = Dataset.from_bytes(self.store.get(f"clean/run={RUN}/dataset.npz"))
        plan = make_plan(dataset, Problem.parse(CONTRACT), 0)
        self.store.put(
            self.run.iteration_key(1, "plans/basic.json"), plan.model_dump_json().encode()
        )
        turn: dict[str, Any] = {"features": {"iteration": 1, "recipes": ["basic"], "rows": 140}}
        turn["search"] = self.handle(search_trials, "ProposeTrials", turn)
        [trial] = turn["search"]["trials"]
        self.handle(explore, "ExploreModels", turn, item=trial)
        turn["judge"] = self.handle(search_trials, "JudgeTrials", turn)
        self.handle(train, "TrainModel", turn)
        evaluation = {"metric": "accuracy", "metrics": {"accuracy": 0.97}}
        self.store.put_json(f"models/{VERSION}/evaluation.json", evaluation)
        cause = {"kind": "alarm", "alarm": "wine-drift"}
        ending = {"ending": "Promote", "reasons": [], "cause": cause, "as_of": "2026-11-24T07:59"}
        self.run.finish(ending)
        Registry(self.store).promote(
            Champion(
                version=VERSION, run_id=RUN, as_of=PROMOTED, function_version="3",
                metric="accuracy", metrics={"accuracy": 0.97}, training_rows=140,
                promoted_at=PROMOTED,
            )
        )  # fmt: skip

    def handle(self, function: Any, state: str, given: dict[str, Any], item: Any = None) -> Any:
        event = {"state": state, "execution": RUN, "started_at": "2026-11-24T07:59:00Z",
                 "input": given, "item": item}  # fmt: skip
        return function.handler(event, SimpleNamespace(memory_limit_in_mb="3008"))

    def predict(self, at: datetime, folder: datetime | None = None) -> str:
        """Log a prediction of the champion as the endpoint and Firehose do; returns its id."""
        [name] = new_ids(1, at)
        signature = tiny_model.multiclass_signature()
        answers = Answers(signature, np.array([[0.05, 0.9, 0.05]]), ["class_1"])
        lines = prediction_lines([{"alcohol": 12.5}], [name], answers, (VERSION, "3"), at, "Noria")
        self.log("predictions", lines.encode(), folder or at)
        return name

    def log(self, prefix: str, lines: bytes, at: datetime) -> str:
        stamp = f"{prefix}-1-{at:%Y-%m-%d-%H-%M-%S}-39de0cc8-ac3e-4eb3-9c85-2baf5de995ca"
        key = f"{prefix}/{at:%Y/%m/%d/%H}/{stamp}"
        self.store.put(key, lines)
        return key

    def forget(self, key: str) -> None:
        """Delete an object and every version of it."""
        for version in self.s3.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"]:
            self.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version["VersionId"])


@pytest.fixture(scope="module")
def objects() -> dict[str, bytes]:
    """What the run leaves in the bucket, made once."""
    with pytest.MonkeyPatch.context() as patch, aws_in_process():
        patch.setenv("NORIA_BUCKET", BUCKET)
        patch.setenv("NORIA_CODE_VERSION", "older")
        clients.client.cache_clear()
        made = Wine()
        made.train()
        return {key: made.store.get(key) for key in made.store.keys("")}


@pytest.fixture
def stack(objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Wine]:
    monkeypatch.setenv("NORIA_BUCKET", BUCKET)
    monkeypatch.setenv("NORIA_CODE_VERSION", "older")
    with aws_in_process():
        clients.client.cache_clear()
        made = Wine()
        for key, content in objects.items():
            made.store.put(key, content)
        yield made
        clients.client.cache_clear()


def lineage(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, ["lineage", STACK, *arguments])
    assert result.exit_code == status, (result.output, result.exception)
    return result


def document(*arguments: str, status: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lineage(*arguments, "--json", status=status).stdout)
    return found


def step(found: dict[str, Any], kind: str) -> dict[str, Any]:
    chosen: dict[str, Any] = next(item for item in found["steps"] if item["kind"] == kind)
    return chosen


def states(found: dict[str, Any]) -> dict[str, str]:
    """What each object is, by the end of its name."""
    return {item["where"].rpartition("/")[2]: item["state"]
            for one in found["steps"] for item in one["objects"]}  # fmt: skip


def problems(found: dict[str, Any]) -> str:
    return "\n".join(problem for one in found["steps"] for problem in one["problems"])


def test_a_prediction_leads_back_to_its_raw_file(stack: Wine) -> None:
    at = datetime.now(UTC)
    stack.deploy_monitor(CONTRACT | {"objective": {"metric": "accuracy", "threshold": 0.8}})
    name = stack.predict(at)
    stack.log("labels", b"".join(label_records([(name, "class_2")], at)), at)
    found = document(name, "--verify")
    kinds = [one["kind"] for one in found["steps"]]
    assert kinds == ["prediction", "model", "features", "run", "clean", "raw", "contract", "code"]
    prediction = step(found, "prediction")["facts"]
    assert (prediction["inputs"], prediction["label"]) == ({"alcohol": 12.5}, "class_2")
    assert step(found, "run")["facts"]["cause"]["alarm"] == "wine-drift"
    assert step(found, "clean")["facts"]["accepted"] == 178
    [file, _] = step(found, "raw")["objects"]
    assert (file["rows"], file["state"], len(file["sha256"])) == (178, "same", 64)
    noted = ("dataset.npz", "plan.json", "problem.json", "model.onnx", "lineage.json")
    assert {states(found)[one] for one in noted} == {"same"}
    rows = next(o for o in step(found, "clean")["objects"] if o["where"].endswith("rows.parquet"))
    assert (rows["state"], len(rows["sha256"])) == ("same", 64)
    [differing] = step(found, "contract")["facts"]["differs_from_deployed"]
    assert differing == "objective.threshold: 0.6 in the run, 0.8 deployed"
    assert step(found, "code")["facts"] == {"code_version": "older", "deployed": "newer"}
    assert problems(found) == ""


def test_the_champion_is_the_default_and_the_tree_says_it_all(stack: Wine) -> None:
    tree = lineage("--verify").stdout
    assert "├─ model version v1" in tree
    assert "logistic_regression, recipe basic, 140 training rows" in tree
    assert "Transform usable: 178 of 178 rows accepted, 0 quarantined" in tree
    assert "none changed" in tree.splitlines()[-1]
    assert lineage(VERSION, "--verify").stdout == tree
    assert lineage(RUN, "--verify").stdout == tree


def test_what_is_deployed_may_be_unreadable(stack: Wine) -> None:
    result = lineage()
    assert "what is deployed cannot be read" in result.stderr
    assert "└─ code version older" in result.stdout


def test_only_objects_near_the_ids_time_are_read(stack: Wine) -> None:
    at = datetime.now(UTC)
    for minutes in range(1, 60):
        for other in (at - timedelta(minutes=minutes), at + timedelta(minutes=minutes)):
            stack.log("predictions", b'{"prediction_id": "another"}\n', other)
    reads: list[str] = []
    name = stack.predict(at)
    with pytest.MonkeyPatch.context() as patch:
        read = Store.read
        patch.setattr(Store, "read", lambda self, key: (reads.append(key), read(self, key))[1])
        assert step(document(name), "prediction")["facts"]["prediction"] == "class_1"
    assert len([key for key in reads if key.startswith("predictions/")]) <= PARALLEL_READS


def test_a_late_delivery_is_found_by_when_it_was_written(stack: Wine) -> None:
    name = stack.predict(datetime.now(UTC), folder=datetime(2013, 4, 1, tzinfo=UTC))
    assert "prediction" in step(document(name), "prediction")["facts"]


def test_a_prediction_that_is_not_logged_gets_the_champion_of_its_time(stack: Wine) -> None:
    [name] = new_ids(1, PROMOTED + timedelta(minutes=1))
    found = document(name, status=1)
    assert "name the stack that it is of" in problems(found)
    assert step(found, "model")["name"] == VERSION
    [note] = step(found, "prediction")["facts"]["notes"]
    assert "the champion of that time" in note
    [before] = new_ids(1, PROMOTED - timedelta(minutes=1))
    assert [one["kind"] for one in document(before, status=1)["steps"]] == ["prediction"]


def test_an_unknown_id_is_answered_with_the_versions_there_are(stack: Wine) -> None:
    told = lineage("run-of-beer-1", status=2).stderr
    assert "'run-of-beer-1' is no prediction id, no model version and no run" in told
    assert VERSION in told
    assert "end it in .html or .svg" in lineage("--picture", "a.png", status=2).stderr


def test_verify_finds_bytes_that_changed_and_where_the_old_ones_are(stack: Wine) -> None:
    before = stack.s3.head_object(Bucket=BUCKET, Key="incoming/wine/wine.csv")["VersionId"]
    stack.store.put("incoming/wine/wine.csv", b"other,columns\n1,2\n")
    # A file that was replaced by the next month's is no fault.
    found = document("--verify")
    [file, _] = step(found, "raw")["objects"]
    assert (file["state"], file["version"]) == ("replaced", before)
    stack.forget(f"models/{VERSION}/model.onnx")
    stack.store.put(f"models/{VERSION}/model.onnx", b"something else")
    assert states(document())["model.onnx"] == "present"
    changed = document("--verify", status=1)
    assert states(changed)["model.onnx"] == "changed"
    assert f"models/{VERSION}/model.onnx has changed since" in problems(changed)
    assert "this version cannot serve again" in problems(changed)


@pytest.mark.parametrize(
    ("key", "kind", "told"),
    [
        ("incoming/wine/wine.csv", "raw", "again to repeat this run"),
        (f"raw/wine/run={RUN}/rows.parquet", "raw", "a new run collects it again"),
        (f"clean/run={RUN}/dataset.npz", "clean", "start a new run"),
        (f"runs/{RUN}/problem.json", "contract", "no earlier version is kept"),
        (f"runs/{RUN}/collected.json", "raw", "what was collected is not known"),
        (f"models/{VERSION}/manifest.json", "model", "has no manifest"),
        (f"models/{VERSION}/lineage.json", "model", "lineage.json is gone"),
    ],
)
def test_a_missing_link_is_named_and_the_rest_is_shown(
    stack: Wine, key: str, kind: str, told: str
) -> None:
    stack.forget(key)
    found = document(status=1)
    assert told in "\n".join(step(found, kind)["problems"])
    assert len(found["steps"]) == 7
    assert step(found, "clean")["facts"]["accepted"] == 178
    assert problems(found).count(key) <= 1


def test_a_broken_document_is_named_once(stack: Wine) -> None:
    stack.store.put(f"runs/{RUN}/verdicts/00-Transform.json", b"{")
    stack.store.put(f"registry/history/{VERSION}.json", b"[]")
    found = problems(document(status=1))
    assert found.count("is no JSON document any more") == 2


def test_a_deleted_object_whose_version_is_kept_can_be_restored(stack: Wine) -> None:
    stack.s3.delete_object(Bucket=BUCKET, Key=f"runs/{RUN}/problem.json")
    kept = stack.s3.list_object_versions(Bucket=BUCKET, Prefix=f"runs/{RUN}/problem.json")
    found = problems(document(status=1))
    assert f"S3 still has version {kept['Versions'][0]['VersionId']}" in found


def test_a_rule_that_is_served_has_its_lineage_too(stack: Wine) -> None:
    contract = CONTRACT | {"baseline": {"rule": "proline > 755"}}
    stack.store.put_json(f"runs/{RUN}/problem.json", contract)
    stack.handle(train, "ExportRule", {})
    found = document("--verify")
    assert step(found, "model")["facts"]["candidate"] == "rule"
    assert [one["name"] for one in found["steps"][:2]] == [VERSION, "rule"]
    assert (states(found)["dataset.npz"], states(found)["problem.json"]) == ("same", "same")
    assert "plan.json" not in states(found)


def test_what_was_collected_elsewhere_is_not_looked_for(stack: Wine) -> None:
    key = f"runs/{RUN}/collected.json"
    collected = stack.store.get_json(key)
    address = "https://example.org/wine.csv"
    collected["sources"][0]["files"][0]["where"] = address
    stack.store.put_json(key, collected)
    [file, _] = step(document(), "raw")["objects"]
    assert (file["where"], file["state"]) == (address, "elsewhere")
    # That the document itself was changed is found by its checksum.
    assert f"{key} was replaced or deleted" in problems(document("--verify", status=1))


def test_a_stack_without_a_champion(stack: Wine) -> None:
    stack.forget("registry/champion.json")
    assert "has no champion yet: `noria run wine`" in lineage(status=1).stderr
    assert "not the champion now" in lineage(VERSION).stdout


def test_pictures_are_written_and_self_contained(stack: Wine, tmp_path: Path) -> None:
    page, picture = tmp_path / "a.html", tmp_path / "a.svg"
    lineage("--picture", str(page))
    lineage("--picture", str(picture))
    root = ElementTree.parse(picture).getroot()  # noqa: S314 - our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = page.read_text()
    assert VERSION in text
    assert not any(word in text for word in ("<script", "src=", "href=", "http"))
    told = lineage("--picture", str(tmp_path / "none" / "a.svg"), status=2).stderr
    assert "cannot be written" in told
