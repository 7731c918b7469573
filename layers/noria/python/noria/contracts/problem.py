"""The whole contract: its sections together, read from YAML and merged with a run's changes."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError

from noria.common.expression_text import column_of
from noria.common.expressions import parse
from noria.common.metric_table import Task
from noria.contracts.analysis import Analysis
from noria.contracts.cross_checks import FieldErrors, reads
from noria.contracts.error_messages import in_words
from noria.contracts.features import SHORTEST_REFRESH, Features
from noria.contracts.field_types import (
    NAME_PATTERN,
    ColumnName,
    ExpressionText,
    Section,
    format_duration,
)
from noria.contracts.lifecycle import Deployment, Monitoring, Retraining, Scaling
from noria.contracts.model_search import (
    CANDIDATES_OF,
    MONOTONE,
    WITH_EVERY_RECIPE,
    Exploration,
    Training,
)
from noria.contracts.objective import METRICS_OF, Baseline, Evaluation, Objective, out_of_range
from noria.contracts.overrides import deep_merged, refuse_protected
from noria.contracts.quality import Quality
from noria.contracts.sources import Source
from noria.contracts.tracking import MlflowTracking
from noria.contracts.validation_errors import error_sentences
from noria.contracts.yaml_loader import read_document
from noria.errors import ContractError

WHOLE = "a contract is a mapping with name, statement, task, target, sources and objective"


class Target(Section):
    """What is to be predicted: a column, or an expression over columns."""

    name: ColumnName
    """The column, or the name of what the expression yields."""
    expression: ExpressionText | None = None
    """What is to be predicted, computed from columns in the closed grammar."""


def _target_by_name(value: Any) -> Any:
    if not isinstance(value, str | Mapping | Target):
        raise ValueError("write a column's name as text, or a mapping of name and expression")
    return {"name": value} if isinstance(value, str) else value


class Problem(Section):
    """A whole problem contract."""

    name: str = Field(pattern=NAME_PATTERN)
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
    training: Training = Training()
    """Which rows the model that serves learns from."""
    evaluation: Evaluation = Evaluation()
    """How models are held to the objective."""
    deployment: Deployment = Deployment()
    """How a model reaches its users."""
    monitoring: Monitoring = Monitoring()
    """How live use is watched."""
    retraining: Retraining = Retraining()
    """What starts a training run."""
    scaling: Scaling = Scaling()
    """When work is too large for Lambda."""
    mlflow: MlflowTracking | None = None
    """An MLflow tracking server that trials and models go to as well."""

    @reads("sources.name", "sources.primary", "sources.join")
    def _sources_fit_together(self) -> FieldErrors:
        names = [source.name for source in self.sources]
        for double in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield "sources", f"source name '{double}' is used twice; each has its own"
        primaries = [source.name for source in self.sources if source.primary]
        if len(primaries) != 1:
            yield "sources", f"exactly one source is primary: true, not {len(primaries)}"
        for source in self.sources if len(primaries) == 1 else ():
            if source.primary == (source.join is not None):
                remedy = "must not have a join" if source.primary else "needs join: {on: [...]}"
                yield "sources", f"source '{source.name}' {remedy}"

    @reads("task", "objective.metric")
    def _metric_suits_task(self) -> FieldErrors:
        metrics = METRICS_OF[self.task]
        if self.objective.metric not in metrics:
            told = (
                f"'{self.objective.metric}' does not suit task '{self.task}'; "
                f"use one of {', '.join(sorted(metrics))}"
            )
            yield "objective.metric", told

    @reads("objective.metric", "monitoring.quality_floor")
    def _floor_is_possible(self) -> FieldErrors:
        floor = self.monitoring.quality_floor
        told = None if floor is None else out_of_range(self.objective.metric, floor)
        if told:
            yield "monitoring.quality_floor", told

    @reads("task", "exploration.candidates")
    def _candidates_suit_task(self) -> FieldErrors:
        wanted, suited = self.exploration.candidates, CANDIDATES_OF[self.task]
        for position, name in enumerate(() if wanted == "auto" else wanted):
            if name not in suited:
                told = (
                    f"'{name}' is no candidate for a {self.task} task; use one of "
                    f"{', '.join(suited)}"
                )
                yield f"exploration.candidates[{position}]", told

    @reads("target", "entity_key", "features.monotone")
    def _monotone_in_features(self) -> FieldErrors:
        others = {self.target.name: "the target"} | dict.fromkeys(self.entity_key, "an entity key")
        for name in self.features.monotone:
            if name in others:
                told = f"'{name}' is {others[name]}, and no number that a model reads: leave it out"
                yield f"features.monotone.{name}", told

    @reads("task", "features.monotone", "exploration.candidates")
    def _monotone_candidates(self) -> FieldErrors:
        monotone, wanted = self.features.monotone, self.exploration.candidates
        if monotone and self.task == "multiclass":
            told = "is of a probability or a number, not of several classes: leave it out"
            yield "features.monotone", told
        for position, name in enumerate(() if wanted == "auto" or not monotone else wanted):
            if name not in MONOTONE:
                told = f"'{name}' cannot keep to features.monotone; use {', '.join(MONOTONE)}"
                yield f"exploration.candidates[{position}]", told

    @reads("task", "positive_class")
    def _positive_of_two(self) -> FieldErrors:
        if self.positive_class is not None and self.task != "binary":
            yield "positive_class", f"is for task binary, not '{self.task}'; leave it out"

    @reads("task", "objective.costs", "objective.alarm_share")
    def _thresholds_of_two(self) -> FieldErrors:
        for name in ("costs", "alarm_share") if self.task != "binary" else ():
            if getattr(self.objective, name) is not None:
                told = f"chooses a threshold between two classes, and the task is {self.task}"
                yield f"objective.{name}", f"{told}: leave it out"

    @reads("event_time", "sources.join")
    def _times_to_join_by(self) -> FieldErrors:
        if self.event_time is None and any(s.join and s.join.as_of for s in self.sources):
            yield "sources", "join.as_of needs event_time: name the primary's time column there"

    @reads("features.windows.as", "entity_key", "event_time")
    def _windows_have_a_history(self) -> FieldErrors:
        windows = self.features.windows
        for field, needed in (("entity_key", self.entity_key), ("event_time", self.event_time)):
            if windows and not needed:
                told = (
                    f"features.windows needs {field}: '{windows[0].as_}' is the history of an "
                    "entity over time"
                )
                yield "", told

    @reads(
        "features.windows.over", "features.windows.as", "features.delay", "features.refresh",
        "monitoring.label_delay",
    )  # fmt: skip
    def _windows_see_rows(self) -> FieldErrors:
        delay, windows = self.feature_delay, self.features.windows
        if windows and delay < self.feature_refresh:
            told = (
                f"features.delay {format_duration(delay)} is shorter than features.refresh "
                f"{format_duration(self.feature_refresh)}, in which rows reach the feature store: "
                "training would see what no answer can; widen it"
            )
            yield "", told
        for window in windows:
            if window.over <= delay:
                told = (
                    f"features.windows: '{window.as_}' over {format_duration(window.over)} never "
                    "sees a row, as each is known only after features.delay "
                    f"{format_duration(delay)} (default: label_delay and refresh); shorten the "
                    "delay or widen the window"
                )
                yield "", told

    @reads(
        "target", "features.windows.column", "features.windows.as", "features.exclude",
        "features.delay", "features.refresh", "monitoring.label_delay",
    )  # fmt: skip
    def _history_is_known(self) -> FieldErrors:
        target = self.target.expression
        computed = parse(target).columns if target else frozenset()
        afterwards = {self.target.name, *computed, *self.features.exclude}
        late = [one.as_ for one in self.features.windows if one.column in afterwards]
        if late and self.feature_delay < self.monitoring.label_delay:
            told = (
                f"features.windows: '{late[0]}' is of a column that is known afterwards only, "
                f"monitoring.label_delay {format_duration(self.monitoring.label_delay)} after, and "
                f"features.delay is {format_duration(self.feature_delay)}: it would see what was "
                "not known; widen the delay, or say how soon outcomes come in label_delay"
            )
            yield "", told

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
    def fits_all_rows(self) -> bool:
        """Whether an accepted model is fitted once more with the rows that judged it."""
        wanted = self.training.final_fit
        return wanted == "all" or (wanted == "auto" and self.event_time is not None)

    @property
    def candidates(self) -> list[str]:
        """The candidates that are tried: those that the contract names, or all for `auto`."""
        wanted = self.exploration.candidates
        if wanted != "auto":
            return list(dict.fromkeys(wanted))
        suited = CANDIDATES_OF[self.task]
        return [name for name in suited if not self.features.monotone or name in MONOTONE]

    @property
    def candidates_of_every_recipe(self) -> list[str]:
        """Those that are tried with every recipe: what the contract names, of `auto` the usual."""
        if self.exploration.candidates != "auto":
            return self.candidates
        return [name for name in self.candidates if name in WITH_EVERY_RECIPE]

    @property
    def primary(self) -> Source:
        """The source whose rows are the examples."""
        return next(source for source in self.sources if source.primary)

    @property
    def event_time_column(self) -> str | None:
        """The event time's column: its own name, or `event_time` where it is an expression."""
        if self.event_time is None:
            return None
        return column_of(self.event_time) or "event_time"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a contract file; raises `ContractError` with every mistake in it."""
        document = read_document(path)
        if not isinstance(document, Mapping):
            held = "is empty" if document is None else f"holds {in_words(document)}"
            raise ContractError(f"'{path}' {held}; {WHOLE}")
        return cls.parse(document)

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Validate a contract's document; raises `ContractError` with every mistake in it."""
        if not isinstance(document, Mapping):
            raise ContractError(f"{WHOLE}, not {in_words(document)}")
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise ContractError("\n".join(error_sentences(error, document, cls))) from error

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
        changed = type(self).parse(deep_merged(self.to_document(), changes))
        refuse_protected(self, changed)
        return changed
