"""Code and models are deployed into one stack in any order: neither undoes the other."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions import change_champion, promote, publish_challenger, roll_back, shift_canary
from infra.local import Deployed, DeploymentError, LocalCloud
from noria.aws import clients
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.model_registry import CHAMPION, Champion, Registry
from noria.aws.run_lease import LeaseBook
from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins
from noria.lifecycle.champion_agreement import ServedChampion
from tests.local.changed_assembly import Edit, Template, changed_assembly, renamed_version, resource

CONTRACT = {
    "name": "parcels", "statement": "Will it be late?", "task": "binary", "target": "late",
    "sources": [{"name": "parcels", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
    "deployment": {"canary": {"share": 0.1, "minutes": 1}},
}  # fmt: skip
STACK_ID = "one"


def release(memory: int, mark: str | None = None) -> Edit:
    """Another size of the endpoint, as a release has; with `mark` its variables change as well."""

    def edit(template: Template) -> None:
        renamed_version(template, f"{memory}{mark or ''}".replace(".", ""))
        _, function = resource(template, "AWS::Lambda::Function", "Endpoint")
        function["Properties"]["MemorySize"] = memory
        variables = function["Properties"]["Environment"]["Variables"]
        variables |= {"NORIA_MODEL": "champion", "NORIA_CODE_VERSION": mark or "first"}

    return edit


class Lifecycles:
    """The sample's endpoint with a registry, and runs that bring models."""

    def __init__(self, cloud: LocalCloud, stack: Deployed, deploy: Callable[[Edit], None]) -> None:
        self.store = Store(cloud.client("s3"), stack.outputs["BucketName"])
        self.name = stack.outputs["EndpointFunctionName"]
        self.client = cloud.client("lambda")
        self.function = EndpointFunction(self.client, self.name, "live")
        self.pins = VersionPins(self.store, self.name, STACK_ID)
        self.served = ServedChampion(self.function, Registry(self.store), self.pins)
        self._deploy = deploy

    def deploy(self, edit: Edit) -> None:
        """Deploy code; the version that it publishes is asked at once, and so has its model."""
        self._deploy(edit)
        live = self.function.live_version()
        if self.function.model_of(live) in ("", "champion"):
            self.pins.pin(live, self.champion)

    @property
    def champion(self) -> str:
        """The registry's champion."""
        return str(self.store.get_json(CHAMPION)["version"])

    def start(self, version: str) -> None:
        """Let the registry begin with a champion."""
        at = datetime(2026, 1, 1, tzinfo=UTC)
        first = Champion(
            version=version, run_id="first", as_of=at, promoted_at=at, metric="roc_auc",
            function_version=self.function.live_version(), metrics={}, training_rows=1,
        )  # fmt: skip
        self.served.registry.promote(first)
        self.pins.pin(self.function.live_version(), version)

    def live(self) -> tuple[str, int, dict[str, float]]:
        """The model that most traffic gets, by how much memory, and the shares of others."""
        champion = self.served.registry.champion()
        assert champion is not None
        route = self.function.route()
        found = self.client.get_function_configuration(
            FunctionName=self.name, Qualifier=route.version
        )
        seen = self.served.compare(champion)
        return seen.serves, found["MemorySize"], dict(route.shares)

    def canary(self, version: str) -> "Challenge":
        """Bring a model as far as its canary."""
        challenge = Challenge(self, version)
        challenge.step(publish_challenger, "PublishChallenger", "publish")
        challenge.step(shift_canary, "ShiftCanary", "canary")
        return challenge


class Challenge:
    """A run that brings a model, from its publication on."""

    def __init__(self, endpoint: Lifecycles, version: str) -> None:
        self.run = f"run-{version}"
        endpoint.store.put_json(f"runs/{self.run}/problem.json", CONTRACT)
        self.results: dict[str, Any] = {
            "train": {"version": version, "rows": 900}, "score": {"champion": endpoint.champion},
            "evaluate": {"reasons": ["better"], "metrics": {"roc_auc": 0.8}},
        }  # fmt: skip

    def step(self, module: Any, state: str, result: str) -> None:
        """Go through one state."""
        event = {
            "state": state, "execution": self.run, "started_at": "2026-11-24T00:00:00Z",
            "input": self.results,
        }  # fmt: skip
        self.results[result] = module.handler(event, None)


@pytest.fixture
def endpoint(
    cloud: LocalCloud, stack: Deployed, assembly: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lifecycles]:  # fmt: skip
    """The sample with a champion `v1`; in the end it is as it was."""
    count = iter(range(20))

    def deploy(edit: Edit) -> None:
        cloud.deploy(changed_assembly(assembly, tmp_path / f"{next(count)}", edit), "sample")

    monkeypatch.setattr(boto3, "client", lambda service, **_: cloud.client(service))
    clients.client.cache_clear()
    variables = {
        "STACK": "sample", "STACK_ID": STACK_ID, "BUCKET": stack.outputs["BucketName"],
        "TOPIC": stack.outputs["TopicArn"], "NAMESPACE": "Noria/sample",
        "ENDPOINT_FUNCTION": stack.outputs["EndpointFunctionName"],
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(f"NORIA_{name}", value)
    made = Lifecycles(cloud, stack, deploy)
    deploy(release(256))
    made.start("v1")
    yield made
    made.function.point_to(made.function.live_version())
    cloud.deploy(assembly, "sample")
    for key in (*made.store.keys("registry/"), *made.store.keys("runs/")):
        made.store.delete(key)
    clients.client.cache_clear()


def test_a_model_after_code_has_the_code_of_now(endpoint: Lifecycles) -> None:
    endpoint.deploy(release(320, "second"))
    assert endpoint.live() == ("v1", 320, {})
    endpoint.canary("v2").step(promote, "Promote", "ending")
    assert endpoint.live() == ("v2", 320, {})
    assert endpoint.champion == "v2"


@pytest.mark.parametrize("mark", [None, "second"])
def test_code_after_a_model_serves_the_champion(endpoint: Lifecycles, mark: str | None) -> None:
    """GIVEN a release that leaves the variables alone, or not THEN its version follows v2."""
    endpoint.canary("v2").step(promote, "Promote", "ending")
    endpoint.deploy(release(320, mark))
    assert endpoint.function.model_of(endpoint.function.live_version()) == "champion"
    assert endpoint.live() == ("v2", 320, {})


def test_a_refused_challenger_is_never_published_by_a_deployment(endpoint: Lifecycles) -> None:
    """GIVEN a run that died while the function named its model THEN a release names it no more."""
    variables = endpoint.client.get_function_configuration(FunctionName=endpoint.name)
    named = {**variables["Environment"]["Variables"], "NORIA_MODEL": "v9"}
    endpoint.client.update_function_configuration(
        FunctionName=endpoint.name, Environment={"Variables": named}
    )
    endpoint.deploy(release(320, "second"))
    assert endpoint.live() == ("v1", 320, {})


@pytest.mark.parametrize("ending", ["Promote", "RollBack"])
def test_a_deployment_in_the_middle_of_a_canary(endpoint: Lifecycles, ending: str) -> None:
    challenge = endpoint.canary("v2")
    challenger = challenge.results["publish"]["function_version"]
    assert endpoint.live() == ("v1", 256, {challenger: 0.1})
    endpoint.deploy(release(320, "second"))
    assert endpoint.live() == ("v1", 320, {challenger: 0.1})
    challenge.step({"Promote": promote, "RollBack": roll_back}[ending], ending, "ending")
    wanted = {"Promote": "v2", "RollBack": "v1"}[ending]
    assert endpoint.live() == (wanted, 320, {})
    assert endpoint.champion == wanted


def test_a_stacks_rollback_is_mended(endpoint: Lifecycles) -> None:
    """GIVEN a deployment that fails behind a promotion THEN the template's version comes back."""
    endpoint.canary("v2").step(promote, "Promote", "ending")

    def failing(template: Template) -> None:
        release(320, "third")(template)
        live, alias = resource(template, "AWS::Lambda::Alias", "Live")
        given = {**alias["Properties"], "Name": "other", "FunctionVersion": "999"}
        other = {"Type": "AWS::Lambda::Alias", "Properties": given, "DependsOn": [live]}
        template["Resources"]["Other"] = other

    with pytest.raises(DeploymentError):
        endpoint.deploy(failing)
    assert endpoint.live() == ("v1", 256, {})
    assert LeaseBook(endpoint.store).current().holder is None
    tick = {"action": "agree", "reason": "seen by a tick", "by": "the monitor", "token": "20260101"}
    assert change_champion.handler(tick, None)["mended"] is True
    assert endpoint.live() == ("v2", 256, {})


def test_no_change_is_decided_on_what_has_changed_since(endpoint: Lifecycles) -> None:
    """GIVEN a deployment between naming and publishing THEN what is published has its code."""
    moved: list[str] = []

    def deploy_once(**_: Any) -> None:
        if not moved:
            moved.append("now")
            endpoint.client.update_function_configuration(
                FunctionName=endpoint.name, MemorySize=384
            )

    hooks = endpoint.client.meta.events
    hooks.register("before-call.lambda.PublishVersion", deploy_once)
    version = endpoint.function.publish("v7")
    hooks.unregister("before-call.lambda.PublishVersion", deploy_once)
    found = endpoint.client.get_function_configuration(
        FunctionName=endpoint.name, Qualifier=version
    )
    assert (found["MemorySize"], moved) == (384, ["now"])
    assert endpoint.function.latest().follows_champion is True
    assert [one.model for one in endpoint.function.versions()].count("v7") == 1
