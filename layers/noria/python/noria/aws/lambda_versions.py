"""AWS Lambda: a version of the endpoint per model, behind one alias.

A version's variable NORIA_MODEL names its model for ever. The function itself says `champion`, but
for the moment in which a version is published for a model: whatever else publishes one, as a stack
update does, then publishes one that serves the champion. Every change carries the revision of what
it was decided on, and is decided anew where another one came first.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore.exceptions import ClientError, WaiterError

from noria.aws.lambda_answers import (
    FOLLOW_CHAMPION,
    MODEL_VARIABLE,
    AliasRoute,
    PublishedVersion,
    code_of,
    revision_of,
    route_of,
    variables_of,
    version_of,
)
from noria.common.backoff import Backoff
from noria.errors import ContentionError, RegistryError

POLL_SECONDS = 1
PATIENCE = 60.0  # seconds for an update, and for a new version; SnapStart's snapshot takes longer
SNAPSHOT_PATIENCE = 600.0
CONTENDED = Backoff(attempts=6, first=0.5, longest=5)
# Another revision than the one that was read; an update, a code deployment's for one, goes on.
_CHANGED = {"PreconditionFailedException", "ResourceConflictException"}
_ABSENT = {"ResourceNotFoundException"}
_UNUSABLE = {"Failed", "Inactive"}

T = TypeVar("T")


class EndpointFunction:
    """The endpoint's function and its alias; every call can be repeated."""

    def __init__(self, client: Any, function: str, alias: str) -> None:
        self._client = client
        self._function = function
        self._alias = alias

    # -- versions --------------------------------------------------------------------------------

    def publish(self, model: str, patience: float = PATIENCE) -> str:
        """Publish a version that serves `model` for ever; returns its number once it is usable.

        One that serves the model with the same code and settings is taken as it is, so a call that
        broke off anywhere is finished by the next. Raises ContentionError where others changed the
        function each time, RegistryError where Lambda does not get ready in `patience` seconds.
        """

        def attempt() -> str:
            latest = self._settled(patience)
            number = self._found(model, latest)
            if number is None:
                number = self._publish(model, latest, patience)
            elif version_of(latest).model != FOLLOW_CHAMPION:
                self._name(FOLLOW_CHAMPION, latest, patience)  # left so by one that broke off
            return number

        return self._await_active(self._uncontended(attempt), patience)

    def follow_champion(self, patience: float = PATIENCE) -> None:
        """Put back what a publication that broke off has left, so that versions follow it again."""
        self._uncontended(lambda: self._name(FOLLOW_CHAMPION, self._settled(patience), patience))

    def model_of(self, version: str) -> str:
        """The model that a version names; `champion`, or nothing, where it follows the champion."""
        return version_of(self._configuration(version)).model

    def versions(self) -> list[PublishedVersion]:
        """The published versions, the oldest first."""
        pages = self._client.get_paginator("list_versions_by_function").paginate(
            FunctionName=self._function
        )
        listed = (version_of(one) for page in pages for one in page["Versions"])
        return sorted(
            (one for one in listed if one.number.isdigit()), key=lambda one: int(one.number)
        )

    def latest(self) -> PublishedVersion:
        """The function as it stands, of which the next version would be published."""
        return version_of(self._configuration())

    def delete(self, version: str) -> bool:
        """Delete a version; False where an alias has come to point to it, which Lambda refuses."""
        try:
            self._client.delete_function(FunctionName=self._function, Qualifier=version)
        except ClientError as error:
            if code_of(error) in _CHANGED:
                return False
            if code_of(error) not in _ABSENT:
                raise
        return True

    def routed(self) -> set[str]:
        """The versions that any alias sends traffic to."""
        pages = self._client.get_paginator("list_aliases").paginate(FunctionName=self._function)
        routes = [route_of(alias) for page in pages for alias in page["Aliases"]]
        return {number for one in routes for number in (one.version, *one.shares)}

    # -- the alias -------------------------------------------------------------------------------

    def route(self) -> AliasRoute:
        """Where the alias sends traffic."""
        return route_of(self._client.get_alias(FunctionName=self._function, Name=self._alias))

    def live_version(self) -> str:
        """The function version that the alias sends most traffic to."""
        return self.route().version

    def shift(self, version: str, share: float) -> None:
        """Send a share of live traffic to a version."""
        self._move(lambda route: AliasRoute(route.version, {version: share}))

    def point_to(self, version: str) -> None:
        """Send all live traffic to a version."""
        self._move(lambda _: AliasRoute(version, {}))

    def withdraw(self, version: str, previous: str) -> None:
        """Take all traffic from a version.

        Where it has most of it, that goes to `previous`; else most of it stays where it is, for a
        code deployment may have moved it meanwhile.
        """

        def without(route: AliasRoute) -> AliasRoute:
            return AliasRoute(previous if route.version == version else route.version, {})

        self._move(without)

    # -- how -------------------------------------------------------------------------------------

    def _publish(self, model: str, latest: Mapping[str, Any], patience: float) -> str:
        try:
            named = self._name(model, latest, patience)
            answer = self._client.publish_version(
                FunctionName=self._function,
                Description=f"model {model}"[:256],
                **revision_of(named),
            )
        finally:
            self._name(FOLLOW_CHAMPION, self._settled(patience), patience)
        return str(answer["Version"])

    def _found(self, model: str, latest: Mapping[str, Any]) -> str | None:
        """The newest version that serves the model with the code and settings of now.

        One that Lambda could not start, or has put away since nobody asked it, is not taken.
        """
        settings = version_of(latest).settings
        for one in reversed(self.versions()):
            if one.model == model and one.settings == settings:
                usable = self._configuration(one.number).get("State") not in _UNUSABLE
                return one.number if usable else None
        return None

    def _name(self, model: str, latest: Mapping[str, Any], patience: float) -> Mapping[str, Any]:
        """Name the model of the next version; returns the function's configuration after that."""
        variables = variables_of(latest)
        if variables.get(MODEL_VARIABLE) == model:
            return latest
        variables[MODEL_VARIABLE] = model
        self._client.update_function_configuration(
            FunctionName=self._function, Environment={"Variables": variables}, **revision_of(latest)
        )
        return self._settled(patience)

    def _settled(self, patience: float) -> Mapping[str, Any]:
        """The function's configuration once no update goes on: its end makes a new revision."""
        self._await("function_updated", patience, "still updating", "LastUpdateStatusReason")
        return self._configuration()

    def _await_active(self, version: str, patience: float) -> str:
        snapshot = self._configuration(version).get("SnapStart", {}).get("ApplyOn")
        longest = SNAPSHOT_PATIENCE if snapshot == "PublishedVersions" else patience
        self._await(
            "published_version_active", longest, f"not ready in version {version}",
            "StateReason", Qualifier=version,
        )  # fmt: skip
        return version

    def _await(self, waiter: str, patience: float, told: str, reason: str, **of: str) -> None:
        attempts = max(1, round(patience / POLL_SECONDS))
        try:
            self._client.get_waiter(waiter).wait(
                FunctionName=self._function,
                WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": attempts},
                **of,
            )
        except WaiterError as error:
            raise RegistryError(
                f"the endpoint '{self._function}' was {told} after {patience:g} s; "
                f"look at its {reason} in the Lambda console"
            ) from error

    def _move(self, change: Callable[[AliasRoute], AliasRoute]) -> None:
        """Move the alias to where `change` says, seen from where it is, unless it is there."""

        def attempt() -> None:
            alias = self._client.get_alias(FunctionName=self._function, Name=self._alias)
            wanted = change(route_of(alias))
            if wanted != route_of(alias):
                self._client.update_alias(
                    FunctionName=self._function,
                    Name=self._alias,
                    FunctionVersion=wanted.version,
                    RoutingConfig={"AdditionalVersionWeights": dict(wanted.shares)},
                    **revision_of(alias),
                )

        self._uncontended(attempt)

    def _uncontended(self, attempt: Callable[[], T]) -> T:
        """Try again, from a fresh read, while others change the function or its alias."""
        for _ in CONTENDED:
            try:
                return attempt()
            except ClientError as error:
                if code_of(error) not in _CHANGED:
                    raise
                last = error
        raise ContentionError(
            f"the endpoint '{self._function}' kept changing, as during a deployment; nothing was "
            "moved, try again when it has ended"
        ) from last

    def _configuration(self, version: str = "") -> Mapping[str, Any]:
        of = {"Qualifier": version} if version else {}
        answer: Mapping[str, Any] = self._client.get_function_configuration(
            FunctionName=self._function, **of
        )
        return answer
