"""What a feature set is: names, types, entity key, event time, version."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from noria.contracts import Duration
from noria.contracts.features import STORE_COLUMNS, STORE_PREFIX
from noria.core.windows.tiles import OF_TIMES, Function, WindowAggregation
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
PREDICTION_TIME = "prediction_time"  # what an entity is asked about as of, beside its key
NUMBERS: tuple[Kind, ...] = ("number", "integer", "flag")
DEFAULT_SET = "features"
LONGEST_NAME = 255  # bytes that Glue takes of a column's name
Name = Annotated[str, Field(min_length=1)]


def is_reserved(name: str) -> bool:
    """Whether the store, or a query, has a column of that name itself."""
    return name in STORE_COLUMNS or name.startswith(STORE_PREFIX)


class FrozenModel(BaseModel):
    """A part of a feature set: what is stored does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredColumn(FrozenModel):
    """A named column with its kind and what it means, and the data's column that it holds."""

    name: Name
    kind: Kind
    description: str = ""
    source_column: str | None = None

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        if self.name != self.name.lower():
            raise ValueError(f"'{self.name}': the catalogue knows lower-case names only")
        if len(self.name.encode()) > LONGEST_NAME or not self.name.isprintable():
            raise ValueError(
                f"'{self.name}': the catalogue takes names of one line and {LONGEST_NAME} bytes"
            )
        if is_reserved(self.name):
            raise ValueError(f"'{self.name}' is the store's own column; give another name")
        return self


class Feature(StoredColumn):
    """A feature; older than its time to live at the prediction time, a value counts as missing.

    A post-outcome value (`afterwards`, such as a target) is not known at its event time: it is
    kept for people, and never handed out for a prediction.
    """

    time_to_live: Duration | None = None
    afterwards: bool = False


class WindowFeature(FrozenModel):
    """A time-window aggregation of an entity, computed from the set's rows on demand.

    Of `column` over the last `over` seconds. Where `equals` is given, a value counts as 1 where it
    is that one, and as 0 elsewhere.
    """

    name: Name
    column: Name
    function: Function
    over: int = Field(ge=1)
    equals: str | None = None
    description: str = ""

    @property
    def measure(self) -> WindowAggregation:
        """What is computed, over the column as it is read."""
        return WindowAggregation(
            name=self.name, column=self.source, function=self.function, over=self.over
        )

    @property
    def source(self) -> str:
        """The column as it is read: also by what it is compared with."""
        return self.column if self.equals is None else f"{self.column} = {self.equals}"


class FeatureSet(FrozenModel):
    """One version of a set of features that share an entity key and an event time.

    Without `entity_key` the rows are kept for reading, and cannot be looked up by entity.
    `repeats` says whether an entity may have several rows at one event time and created time: which
    of them counts follows from their values, not from their order. `windows` are not stored but
    computed from the rows, which they see `delay` seconds after their event time.
    """

    name: str = Field(default=DEFAULT_SET, pattern=r"^[a-z][a-z0-9_]{0,60}$")
    version: int = Field(default=1, ge=1)
    description: str = ""
    entity_key: tuple[StoredColumn, ...] = ()
    event_time: str = EVENT_TIME
    source: str = ""
    features: tuple[Feature, ...]
    repeats: bool = False
    windows: tuple[WindowFeature, ...] = ()
    delay: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [column.name for column in self.columns]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ValueError(f"'{double}' is given twice; name each column once")
        if re.search(r"_v\d+$|^v\d+$", self.name):
            raise ValueError(f"'{self.name}' ends like a version; give the set another name")
        return self

    @model_validator(mode="after")
    def _windows_fit(self) -> Self:
        kinds = {column.name: column.kind for column in self.columns}
        names = [window.name for window in self.windows]
        for window in self.windows:
            if window.name in kinds or is_reserved(window.name) or names.count(window.name) > 1:
                raise ValueError(f"'{window.name}' is taken; name each window differently")
            if window.column not in kinds:
                known = ", ".join(kinds)
                raise ValueError(
                    f"window '{window.name}' reads '{window.column}', which is no column of the "
                    f"set; it has {known}"
                )
            countable = kinds[window.column] in NUMBERS or window.equals is not None
            if window.function not in OF_TIMES and not countable:
                raise ValueError(
                    f"window '{window.name}': {window.function} needs numbers, and "
                    f"'{window.column}' is {kinds[window.column]}; use {' or '.join(OF_TIMES)}"
                )
        if self.windows and not self.entity_key:
            raise ValueError("windows are the history of an entity: give the set an entity_key")
        return self

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
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

    def split(self, names: Iterable[str] | None) -> tuple[list[Feature], list[WindowFeature]]:
        """The stored features and the windows named, or all of both; raises `FeatureError`."""
        known = {window.name: window for window in self.windows}
        if names is None:
            stored = any(not feature.afterwards for feature in self.features)
            return self.choose(None) if stored or not known else [], list(known.values())
        wanted = list(names)
        others = [name for name in wanted if name not in known]
        windows = [known[name] for name in wanted if name in known]
        return self.choose(others) if others or not windows else [], windows

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


def microseconds(duration: timedelta) -> int:
    """A duration in whole microseconds."""
    return duration // timedelta(microseconds=1)
