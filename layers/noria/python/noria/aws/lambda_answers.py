"""What Lambda tells of a function, a version and an alias, as far as the endpoint needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

MODEL_VARIABLE = "NORIA_MODEL"
FOLLOW_CHAMPION = "champion"
# What a version answers by, beside its layers, its variables and SnapStart.
_SETTINGS = (
    "Architectures", "CodeSha256", "EphemeralStorage", "Handler", "LoggingConfig", "MemorySize",
    "Role", "Runtime", "Timeout", "TracingConfig",
)  # fmt: skip


@dataclass(frozen=True)
class PublishedVersion:
    """A version of the function: its number, the model that it names, and all else it runs by."""

    number: str
    model: str
    settings: Mapping[str, Any] = field(repr=False)

    @property
    def follows_champion(self) -> bool:
        """Whether it serves the champion of when it was first asked, as a deployment's does."""
        return self.model in ("", FOLLOW_CHAMPION)


@dataclass(frozen=True)
class AliasRoute:
    """Where the alias sends traffic: most to `version`, and shares of 0 to 1 to others."""

    version: str
    shares: Mapping[str, float]


def version_of(configuration: Mapping[str, Any]) -> PublishedVersion:
    """Read a version out of its configuration; the number of the function itself is $LATEST."""
    variables = variables_of(configuration)
    model = variables.pop(MODEL_VARIABLE, "")
    settings = {name: configuration.get(name) for name in _SETTINGS}
    settings["Layers"] = [layer["Arn"] for layer in configuration.get("Layers") or []]
    # Of a version, SnapStart also tells whether its snapshot is in use.
    settings["SnapStart"] = configuration.get("SnapStart", {}).get("ApplyOn")
    return PublishedVersion(
        str(configuration["Version"]), model, settings | {"variables": variables}
    )


def variables_of(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The environment variables, to change."""
    return dict(configuration.get("Environment", {}).get("Variables", {}))


def route_of(alias: Mapping[str, Any]) -> AliasRoute:
    """Read where an alias sends traffic."""
    routing = alias.get("RoutingConfig") or {}
    shares = routing.get("AdditionalVersionWeights") or {}
    return AliasRoute(str(alias["FunctionVersion"]), dict(shares))


def revision_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """The argument by which a change is refused once another one has come first."""
    return {"RevisionId": answer["RevisionId"]} if "RevisionId" in answer else {}


def code_of(error: ClientError) -> str:
    """The code by which Lambda refused a call."""
    return str(error.response.get("Error", {}).get("Code", ""))
