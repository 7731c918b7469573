"""What a feature set is: names, types, entity key, event time, version; and how versions differ."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from noria.contracts import Duration
from noria.errors import FeatureError

Kind = Literal["number", "integer", "flag", "text", "time"]


class Types(NamedTuple):
    """A kind's type in DuckDB and in the Glue catalogue."""

    sql: str
    glue: str


TYPES: Mapping[Kind, Types] = {
    "number": Types("DOUBLE", "double"),
    "integer": Types("BIGINT", "bigint"),
    "flag": Types("BOOLEAN", "boolean"),
    "text": Types("VARCHAR", "string"),
    "time": Types("TIMESTAMP", "timestamp"),
}
EVENT_TIME, CREATED_TIME, RUN = "event_time", "created_time", "run"
# What a query numbers the rows by; DuckDB has the second for itself.
NUMBER, ROW_OF_FILE = "noria_number", "file_row_number"
TAKEN = (EVENT_TIME, CREATED_TIME, RUN, NUMBER, ROW_OF_FILE)
DEFAULT_SET = "features"
Name = Annotated[str, Field(min_length=1, max_length=128)]


class Part(BaseModel):
    """A part of a feature set: what is stored does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(Part):
    """A named column with its kind and what it means."""

    name: Name
    kind: Kind
    description: str = ""

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        if self.name != self.name.lower():
            raise ValueError(f"'{self.name}': the catalogue knows lower-case names only")
        if self.name in TAKEN:
            raise ValueError(f"'{self.name}' is the store's own column; give another name")
        return self


class Feature(Column):
    """A feature; older than its time to live at the prediction time, a value counts as missing.

    A value that is known `afterwards` (a target) is true at an event time and not known then: it is
    kept for people, and never handed out for a prediction.
    """

    time_to_live: Duration | None = None
    afterwards: bool = False


class FeatureSet(Part):
    """One version of a set of features that share an entity key and an event time.

    Without `entity_key` the rows are kept for reading, and cannot be looked up by entity.
    `repeats` says whether an entity may have several rows at one event time and created time: which
    of them counts follows from their values, not from their order.
    """

    name: str = Field(default=DEFAULT_SET, pattern=r"^[a-z][a-z0-9_]{0,60}$")
    version: int = Field(default=1, ge=1)
    description: str = ""
    entity_key: tuple[Column, ...] = ()
    event_time: str = EVENT_TIME
    source: str = ""
    features: tuple[Feature, ...]
    repeats: bool = False

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [column.name for column in self.columns]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ValueError(f"'{double}' is given twice; name each column once")
        if re.search(r"_v\d+$|^v\d+$", self.name):
            raise ValueError(f"'{self.name}' ends like a version; give the set another name")
        return self

    @property
    def columns(self) -> tuple[Column, ...]:
        """The entity key and the features, in order."""
        return (*self.entity_key, *self.features)

    @property
    def keys(self) -> list[str]:
        """The names of the entity key's columns."""
        return [column.name for column in self.entity_key]

    @property
    def table(self) -> str:
        """The Glue table: one for each version, so that readers of an old one go on working."""
        base = DEFAULT_SET if self.name == DEFAULT_SET else f"{DEFAULT_SET}_{self.name}"
        return base if self.version == 1 else f"{base}_v{self.version}"

    def choose(self, names: Iterable[str] | None) -> list[Feature]:
        """The features named, or all that are known in time; raises `FeatureError` for others."""
        known = {feature.name: feature for feature in self.features if not feature.afterwards}
        wanted = list(known) if names is None else list(names)
        late = next((f.name for f in self.features if f.afterwards and f.name in wanted), None)
        if late is not None:
            raise FeatureError(
                f"'{late}' of feature set '{self.name}' is known only afterwards; ask for features "
                "that are known when the prediction is made"
            )
        if not wanted:
            raise FeatureError(
                f"feature set '{self.name}' version {self.version} has no feature that is known "
                "when a prediction is made; shorten features.exclude, or add a source"
            )
        unknown = next((name for name in wanted if name not in known), None)
        if unknown is not None:
            raise FeatureError(
                f"feature set '{self.name}' version {self.version} has no feature '{unknown}'; "
                f"it has {', '.join(known)}"
            )
        return [known[name] for name in wanted]


def define(**fields: Any) -> FeatureSet:
    """Make a feature set; raises `FeatureError` with what is wrong with it."""
    try:
        return FeatureSet(**fields)
    except ValueError as error:
        raise FeatureError(f"this feature set cannot be made: {error}") from error


class Comparison(Part):
    """How a later version of a feature set differs from an earlier one."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    rekeyed: bool = False
    described: tuple[str, ...] = ()

    @property
    def compatible(self) -> bool:
        """Whether readers of the earlier one can read the later one: columns were only added."""
        return not (self.removed or self.retyped or self.rekeyed)

    @property
    def sentences(self) -> list[str]:
        """The differences in words."""
        told = {"added": self.added, "removed": self.removed, "type changed": self.retyped,
                "description or time to live changed": self.described}  # fmt: skip
        found = [f"{what}: {', '.join(names)}" for what, names in told.items() if names]
        return [*found, "entity key changed"] if self.rekeyed else found


def compare(before: FeatureSet, after: FeatureSet) -> Comparison:
    """Compare two definitions of a set, column by column."""
    old = {feature.name: feature for feature in before.features}
    new = {feature.name: feature for feature in after.features}
    both = [name for name in old if name in new]
    return Comparison(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        retyped=tuple(name for name in both if old[name].kind != new[name].kind),
        described=tuple(n for n in both if old[n].kind == new[n].kind and old[n] != new[n]),
        rekeyed=[(c.name, c.kind) for c in before.entity_key]
        != [(c.name, c.kind) for c in after.entity_key],
    )


def evolve(latest: FeatureSet | None, wanted: FeatureSet) -> FeatureSet:
    """The version under which `wanted` is stored: the latest with columns added, or a new one."""
    if latest is None:
        return wanted.model_copy(update={"version": 1})
    if not compare(latest, wanted).compatible:
        return wanted.model_copy(update={"version": latest.version + 1})
    wished = {feature.name: feature for feature in wanted.features}
    # The order of the earlier columns stays: Athena reads a table's columns by their order.
    ordered = [wished.pop(feature.name) for feature in latest.features]
    features = (*ordered, *wished.values())
    return wanted.model_copy(update={"version": latest.version, "features": features})


def microseconds(duration: timedelta) -> int:
    """A duration in whole microseconds."""
    return duration // timedelta(microseconds=1)
