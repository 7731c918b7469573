"""A person promotes, rolls back and retires versions: each once, with a reason, in no run."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from functions import change_champion
from noria.aws import clients
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.model_registry import VERSIONS, Champion, Registry
from noria.aws.run_lease import LeaseBook
from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins
from noria.core.model.signature import Signature
from noria.errors import RegistryError
from tests.support.endpoint_function import make_endpoint
from tests.support.moto_session import aws_in_process

BUCKET, ENDPOINT = "parcels-bucket", "parcels-endpoint"
PLACE = {"LocationConstraint": "eu-west-1"}
SIGNATURE = Signature(
    problem="parcels", task="binary", target="late", classes=("no", "yes"), columns=(),
    metric="roc_auc", recipe="basic", candidate="ridge", rows=800,
)  # fmt: skip


@pytest.fixture
def registry() -> Iterator[Registry]:
    """Three versions that were judged, of which v1 and then v2 came to serve; v4 was not judged."""
    with aws_in_process():
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=PLACE)
        make_endpoint(ENDPOINT)
        topic = boto3.client("sns").create_topic(Name="people")["TopicArn"]
        variables = {
            "NORIA_STACK": "parcels", "NORIA_BUCKET": BUCKET, "NORIA_TOPIC": topic,
            "NORIA_ENDPOINT_FUNCTION": ENDPOINT,
        }  # fmt: skip
        clients.client.cache_clear()
        with patch.dict("os.environ", variables):
            store = Store(boto3.client("s3"), BUCKET)
            made = Registry(store)
            for name in ("v1", "v2", "v3", "v4"):
                _write(made, store, name)
            for day, name in enumerate(("v1", "v2"), 1):
                made.promote(_champion(name, day))
            VersionPins(store, ENDPOINT, "").pin("1", "v2")
            yield made
        clients.client.cache_clear()


def _write(registry: Registry, store: Store, name: str) -> None:
    lineage = json.dumps({"run": f"run-{name}", "as_of": "2026-01-01T00:00:00+00:00"})
    files = {"model.onnx": name.encode(), "signature.json": SIGNATURE.model_dump_json().encode(),
             "lineage.json": lineage.encode()}  # fmt: skip
    registry.write_version(name, files)
    if name != "v4":
        judged = {"metric": "roc_auc", "metrics": {"roc_auc": 0.7}}
        store.put_json(f"models/{name}/evaluation.json", judged)


def _champion(name: str, day: int) -> Champion:
    at = datetime(2026, 1, day, tzinfo=UTC)
    return Champion(
        version=name, run_id=f"run-{name}", as_of=at, function_version="1", metric="roc_auc",
        metrics={"roc_auc": 0.7}, training_rows=800, promoted_at=at,
    )  # fmt: skip


def change(action: str, version: str = "", call: str = "first-call", **more: str) -> Any:
    event = {"action": action, "version": version, "reason": "it answers better", "token": call}
    return change_champion.handler({**event, "by": "anna", **more}, None)


def served() -> str:
    """The model of the function version that the alias sends everything to."""
    client = boto3.client("lambda")
    live = EndpointFunction(client, ENDPOINT, "live").live_version()
    found = client.get_function_configuration(FunctionName=ENDPOINT, Qualifier=live)
    return str(found["Environment"]["Variables"]["NORIA_MODEL"])


def test_a_version_is_promoted_with_who_and_why(registry: Registry) -> None:
    told = change("promote", "v3")
    assert (told["version"], told["previous"]) == ("v3", "v2")
    champion = registry.champion()
    assert champion is not None
    assert champion.by_hand is not None
    assert (champion.version, champion.run_id) == ("v3", "run-v3")
    assert (champion.by_hand.by, champion.by_hand.reason) == ("anna", "it answers better")
    assert served() == "v3"
    assert [one.version for one in registry.promotions()] == ["v1", "v2", "v3"]


def test_the_same_call_again_changes_nothing(registry: Registry) -> None:
    """GIVEN a reply that was lost THEN the repeated call tells the same and promotes no more."""
    first = change("rollback")
    assert first["version"] == served() == "v1"
    assert change("rollback") == first
    assert len(registry.promotions()) == 3
    # Another call goes back to where it came from: a rollback is a promotion like any other.
    assert change("rollback", call="another-call")["version"] == "v2"
    assert change("rollback") == first  # a delivery that comes late
    assert served() == "v2"
    assert [one.version for one in registry.promotions()] == ["v1", "v2", "v1", "v2"]


def test_a_call_that_broke_off_is_finished_by_its_repetition(registry: Registry) -> None:
    with (
        patch.object(EndpointFunction, "point_to", side_effect=ConnectionError),
        pytest.raises(ConnectionError),
    ):
        change("promote", "v3")
    assert served() != "v3"
    assert change("promote", "v3")["previous"] == "v2"
    assert served() == "v3"


def test_what_is_retired_serves_no_more(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="version 'v2' serves: promote another one"):
        change("retire", "v2")
    change("retire", "v1", reason="its data were wrong")
    with pytest.raises(RegistryError, match=r"v1' was retired \(its data were wrong, by anna\)"):
        change("promote", "v1")
    with pytest.raises(RegistryError, match="no earlier version has served"):
        change("rollback")
    assert registry.versions() == ["v1", "v2", "v3", "v4"]


@pytest.mark.parametrize(
    ("version", "told"),
    [("v2", "serves already"), ("v4", "was never judged"), ("v9", "there are v1, v2, v3, v4"),
     ("", "promote needs a version")],
)  # fmt: skip
def test_what_cannot_serve_is_refused(registry: Registry, version: str, told: str) -> None:
    with pytest.raises(RegistryError, match=told):
        change("promote", version)
    champion = registry.champion()
    assert champion is not None
    assert champion.version == "v2"
    with pytest.raises(RegistryError, match="reason: String should have at least 3"):
        change("promote", "v3", reason="")


def test_a_damaged_artifact_is_refused(registry: Registry) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key="models/v3/model.onnx", Body=b"flipped")
    with pytest.raises(RegistryError, match="does not match its checksum"):
        change("promote", "v3")


def test_nobody_changes_what_a_run_is_about_to_compare_with(registry: Registry) -> None:
    leases = LeaseBook(Store(boto3.client("s3"), BUCKET))
    leases.acquire("run-7", datetime.now(UTC))
    with pytest.raises(RegistryError, match="run 'run-7' is going on"):
        change("promote", "v3")
    leases.release("run-7")
    assert change("promote", "v3")["version"] == "v3"
    assert leases.acquire("run-8", datetime.now(UTC)).holder == "run-8"


@pytest.mark.parametrize("refused", [False, True])
def test_a_change_is_told_to_the_tracking_server(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """GIVEN a contract with MLflow THEN its tracker is called, and may be away."""
    calls: list[dict[str, Any]] = []

    def answer(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        calls.append({"path": params["url_path"], "body": params["body"]})
        if refused:
            raise EndpointConnectionError(endpoint_url="lambda")
        return AWSResponse("", 202, {}, None), {"StatusCode": 202}

    monkeypatch.setenv("NORIA_TRACKER", "parcels-tracker")
    clients.client("lambda").meta.events.register("before-call.lambda.Invoke", answer)
    named = {"v3": {"run_id": "run-v3", "iteration": 1}}
    Store(boto3.client("s3"), BUCKET).put_json(VERSIONS, named)
    change("promote", "v3", call="to-v3-by-hand")
    assert served() == "v3"
    change("promote", "v1", call="to-v1-by-hand")  # of a run that the registry does not know
    change("retire", "v3", call="retire-by-hand")
    assert [json.loads(one["body"]) for one in calls] == [{"run": "run-v3"}] * 2
    assert "parcels-tracker" in calls[0]["path"]
