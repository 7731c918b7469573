"""A champion that a person chooses: promoted, rolled back to, or retired, with a reason.

The monitor has the endpoint agree with the registry again by the same way.

The registry's pointer moves by compare and swap and holds the token of the call. A call that is
repeated, as after a lost reply, goes on where the first one stopped and has no second effect.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from noria.aws.clients import client
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.model_registry import ByHand, Champion, Registry
from noria.aws.run_lease import LeaseBook
from noria.aws.s3 import Store
from noria.aws.sns import Topic
from noria.core.model.signature import Signature
from noria.errors import RegistryError
from noria.lifecycle.champion_agreement import ServedChampion
from noria.lifecycle.environment import Environment, parse_time
from noria.lifecycle.old_versions import delete_old_versions

#: How long the lease is believed where a call dies: publishing a version takes a minute at most.
LEASE = timedelta(minutes=15)


class Change(BaseModel):
    """What is asked for: `version` is the one to promote or retire; a rollback finds it itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["promote", "rollback", "retire", "agree"]
    version: str = ""
    reason: str = Field(min_length=3, max_length=1000)
    by: str = "a person"
    token: str = Field(min_length=8, max_length=64)

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "Change":
        """Read an event; RegistryError that names what is wrong with it."""
        try:
            found = cls.model_validate(event)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise RegistryError(f"{field}: {first['msg']}; give action, reason and token") from None
        if found.action in ("promote", "retire") and not found.version:
            raise RegistryError(f"{found.action} needs a version; `noria models list` shows them")
        return found


@dataclass(frozen=True)
class ChampionChange:
    """A change at a moment, with what it is made on."""

    change: Change
    now: datetime
    registry: Registry
    leases: LeaseBook
    served: ServedChampion
    topic: Topic
    tracker: str = ""

    @classmethod
    def open(cls, change: Change, now: datetime) -> "ChampionChange":
        """Take the process's environment."""
        environment = Environment.read()
        store = Store(client("s3"), environment.bucket)
        endpoint = EndpointFunction(
            client("lambda"), environment.endpoint_function, environment.alias
        )
        served = ServedChampion.open(endpoint, store, environment)
        topic = Topic(client("sns"), environment.topic)
        leases = LeaseBook(store, LEASE)
        return cls(change, now, served.registry, leases, served, topic, environment.tracker)

    def carry_out(self) -> dict[str, Any]:
        """Make the change while no run is going on; returns what serves, and what did before.

        RegistryError where a run holds the lease, or the version cannot serve.
        """
        holder = f"by hand {self.change.token}"
        held_by = self.leases.acquire(holder, self.now).holder
        if held_by != holder and self.change.action == "agree":
            return {"action": "agree", "mended": False, "reason": f"run '{held_by}' is going on"}
        if held_by != holder:
            raise RegistryError(
                f"run '{held_by}' is going on and may change the champion itself; wait for its "
                "end or stop it, then try again"
            )
        try:
            told = self._made()
        finally:
            self.leases.release(holder)
        if self.change.action != "agree":
            self._track(told["version"])
        return told

    def _made(self) -> dict[str, Any]:
        if self.change.action == "agree":
            return self._agree()
        return self._retire() if self.change.action == "retire" else self._serve()

    def _agree(self) -> dict[str, Any]:
        """Have the endpoint serve the registry's champion, and tell people where it had not."""
        mended = self.served.ensure()
        delete_old_versions(self.served)
        if mended:
            self.topic.publish(
                "Noria: the endpoint serves the champion again",
                f"{self.change.reason}\nIt was mended; nothing is left to do.",
            )
        return {"action": "agree", "mended": mended, "reason": self.change.reason}

    def _track(self, version: str) -> None:
        """Have the change told to the tracking server, where the contract names one.

        The change is made: where Lambda does not take the call, the next run's end tells it.
        """
        trained = self.registry.trained_by(version)
        if not self.tracker or trained is None:
            return
        with suppress(ClientError, BotoCoreError):
            client("lambda").invoke(
                FunctionName=self.tracker, InvocationType="Event",
                Payload=json.dumps({"run": trained[0]}),
            )  # fmt: skip

    def _serve(self) -> dict[str, Any]:
        champion = self.registry.champion()
        done = self._done()
        if done is not None:
            if champion is not None and champion.by_hand == done.by_hand:
                self.registry.remember(champion)
                self.served.ensure()
            return self._told(done.version, done.by_hand.previous if done.by_hand else None)
        serving = champion.version if champion else None
        version = self.change.version or self._previous(serving)
        if version == serving and not self.served.ensure():
            raise RegistryError(f"version '{version}' serves already")
        if version == serving:  # by the registry alone, until now
            return self._told(version, serving)
        self._check(version)
        endpoint = self.served.endpoint
        made = self._champion(version, endpoint.publish(version), serving)
        self.registry.promote(made, replacing=serving)
        endpoint.point_to(made.function_version)
        delete_old_versions(self.served)
        self._tell(version, serving)
        return self._told(version, serving)

    def _done(self) -> Champion | None:
        """What an earlier delivery of this call promoted, even if another one came after it."""
        champion = self.registry.champion()
        known = [*self.registry.promotions(), *([champion] if champion else [])]
        by_hand = [one for one in known if one.by_hand and one.by_hand.token == self.change.token]
        return by_hand[-1] if by_hand else None

    def _previous(self, serving: str | None) -> str:
        """The version that served last before the one that does, and is not retired."""
        retired = self.registry.retired()
        for one in reversed(self.registry.promotions()):
            if one.version != serving and one.version not in retired:
                return one.version
        raise RegistryError(
            "no earlier version has served that could serve again; promote one by its name"
        )

    def _check(self, version: str) -> None:
        """Refuse what cannot serve: not judged, retired, or damaged."""
        retired = self.registry.retired().get(version)
        if retired is not None:
            raise RegistryError(f"version '{version}' was retired ({retired}); choose another one")
        known = self.registry.versions()
        if version not in known:
            raise RegistryError(
                f"there is no model version '{version}'; there are {', '.join(known) or 'none'}"
            )
        Signature.model_validate(self.registry.model(version)[1])

    def _champion(self, version: str, function_version: str, previous: str | None) -> Champion:
        signature = self.registry.json_file(version, "signature.json")
        lineage = self.registry.json_file(version, "lineage.json")
        evaluation = self.registry.evaluation(version)
        return Champion(
            version=version,
            run_id=lineage["run"],
            as_of=parse_time(lineage["as_of"]),
            function_version=function_version,
            metric=evaluation["metric"],
            metrics=evaluation["metrics"],
            training_rows=signature["rows"],
            promoted_at=self.now,
            by_hand=ByHand(
                action=self.change.action,
                reason=self.change.reason,
                by=self.change.by,
                token=self.change.token,
                previous=previous,
            ),
        )

    def _retire(self) -> dict[str, Any]:
        version, champion = self.change.version, self.registry.champion()
        if champion is not None and champion.version == version:
            raise RegistryError(
                f"version '{version}' serves: promote another one or roll back, then retire it"
            )
        if version not in self.registry.versions():
            raise RegistryError(f"there is no model version '{version}'")
        self.registry.retire(version, f"{self.change.reason}, by {self.change.by}")
        return {"action": "retire", "version": version, "reason": self.change.reason}

    def _told(self, version: str, previous: str | None) -> dict[str, Any]:
        return {
            "action": self.change.action, "version": version, "previous": previous,
            "reason": self.change.reason,
        }  # fmt: skip

    def _tell(self, version: str, previous: str | None) -> None:
        before = f"in place of {previous}" if previous else "the first one"
        self.topic.publish(
            f"Noria: version {version} serves, {self.change.action} by hand",
            f"Version {version} serves, {before}.\nReason: {self.change.reason}\n"
            f"By: {self.change.by}",
        )
