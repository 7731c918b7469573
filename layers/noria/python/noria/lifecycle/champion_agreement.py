"""Whether the alias serves what the registry says, and how it is made to.

The registry's pointer is moved first, by compare and swap, and the alias after it. Whatever comes
between the two, or moves the alias by itself, as the rollback of a stack update does, is mended by
whoever comes next: a stage that publishes, a change by hand, the monitor's tick.
"""

from dataclasses import dataclass, replace

from noria.aws.lambda_answers import FOLLOW_CHAMPION
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.model_registry import Champion, Registry
from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins
from noria.lifecycle.environment import Environment


@dataclass(frozen=True)
class Agreement:
    """What the alias serves, by which function version, beside the registry's champion.

    `decided` says that the function version has its model already, and would not take the champion
    of when it is asked first; `shared` that others have a share; `settled` that a version which
    anybody published now would follow the champion.
    """

    champion: str
    serves: str
    function_version: str
    decided: bool
    shared: bool
    settled: bool

    @property
    def holds(self) -> bool:
        """Whether most traffic gets the champion; a canary's share is no disagreement."""
        return self.serves == self.champion

    def sentence(self) -> str:
        """What is so, for people."""
        if self.holds:
            return f"the alias serves the champion, version '{self.champion}'"
        return (
            f"the alias serves version '{self.serves}' by function version "
            f"{self.function_version}, but the registry's champion is '{self.champion}'"
        )


@dataclass(frozen=True)
class ServedChampion:
    """The endpoint beside the registry."""

    endpoint: EndpointFunction
    registry: Registry
    pins: VersionPins

    @classmethod
    def open(
        cls, endpoint: EndpointFunction, store: Store, environment: Environment
    ) -> "ServedChampion":
        """Join what a handler has."""
        pins = VersionPins(store, environment.endpoint_function, environment.stack_id)
        return cls(endpoint, Registry(store), pins)

    def compare(self, champion: Champion) -> Agreement:
        """See what the alias serves."""
        route = self.endpoint.route()
        model = self._model_of(route.version)
        return Agreement(
            champion=champion.version,
            serves=model or champion.version,
            function_version=route.version,
            decided=model is not None,
            shared=bool(route.shares),
            settled=self.endpoint.latest().follows_champion,
        )

    def ensure(self) -> bool:
        """Have the alias serve the champion and nothing else; returns whether something was mended.

        A version that is published for that has the code of now. For whoever holds the run's lease,
        as a canary's share goes too. Without a champion nothing is done.
        """
        champion = self.registry.champion()
        if champion is None:
            return False
        seen = self.compare(champion)
        if not seen.decided:
            model = self.pins.pin(seen.function_version, champion.version)
            seen = replace(seen, serves=model)
        if not seen.settled:
            self.endpoint.follow_champion()
        if seen.holds and not seen.shared:
            return not seen.settled
        version = seen.function_version if seen.holds else self.endpoint.publish(champion.version)
        self.endpoint.point_to(version)
        return True

    def _model_of(self, version: str) -> str | None:
        """The model of a function version, or None where it will take the champion when asked."""
        named = self.endpoint.model_of(version)
        return self.pins.model_of(version) if named in ("", FOLLOW_CHAMPION) else named
