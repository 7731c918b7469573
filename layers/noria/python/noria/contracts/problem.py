"""The whole contract: its sections together, read from YAML and merged with a run's changes."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from noria.contracts.analysis import Analysis
from noria.contracts.features import SHORTEST_REFRESH, Features
from noria.contracts.fields import ColumnName, ExpressionText, Section, format_duration
from noria.contracts.lifecycle import Deployment, Monitoring, Retraining, Scaling
from noria.contracts.loading import Loader
from noria.contracts.mistakes import describe
from noria.contracts.objective import (
    METRICS_OF,
    Baseline,
    Evaluation,
    Exploration,
    Objective,
    Task,
)
from noria.contracts.quality import Quality
from noria.contracts.sources import Source
from noria.core.expressions import is_column, parse
from noria.errors import ContractError


class Target(Section):
    """What is to be predicted: a column, or an expression over columns."""

    name: ColumnName
    """The column, or the name of what the expression yields."""
    expression: ExpressionText | None = None
    """What is to be predicted, computed from columns in the closed grammar."""


def _target_by_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class Problem(Section):
    """A whole problem contract."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    """The problem's name, which is that of its stack: lower case, digits and hyphens."""
    statement: str = Field(min_length=10, max_length=2000)
    """The question in plain words: what is asked, when, by whom and what for."""
    task: Task
    """What kind of answer: two classes, several classes, or a number."""
    target: Annotated[
        Target, BeforeValidator(_target_by_name, json_schema_input_type=ColumnName | Target)
    ]
    """What is to be predicted: a column's name, or a name with an expression."""
    positive_class: str | int | float | bool | None = None
    """The class that a binary task is about (default: the later one in order)."""
    entity_key: list[ColumnName] = []
    """The columns that tell what a row is about, such as a customer or a flight."""
    event_time: ExpressionText | None = None
    """When a row's prediction is made: a time column, or an expression that yields a time."""
    sources: list[Source] = Field(min_length=1, max_length=20)
    """Where the data come from, one of them primary."""
    quality: Quality = Quality()
    """What clean data are."""
    analysis: Analysis = Analysis()
    """What the analysis and the question whether ML is needed decide by."""
    features: Features = Features()
    """What may become a feature."""
    objective: Objective
    """What counts as good enough."""
    baseline: Baseline = Baseline()
    """What a model is measured by besides trivial answers."""
    exploration: Exploration = Exploration()
    """How far to look for models."""
    evaluation: Evaluation = Evaluation()
    """How models are held to the objective."""
    deployment: Deployment = Deployment()
    """How a model reaches its users."""
    monitoring: Monitoring = Monitoring()
    """How live use is watched."""
    retraining: Retraining = Retraining()
    """What starts a new turn."""
    scaling: Scaling = Scaling()
    """When work is too large for Lambda."""

    @field_validator("sources")
    @classmethod
    def _sources_fit_together(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise ValueError(f"source name '{min(double)}' is used twice; each has its own")
        primaries = [source.name for source in sources if source.primary]
        if len(primaries) != 1:
            raise ValueError(f"exactly one source is primary: true, not {len(primaries)}")
        for source in sources:
            if source.primary == (source.join is not None):
                remedy = "must not have a join" if source.primary else "needs join: {on: [...]}"
                raise ValueError(f"source '{source.name}' {remedy}")
        return sources

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        metrics = METRICS_OF[self.task]
        if self.objective.metric not in metrics:
            raise ValueError(
                f"objective.metric '{self.objective.metric}' does not suit task '{self.task}'; "
                f"use one of {', '.join(sorted(metrics))}"
            )
        if self.positive_class is not None and self.task != "binary":
            raise ValueError(f"positive_class is for task binary, not '{self.task}'; leave it out")
        if self.event_time is None and any(s.join and s.join.as_of for s in self.sources):
            raise ValueError("join.as_of needs event_time: name the primary's time column there")
        return self

    @model_validator(mode="after")
    def _windows_have_a_history(self) -> Self:
        for window in self.features.windows:
            for field, needed in (("entity_key", self.entity_key), ("event_time", self.event_time)):
                if not needed:
                    raise ValueError(
                        f"features.windows needs {field}: '{window.as_}' is the history of an "
                        "entity over time"
                    )
            if self.feature_delay < self.feature_refresh:
                raise ValueError(
                    f"features.delay {format_duration(self.feature_delay)} is shorter than "
                    f"features.refresh {format_duration(self.feature_refresh)}, in which rows "
                    "reach the feature store: training would see what no answer can; widen it"
                )
            if window.over <= self.feature_delay:
                raise ValueError(
                    f"features.windows: '{window.as_}' over {format_duration(window.over)} never "
                    "sees a row, as each is known only after features.delay "
                    f"{format_duration(self.feature_delay)} (default: label_delay and refresh); "
                    "shorten the delay or widen the window"
                )
        return self

    @model_validator(mode="after")
    def _history_is_known(self) -> Self:
        target = self.target.expression
        computed = parse(target).columns if target else frozenset()
        afterwards = {self.target.name, *computed, *self.features.exclude}
        late = [one.as_ for one in self.features.windows if one.column in afterwards]
        if late and self.feature_delay < self.monitoring.label_delay:
            raise ValueError(
                f"features.windows: '{late[0]}' is of a column that is known afterwards only, "
                f"monitoring.label_delay {format_duration(self.monitoring.label_delay)} after, and "
                f"features.delay is {format_duration(self.feature_delay)}: it would see what was "
                "not known; widen the delay, or say how soon outcomes come in label_delay"
            )
        return self

    @property
    def feature_delay(self) -> timedelta:
        """How long after its event time a row is in the feature store."""
        delay = self.features.delay
        return self.monitoring.label_delay + self.feature_refresh if delay is None else delay

    @property
    def feature_refresh(self) -> timedelta:
        """How often the feature store is brought up to date between runs, in whole minutes."""
        minute, delay = timedelta(minutes=1), self.features.delay
        usual = self.monitoring.label_delay if delay is None else delay / 2
        return max((self.features.refresh or usual) // minute * minute, SHORTEST_REFRESH)

    @property
    def primary(self) -> Source:
        """The source whose rows are the examples."""
        return next(source for source in self.sources if source.primary)

    @property
    def event_time_column(self) -> str | None:
        """The event time's column: its own name, or `event_time` where it is an expression."""
        if self.event_time is None:
            return None
        return self.event_time.strip() if is_column(self.event_time) else "event_time"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a contract file; raises `ContractError` with every mistake in it."""
        try:
            document = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506
        except FileNotFoundError as error:
            raise ContractError(f"no contract at '{path}'; check the path") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ContractError(f"'{path}' is not a YAML file: {error}") from error
        except OSError as error:
            raise ContractError(f"'{path}' cannot be read: {error.strerror}") from error
        return cls.parse(document)

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Validate a contract's document; raises `ContractError` with every mistake in it."""
        if not isinstance(document, Mapping):
            raise ContractError(
                "a contract is a mapping with name, statement, task, target, sources and "
                f"objective, not {type(document).__name__}"
            )
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            mistakes = describe(error, document, cls.model_json_schema())
            raise ContractError("\n".join(mistakes)) from error

    def to_document(self) -> dict[str, Any]:
        """The contract as plain JSON types without what equals its default, readable by `parse`."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def merged(self, changes: Any) -> Self:
        """This contract with an execution's `problem` merged over it, validated again.

        Mappings merge, lists and scalars replace. What decides where data comes from and who may
        call (`name`, the sources' kinds, addresses, secrets and queries) cannot be changed so.
        """
        if not isinstance(changes, Mapping):
            raise ContractError(
                f"input.problem is a mapping of contract fields, not {type(changes).__name__}"
            )
        changed = type(self).parse(_merge(self.to_document(), changes))
        _refuse_moved(self, changed)
        return changed


_FIXED_SOURCE_FIELDS = ("kind", "url", "insecure", "sheet", "range", "gid", "header", "secret",
                        "engine", "table", "query", "columns", "filters",
                        "watermark")  # fmt: skip


def _refuse_moved(deployed: Problem, changed: Problem) -> None:
    if changed.name != deployed.name:
        raise ContractError(
            f"input.problem.name '{changed.name}' differs from the deployed '{deployed.name}'; "
            "deploy a contract of its own for another problem"
        )
    if changed.deployment != deployed.deployment:
        raise ContractError(
            "input.problem.deployment cannot be changed by an execution; change the contract "
            "and deploy it"
        )
    if changed.features.windows and not deployed.features.windows:
        raise ContractError(
            "input.problem.features.windows needs a stack that was deployed with windows, for it "
            "has the table that they are looked up in; change the contract and deploy it"
        )
    before = {source.name: source for source in deployed.sources}
    for source in changed.sources:
        known = before.get(source.name)
        fixed = [
            f for f in _FIXED_SOURCE_FIELDS if getattr(source, f, None) != getattr(known, f, None)
        ]
        if fixed:
            raise ContractError(
                f"input.problem.sources '{source.name}' changes {', '.join(fixed)}, which only a "
                "deployed contract may set; change the contract and deploy it"
            )


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
