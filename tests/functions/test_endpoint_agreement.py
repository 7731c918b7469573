"""The endpoint and the registry agree, or are made to by whoever comes next."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from functions import (
    change_champion,
    promote,
    publish_challenger,
    record_failure,
    roll_back,
    shift_canary,
)
from noria.aws import clients
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.model_registry import Champion, Registry
from noria.aws.run_lease import LeaseBook
from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins
from noria.errors import RegistryError
from noria.lifecycle import champion_watch
from noria.lifecycle.champion_watch import ChampionWatch
from noria.lifecycle.environment import Environment
from noria.lifecycle.old_versions import KEPT
from tests.support.endpoint_function import make_endpoint
from tests.support.moto_session import aws_in_process

BUCKET, ENDPOINT, KEEPER = "parcels-bucket", "parcels-endpoint", "parcels-keeper"
RUN, STARTED = "run-2", "2026-11-24T00:00:00Z"
CONTRACT = {
    "name": "parcels", "statement": "Will it be late?", "task": "binary", "target": "late",
    "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
    "deployment": {"canary": {"share": 0.1, "minutes": 1}},
}  # fmt: skip


def champion_of(version: str, run: str, function_version: str) -> Champion:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Champion(
        version=version, run_id=run, as_of=at, function_version=function_version,
        metric="roc_auc", metrics={"roc_auc": 0.7}, training_rows=800, promoted_at=at,
    )  # fmt: skip


@dataclass
class Endpoint:
    """A stack whose champion v1 serves by function version 1; run-2 brings v2."""

    store: Store
    results: dict[str, Any]

    @property
    def function(self) -> EndpointFunction:
        """The function as it stands."""
        return EndpointFunction(boto3.client("lambda"), ENDPOINT, "live")

    @property
    def registry(self) -> Registry:
        """The registry as it stands."""
        return Registry(self.store)

    @property
    def champion(self) -> str:
        """The registry's champion."""
        found = self.registry.champion()
        assert found is not None
        return found.version

    @property
    def serves(self) -> str:
        """The model that the alias sends most traffic to."""
        pins = VersionPins(self.store, ENDPOINT, "a1b2")
        live = self.function.live_version()
        return pins.model_of(live) or self.function.model_of(live)

    def stage(self, module: Any, state: str) -> dict[str, Any]:
        """Run a stage of run-2."""
        event = {"state": state, "execution": RUN, "started_at": STARTED, "input": self.results}
        return dict(module.handler(event, None))

    def publish(self, *, canary: bool) -> None:
        """Publish the challenger, and give it its share."""
        self.results["publish"] = self.stage(publish_challenger, "PublishChallenger")
        if canary:
            self.results["canary"] = self.stage(shift_canary, "ShiftCanary")

    def deploy(self, memory: int) -> str:
        """Deploy other code, as a stack update does: a version that follows the champion."""
        client = boto3.client("lambda")
        client.update_function_configuration(FunctionName=ENDPOINT, MemorySize=memory)
        version = str(client.publish_version(FunctionName=ENDPOINT)["Version"])
        client.update_alias(FunctionName=ENDPOINT, Name="live", FunctionVersion=version)
        VersionPins(self.store, ENDPOINT, "a1b2").pin(version, self.champion)
        return version

    def look(self) -> tuple[float, list[dict[str, Any]]]:
        """The monitor's look: its metric, and what it asks the keeper."""
        asked: list[dict[str, Any]] = []

        def answer(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
            assert KEEPER in params["url_path"]
            asked.append(json.loads(params["body"]))
            return AWSResponse("", 202, {}, None), {"StatusCode": 202}

        found = self.registry.champion()
        assert found is not None
        hooks = clients.client("lambda").meta.events
        hooks.register("before-call.lambda.Invoke", answer)
        (value,) = ChampionWatch.open(self.store, Environment.read()).look(found).values()
        hooks.unregister("before-call.lambda.Invoke", answer)
        return value, asked

    def told(self) -> list[str]:
        """What people were told since they were last asked."""
        url = boto3.client("sqs").get_queue_url(QueueName="mail")["QueueUrl"]
        found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(one["Body"])["Subject"] for one in found.get("Messages", [])]


@pytest.fixture
def made() -> Iterator[Endpoint]:
    with aws_in_process():
        clients.client.cache_clear()
        place = {"LocationConstraint": "eu-west-1"}
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        make_endpoint(ENDPOINT)
        topic = boto3.client("sns").create_topic(Name="people")["TopicArn"]
        boto3.client("sqs").create_queue(QueueName="mail")
        mail = "arn:aws:sqs:eu-west-1:123456789012:mail"
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=mail)
        variables = {
            "NORIA_STACK": "parcels", "NORIA_STACK_ID": "a1b2", "NORIA_BUCKET": BUCKET,
            "NORIA_TOPIC": topic, "NORIA_ENDPOINT_FUNCTION": ENDPOINT, "NORIA_KEEPER": KEEPER,
        }  # fmt: skip
        with patch.dict("os.environ", variables), patch.object(champion_watch, "PAUSE", 0):
            store = Store(boto3.client("s3"), BUCKET)
            store.put_json(f"runs/{RUN}/problem.json", CONTRACT)
            Registry(store).promote(champion_of("v1", "run-1", "1"))
            VersionPins(store, ENDPOINT, "a1b2").pin("1", "v1")
            results = {
                "train": {"version": "v2", "rows": 900}, "score": {"champion": "v1"},
                "evaluate": {"reasons": ["better"], "metrics": {"roc_auc": 0.8}},
            }  # fmt: skip
            yield Endpoint(store, results)
        clients.client.cache_clear()


def break_off_at_the_alias(made: Endpoint, module: Any, state: str) -> None:
    """Let a stage lose Lambda when it moves the alias."""

    def lost(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="lambda")

    hooks = clients.client("lambda").meta.events
    hooks.register("before-call.lambda.UpdateAlias", lost)
    with pytest.raises(EndpointConnectionError):
        made.stage(module, state)
    hooks.unregister("before-call.lambda.UpdateAlias", lost)


def test_a_challenger_becomes_the_champion(made: Endpoint) -> None:
    made.publish(canary=True)
    assert made.function.route().shares == {made.results["publish"]["function_version"]: 0.1}
    made.stage(promote, "Promote")
    assert (made.champion, made.serves) == ("v2", "v2")
    assert made.function.route().shares == {}
    assert made.look() == (0, [])


def test_the_pointer_moves_first_and_a_repetition_moves_the_alias(made: Endpoint) -> None:
    """GIVEN Lambda away between the two THEN the next delivery goes on, with one promotion."""
    made.publish(canary=False)
    break_off_at_the_alias(made, promote, "Promote")
    assert (made.champion, made.serves) == ("v2", "v1")
    made.stage(promote, "Promote")
    assert (made.champion, made.serves) == ("v2", "v2")
    assert [one.version for one in made.registry.promotions()] == ["v1", "v2"]


def test_a_promotion_that_nobody_remembered_is_remembered(made: Endpoint) -> None:
    made.publish(canary=False)
    made.stage(promote, "Promote")
    made.store.delete("registry/history/v2.json")
    made.stage(promote, "Promote")
    assert [one.version for one in made.registry.promotions()] == ["v1", "v2"]


def test_a_failure_behind_the_pointer_is_mended_where_it_is_recorded(made: Endpoint) -> None:
    made.publish(canary=True)
    break_off_at_the_alias(made, promote, "Promote")
    made.results["failure"] = {"Promote": {"Error": "EndpointConnectionError", "Cause": "lost"}}
    assert made.stage(record_failure, "RecordFailure")["ending"] == "Failed"
    assert (made.champion, made.serves) == ("v2", "v2")
    assert made.function.route().shares == {}


def test_a_failure_before_the_pointer_ends_the_canary(made: Endpoint) -> None:
    made.publish(canary=True)
    made.results["failure"] = {"CheckCanary": {"Error": "States.Timeout", "Cause": "slow"}}
    made.stage(record_failure, "RecordFailure")
    assert (made.champion, made.serves) == ("v1", "v1")
    assert made.function.route().shares == {}


def test_the_monitor_sees_it_tells_people_and_has_it_mended(made: Endpoint) -> None:
    """GIVEN a run that was lost behind the pointer WHEN the monitor ticks THEN v2 serves."""
    made.publish(canary=False)
    break_off_at_the_alias(made, promote, "Promote")
    LeaseBook(made.store).release(RUN)
    value, (asked,) = made.look()
    assert value == 1
    assert "serves version 'v1' by function version 1, but" in asked["reason"]
    answer = change_champion.handler(asked, None)
    assert answer["mended"] is True
    assert (made.champion, made.serves) == ("v2", "v2")
    assert made.told() == ["Noria: the endpoint serves the champion again"]
    assert made.look() == (0, [])
    assert change_champion.handler(asked, None)["mended"] is False
    assert made.told() == []
    assert LeaseBook(made.store).current().holder is None


def test_a_promotion_under_the_monitors_eyes_is_no_mismatch(made: Endpoint) -> None:
    """GIVEN a promotion between the monitor's two readings THEN it reads again and is content."""
    made.publish(canary=False)
    found = made.registry.champion()
    assert found is not None
    made.stage(promote, "Promote")
    watch = ChampionWatch.open(made.store, Environment.read())
    assert watch.look(found) == {"ChampionMismatch": 0}


def test_the_monitor_leaves_a_run_and_its_canary_alone(made: Endpoint) -> None:
    """GIVEN a canary under way THEN nothing is asked, and what is asked late changes nothing."""
    made.publish(canary=True)
    assert made.look() == (0, [])
    break_off_at_the_alias(made, promote, "Promote")
    assert made.look() == (1, [])
    late = {"action": "agree", "reason": "a tick that came late", "by": "m", "token": "20260101"}
    answer = change_champion.handler(late, None)
    assert (answer["mended"], answer["reason"]) == (False, f"run '{RUN}' is going on")
    assert made.function.route().shares != {}


def test_a_canary_of_a_day_keeps_its_lease(made: Endpoint) -> None:
    """GIVEN a canary that takes longer than a lease is believed THEN the lease is as long."""
    canary = {"deployment": {"canary": {"share": 0.1, "minutes": 1440}}}
    made.store.put_json(f"runs/{RUN}/problem.json", CONTRACT | canary)
    made.publish(canary=True)
    lease = LeaseBook(made.store).current()
    assert lease.holder == RUN
    assert lease.is_held(datetime.now(UTC) + timedelta(hours=30))


def test_a_share_that_a_dead_run_left_is_taken_back(made: Endpoint) -> None:
    made.publish(canary=True)
    LeaseBook(made.store).release(RUN)
    value, (asked,) = made.look()
    assert value == 0
    change_champion.handler(asked, None)
    assert made.function.route().shares == {}
    assert made.serves == "v1"


def test_what_a_publication_left_is_put_back(made: Endpoint) -> None:
    variables = {"NORIA_MODEL": "v9"}
    boto3.client("lambda").update_function_configuration(
        FunctionName=ENDPOINT, Environment={"Variables": variables}
    )
    value, (asked,) = made.look()
    assert value == 0
    change_champion.handler(asked, None)
    assert made.function.latest().follows_champion is True
    assert made.function.live_version() == "1"


def test_the_next_stage_mends_before_it_publishes(made: Endpoint) -> None:
    """GIVEN an alias that a stack's rollback has moved THEN the canary runs beside the champion."""
    made.registry.promote(champion_of("v1b", "run-1b", "1"))
    made.results["score"] = {"champion": "v1b"}
    made.publish(canary=True)
    assert made.serves == "v1b"
    assert made.results["publish"]["previous"] == made.function.live_version() != "1"


def test_a_champion_that_came_in_between_is_not_replaced(made: Endpoint) -> None:
    made.publish(canary=True)
    made.registry.promote(champion_of("v1b", "run-1b", "1"))
    with pytest.raises(RegistryError, match="another run promoted a champion while version 'v2'"):
        made.stage(promote, "Promote")
    assert made.champion == "v1b"
    assert made.function.live_version() == "1"


@pytest.mark.parametrize("state", ["Promote", "RollBack"])
def test_code_that_was_deployed_under_a_canary_stays(made: Endpoint, state: str) -> None:
    made.publish(canary=True)
    deployed = made.deploy(memory=512)
    if state == "Promote":
        made.stage(promote, state)
        assert (made.champion, made.serves) == ("v2", "v2")
    else:
        made.stage(roll_back, state)
        assert (made.champion, made.serves) == ("v1", "v1")
        assert made.function.live_version() == deployed
    assert made.function.route().shares == {}
    live = boto3.client("lambda").get_function_configuration(
        FunctionName=ENDPOINT, Qualifier="live"
    )
    assert live["MemorySize"] == 512
    assert made.look() == (0, [])


def test_models_and_code_are_deployed_in_either_order(made: Endpoint) -> None:
    made.deploy(memory=512)
    made.publish(canary=False)
    made.stage(promote, "Promote")
    assert made.serves == "v2"
    deployed = made.deploy(memory=1024)
    assert made.function.model_of(deployed) == "champion"
    assert (made.champion, made.serves) == ("v2", "v2")
    assert made.look() == (0, [])


def test_by_hand_the_version_of_the_registry_is_made_to_serve(made: Endpoint) -> None:
    """GIVEN a version that is champion by the registry alone THEN promoting it makes it serve."""
    made.publish(canary=False)
    break_off_at_the_alias(made, promote, "Promote")
    LeaseBook(made.store).release(RUN)
    call = {"action": "promote", "version": "v2", "reason": "it shall serve", "token": "a-token-1"}
    assert change_champion.handler(call, None)["version"] == "v2"
    assert made.serves == "v2"
    with pytest.raises(RegistryError, match="serves already"):
        change_champion.handler({**call, "token": "a-token-2"}, None)


def test_old_versions_go_with_their_pins(made: Endpoint) -> None:
    """GIVEN many versions THEN the last ten stay, and those that traffic may come to."""
    pins = VersionPins(made.store, ENDPOINT, "a1b2")
    for memory in (256, 320):  # deployments, of which the second is the stack's now
        made.deploy(memory)
    made.function.point_to("1")
    tried = [made.function.publish(f"t{number}") for number in range(KEPT + 2)]
    for number in tried:
        pins.pin(number, "somebody asked")
    made.publish(canary=False)
    left = [one.number for one in made.function.versions()]
    newest = made.results["publish"]["function_version"]
    assert left[:3] == ["1", "2", "3"]
    assert left[3:] == [*tried[-KEPT + 1 :], newest]
    assert pins.model_of(tried[0]) is None
    assert pins.model_of(tried[-1]) == "somebody asked"
    made.publish(canary=False)
    assert [one.number for one in made.function.versions()] == left


def test_what_cannot_be_deleted_holds_nobody_up(
    made: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    def denied(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        refused = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        return AWSResponse("", 403, {}, None), {**refused, "ResponseMetadata": {}}

    for number in range(KEPT + 2):
        made.function.publish(f"t{number}")
    clients.client("lambda").meta.events.register("before-call.lambda.DeleteFunction", denied)
    made.publish(canary=False)
    assert len(made.function.versions()) == KEPT + 4
    assert [one.message for one in caplog.records if "old versions" in one.message]


def test_a_version_that_nobody_asked_is_held_to_the_champion(made: Endpoint) -> None:
    """GIVEN a deployment that was not asked yet THEN a canary beside it cannot change its model."""
    made.function.point_to(made.deploy(memory=512))
    live = made.function.live_version()
    pins = VersionPins(made.store, ENDPOINT, "a1b2")
    pins.forget(live)
    assert made.look() == (0, [])
    made.publish(canary=True)
    assert pins.model_of(live) == "v1"
