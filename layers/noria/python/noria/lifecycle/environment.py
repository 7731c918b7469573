"""What every handler shares: its typed environment and the shape of its event."""

import base64
import json
import os
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

PREFIX = "NORIA_"
FEATURES_ONLY = "features"  # an execution's input `only`
CHAMPION_MISMATCH = "ChampionMismatch"  # a metric of the monitor's
PACKED = "zlib:"  # before a variable's text that is compressed, for Lambda allows 4 KB of them


class Environment(BaseModel):
    """A function's environment variables; the stack builds them from this same model.

    A field named `bucket` is the variable `NORIA_BUCKET`; fields left empty are not set.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    stack: str = ""
    stack_id: str = ""
    bucket: str = ""
    database: str = ""
    namespace: str = ""
    problem: str = ""
    topic: str = ""
    endpoint_function: str = ""
    alias: str = "live"
    labels_stream: str = ""
    model: str = ""
    code_version: str = ""
    tracker: str = ""
    keeper: str = ""

    def to_variables(self) -> dict[str, str]:
        """The environment variables of a function, as the template declares them."""
        return {f"{PREFIX}{name.upper()}": value for name, value in self if value}

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> Self:
        """Read the process's environment, or the mapping given in its place."""
        variables = os.environ if variables is None else variables
        names = {f"{PREFIX}{name.upper()}": name for name in cls.model_fields}
        found = {names[key]: value for key, value in variables.items() if key in names}
        return cls(**{name: unpacked(value) for name, value in found.items()})


def packed(text: str) -> str:
    """Compress a variable's text; `Environment.read` gives the text back."""
    return PACKED + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str) -> str:
    """Return the text of a variable, compressed or not."""
    if not text.startswith(PACKED):
        return text
    return zlib.decompress(base64.b64decode(text.removeprefix(PACKED))).decode()


class StageEvent(BaseModel):
    """The payload that the state machine hands to every stage.

    `item` is that of a map's iteration, `failure` what a function was lost to that had it before.
    """

    model_config = ConfigDict(extra="ignore")

    state: str
    execution: str
    started_at: datetime
    input: dict[str, Any] = {}
    item: Any = None
    failure: dict[str, Any] = {}
    token: str | None = None

    def result(self, name: str) -> dict[str, Any]:
        """What an earlier state stored at ``$.<name>``, or nothing yet."""
        found = self.input.get(name)
        return found if isinstance(found, dict) else {}

    @property
    def iteration(self) -> int:
        """The iteration of the feature-engineering loop, 1 for the first, 0 before it."""
        return int(self.result("features").get("iteration", 0))

    @property
    def turn(self) -> int:
        """The iteration since the contract was last revised, 1 for the first, 0 before it."""
        return self.iteration - int(self.result("features").get("before", 0))

    @property
    def features_only(self) -> bool:
        """Whether the run only brings the feature store up to date: no model, no lease."""
        return FEATURES_ONLY in (self.input.get("only"), self.result("run").get("only"))

    @property
    def as_of(self) -> datetime:
        """The run's logical time: given by its cause, else when the execution started."""
        given = self.result("run").get("as_of") or self.input.get("as_of")
        return parse_time(given) if given else self.started_at.astimezone(UTC)


def parse_time(text: str) -> datetime:
    """Parse ISO 8601 to UTC; a time without zone is taken as UTC."""
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def message_of(cause: str) -> str:
    """The sentence that a function's error says, out of the JSON that Lambda makes of it."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed.get("errorMessage", cause)) if isinstance(parsed, dict) else cause
