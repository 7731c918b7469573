"""The problem contract: one YAML file that says everything the machine will do.

Each field's meaning and default is stated here once; the JSON Schema, the state machine's
conditions, the alarms, the schedules and the endpoint are made from it.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from noria.core.expressions import is_column, parse
from noria.errors import ContractError, ExpressionError

Task = Literal["binary", "multiclass", "regression"]
Metric = Literal[
    "accuracy", "balanced_accuracy", "f1", "f1_macro", "roc_auc", "average_precision",
    "log_loss", "recall_at_precision", "rmse", "mae", "r2",
]  # fmt: skip
METRICS_OF: dict[str, frozenset[str]] = {
    "binary": frozenset({"accuracy", "balanced_accuracy", "f1", "f1_macro", "roc_auc",
                         "average_precision", "log_loss", "recall_at_precision"}),
    "multiclass": frozenset(["accuracy", "balanced_accuracy", "f1_macro", "log_loss", "roc_auc"]),
    "regression": frozenset(["rmse", "mae", "r2"]),
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """YAML with only true and false as booleans, so that on, no and y stay text.

    A key that is given twice is an error, as the first one's value would be lost.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        double = next((key for key in keys if key != "<<" and keys.count(key) > 1), None)
        if double is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"'{double}' is given twice; keep one", node.start_mark
            )
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=36500)


def parse_duration(value: Any) -> timedelta:
    """Turn '90d', '6h', '10m', '30s' or '2w' into a timedelta; raises ValueError.

    A bare number is refused: nobody can tell whether 6 means hours or days.
    """
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", str(value), re.ASCII)
    if match is None:
        raise ValueError("a duration is a number and a unit (s, m, h, d, w), such as 6h or 90d")
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError as error:
        raise ValueError(f"a duration is {format_duration(LONGEST)} at most") from error


def format_duration(value: timedelta) -> str:
    """Write a timedelta as the contract does, in the largest unit that divides it."""
    seconds = value.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def _bounded(value: timedelta) -> timedelta:
    if not timedelta(0) <= value <= LONGEST:
        raise ValueError(f"a duration is from 0s to {format_duration(LONGEST)}")
    return value


def _expression(text: str) -> str:
    try:
        parse(text)
    except ExpressionError as error:
        # As a ValueError it is told with its field, among the contract's other mistakes.
        raise ValueError(str(error)) from error
    return text


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_bounded),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?[smhdw]$", "examples": ["6h"]}),
]


def _lasting(text: str) -> Any:
    """A duration as default, which the JSON Schema shows as the contract writes it."""
    return Field(default=parse_duration(text), json_schema_extra={"default": text})


ExpressionText = Annotated[str, AfterValidator(_expression)]
Share = Annotated[float, Field(ge=0, le=1)]
ColumnName = Annotated[str, Field(min_length=1, max_length=128)]
SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Section(BaseModel):
    """A part of the contract: unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Target(Section):
    """What is to be predicted: a column, or an expression over columns."""

    name: ColumnName
    expression: ExpressionText | None = None


def _target_by_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _text(value: Any) -> Any:
    """YAML reads true and 7 as what they are; where texts are listed, their spelling is meant."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _texts(value: Any) -> Any:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _named_texts(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {_text(name): texts for name, texts in value.items()}


Texts = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], BeforeValidator(_texts)
]
ZoneName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{1,40}$")]


class Join(Section):
    """How a source is joined to the primary: by key, and as of a time where given.

    `format` and `timezone` say how the `as_of` column is written, as `quality.columns` does.
    """

    on: list[ColumnName] = Field(min_length=1)
    as_of: ColumnName | None = None
    tolerance: Duration | None = None
    format: Texts = []
    timezone: ZoneName | None = None

    @model_validator(mode="after")
    def _needs_as_of(self) -> Self:
        for field in ("tolerance", "format", "timezone"):
            if getattr(self, field) and self.as_of is None:
                raise ValueError(f"{field} needs as_of: name the source's time column there")
        return self


class BaseSource(Section):
    """What every kind of source has."""

    name: SourceName
    primary: bool = False
    format: Literal["csv", "parquet", "json", "excel"] | None = None
    join: Join | None = None


class S3Source(BaseSource):
    """Files that people drop under ``incoming/<name>/`` of the stack's bucket."""

    kind: Literal["s3"]


class HttpSource(BaseSource):
    """A file at a public https address."""

    kind: Literal["http"]
    url: str = Field(pattern=r"^https?://", max_length=2000)
    insecure: bool = False
    maximum_bytes: int = Field(default=500_000_000, gt=0)
    maximum_seconds: int = Field(default=600, gt=0, le=840)

    @model_validator(mode="after")
    def _https_unless_said(self) -> Self:
        if self.url.startswith("http://") and not self.insecure:
            raise ValueError("url is plain http: use https, or set insecure: true to accept it")
        return self


class GoogleSheetSource(BaseSource):
    """A Google sheet: published, or private with a service account from Secrets Manager.

    `gid` chooses the tab (the number behind ``#gid=`` in its address; default the first),
    `range` is in A1 notation, `header` counts the range's rows down to the column names.
    """

    kind: Literal["google_sheet"]
    sheet: str = Field(pattern=r"^[A-Za-z0-9_-]{10,}$")
    range: str | None = Field(default=None, min_length=1, max_length=200)
    gid: int | None = Field(default=None, ge=0)
    header: int = Field(default=1, ge=1, le=1000)
    secret: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_way_to_the_tab(self) -> Self:
        named = self.range is not None and "!" in self.range
        if named and self.gid is not None:
            raise ValueError("range names a tab and so does gid: give one of them")
        if named and self.secret is None:
            raise ValueError(
                "a published sheet's range cannot name a tab: give the tab as gid, the number "
                "behind #gid= in its address, and the range without it"
            )
        return self


class Filter(Section):
    """Which rows of a table: its values are bound, never written into the statement."""

    column: ColumnName
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "in", "is null", "is not null"] = "="
    value: str | int | float | bool | datetime | list[str | int | float] | None = None

    @model_validator(mode="after")
    def _value_suits(self) -> Self:
        if (self.value is None) != self.operator.startswith("is "):
            raise ValueError(f"operator '{self.operator}' and value {self.value!r} do not fit")
        if isinstance(self.value, list) != (self.operator == "in"):
            raise ValueError("a list of values goes with operator: in, and only with that")
        if self.value == []:
            raise ValueError("operator: in needs one value or more")
        return self


class DatabaseSource(BaseSource):
    """A table or one query of a database, read with credentials from Secrets Manager.

    With a `watermark` column only rows that are not below its last value are read again.
    """

    kind: Literal["database"]
    engine: Literal["postgresql", "mysql", "redshift"]
    secret: str = Field(min_length=1)
    table: str | None = Field(default=None, min_length=1, max_length=200)
    query: str | None = Field(default=None, min_length=1)
    columns: list[ColumnName] = []
    filters: list[Filter] = []
    watermark: ColumnName | None = None
    statement_timeout: Duration = timedelta(minutes=5)

    @model_validator(mode="after")
    def _table_or_query(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query, and not both")
        if self.query is not None and self.filters:
            raise ValueError("filters go with table: write the query's own where")
        return self


Source = Annotated[
    S3Source | HttpSource | GoogleSheetSource | DatabaseSource, Field(discriminator="kind")
]


SOURCE_KINDS = ("s3", "http", "google_sheet", "database")


class Fill(Section):
    """A constant in place of missing values, in training and in every request alike."""

    value: str | int | float | bool


class ColumnRule(Section):
    """How a column is written and what it must hold; rows that break it are quarantined by name.

    A `type` is read as declared, `minimum`, `maximum` and `allowed` bound its values, `required`
    is the short form of `missing: quarantine`.
    Times: `format` lists strptime formats or epoch_s, epoch_ms, epoch_us, epoch_ns (default:
    ISO 8601, or what all values agree on); `timezone` (IANA) is that of times without one.
    Numbers: `unit` is that of the clean column; values written with another unit are converted,
    and numbers without one are in `source_unit` (default: `unit`).
    Texts: `aliases` maps a spelling to others that mean it; with `case: merge` spellings that
    differ in case alone become the most frequent one. `pattern` is an RE2 regular expression
    that the whole text must match.
    `missing_values` are further marks for a missing value, such as -999; `missing` says what
    happens to missing ones: `keep` hands them to the model, whose graph handles them, a statistic
    is that of the training rows, `{value: ...}` is a constant.
    """

    type: Literal["int", "float", "category", "text", "timestamp", "bool"] | None = None
    format: Texts = []
    timezone: ZoneName | None = None
    unit: str | None = Field(default=None, min_length=1, max_length=30)
    source_unit: str | None = Field(default=None, min_length=1, max_length=30)
    minimum: float | None = None
    maximum: float | None = None
    allowed: list[str | int | float | bool] | None = None
    pattern: str | None = Field(default=None, min_length=1, max_length=500)
    aliases: Annotated[dict[str, Texts], BeforeValidator(_named_texts)] = {}
    case: Literal["merge", "keep"] = "merge"
    required: bool = False
    missing_values: list[str | int | float] = []
    missing: Literal["keep", "quarantine", "median", "mean", "most_frequent"] | Fill = "keep"

    @property
    def refuses_missing(self) -> bool:
        """Whether a row without a value is quarantined."""
        return self.required or self.missing == "quarantine"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self

    @model_validator(mode="after")
    def _suits_its_type(self) -> Self:
        wanted = {
            "format": ("timestamp",), "timezone": ("timestamp",), "unit": ("int", "float"),
            "source_unit": ("int", "float"), "pattern": ("category", "text"),
            "aliases": ("category", "text", "bool"),
        }  # fmt: skip
        for field, types in wanted.items():
            if getattr(self, field) and self.type is not None and self.type not in types:
                raise ValueError(
                    f"{field} is for type {' or '.join(types)}, not '{self.type}'; leave one out"
                )
        if self.source_unit is not None and self.unit is None:
            raise ValueError("source_unit needs unit: name the unit of the clean column there")
        if self.missing in ("median", "mean") and self.type not in (None, "int", "float"):
            raise ValueError(f"missing: {self.missing} is for numbers, not type '{self.type}'")
        if self.required and self.missing not in ("keep", "quarantine"):
            raise ValueError("required and missing contradict each other: give one of them")
        return self

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Self:
        others = [other for spellings in self.aliases.values() for other in spellings]
        double = next((other for other in others if others.count(other) > 1), None)
        if double is not None:
            raise ValueError(f"aliases give '{double}' two meanings: list it once")
        return self


class Quality(Section):
    """When data is good enough to go on with.

    At least `minimum_rows` accepted rows, at most a share `maximum_quarantined` that breaks a rule
    (none where `on_violation` is fail); columns with more than `maximum_missing` missing are
    dropped and named, and `columns` has a rule for each column that needs one.
    `unique` columns name a row: identical repeats are left out, others contradict each other
    (default: `entity_key` with `event_time`, where both are given). `checks` are conditions that
    hold in every row whose columns are known. `outliers` is the modified z score beyond which a
    number is flagged, 3.5 after Iglewicz and Hoaglin (1993); null flags none. Texts of which
    `numeric_share` are numbers (or times) are a column of those; a category with more distinct
    values than `identifier_share` of its rows names single rows and is no feature.
    `schema_drift` says whether a source's changed schema is reported or fails the run.
    """

    minimum_rows: int = Field(default=100, ge=10)
    maximum_missing: Share = 0.4
    on_violation: Literal["quarantine", "fail"] = "quarantine"
    maximum_quarantined: Share = 0.05
    unique: list[ColumnName] = []
    checks: list[ExpressionText] = []
    outliers: float | None = Field(default=3.5, gt=0)
    schema_drift: Literal["report", "fail"] = "report"
    numeric_share: float = Field(default=0.98, gt=0.5, le=1)
    identifier_share: Share = 0.9
    columns: dict[ColumnName, ColumnRule] = {}


class Analysis(Section):
    """The thresholds that the analysis and the question whether ML is needed decide by.

    `significance` is the family-wise error rate of all columns (Fisher 1925, corrected after Holm
    1979). `leakage` is the strength (2 AUC - 1, |rho|, V) at which one column alone nearly decides
    the target; `late` the share of rows in which a time lies after the event time, or by which rows
    with a target have a column more often than rows without, at which it is known afterwards only.
    `redundancy` is the association of two columns above which one adds little. `seasonality` is
    the share of the target's rank variance, 0.01 being a small effect after Cohen (1988).
    A `gap` is a time between rows so many times the usual one. `resamples` and `permutations`
    follow Efron and Tibshirani (1993); `chance` is the p value below which a quick model's answers
    are told from chance. `sample_rows` bounds what relations and quick models are computed on.
    """

    sample_rows: int = Field(default=20_000, ge=100)
    significance: float = Field(default=0.05, gt=0, lt=1)
    leakage: Share = 0.98
    late: Share = 0.5
    redundancy: Share = 0.95
    seasonality: Share = 0.01
    gap: float = Field(default=20, gt=1)
    resamples: int = Field(default=1000, ge=100, le=10_000)
    permutations: int = Field(default=500, ge=100, le=10_000)
    chance: float = Field(default=0.01, gt=0, lt=0.5)


LARGEST_MEMORY = 10_240  # MB, Lambda's limit


class Scaling(Section):
    """When work is too large for Lambda, with its 10 GB and 15 minutes.

    `memory` (MB) is what the functions that hold all rows get; new AWS accounts allow 3,008, older
    ones up to 10,240. `lambda_rows` is how many collected rows of all sources 10,240 MB take, as
    `make bench` measured on the flights of 2013; less memory takes proportionally fewer.
    """

    memory: int = Field(default=3008, ge=1024, le=LARGEST_MEMORY)
    lambda_rows: int = Field(default=4_000_000, ge=1000)

    def rows_in(self, memory: int) -> int:
        """How many rows a function of so many MB takes."""
        return int(self.lambda_rows * min(1.0, memory / LARGEST_MEMORY))


class Window(Section):
    """A history feature of an entity: a function of a column over a period before the row."""

    column: ColumnName
    function: Literal["count", "sum", "mean", "minimum", "maximum", "time_since"]
    over: Duration
    as_: ColumnName = Field(alias="as")

    model_config = ConfigDict(populate_by_name=True)


RecipeName = Literal[
    "basic", "calendar", "target_encoding", "interactions", "text", "selection"
]  # fmt: skip


class Features(Section):
    """What may become a feature, and how often engineering may be tried again.

    Each turn adds one recipe to those before it, beginning with `basic` (numbers as they are,
    categories encoded): `calendar` (dates, cycles and spans of timestamps), `target_encoding` (the
    target's mean per category), `interactions` (ratios, products, squares), `text` (hashed words
    and word pairs), `selection` (only features that help). Recipes that change nothing for the
    data's columns are left out. With `auto` what evaluation found weak decides which one is next;
    a list of `recipes` is climbed in its order.
    """

    exclude: list[ColumnName] = []
    windows: list[Window] = []
    recipes: Literal["auto"] | list[RecipeName] = "auto"
    maximum_iterations: int = Field(default=3, ge=1, le=10)


class Slice(Section):
    """A column whose every value must reach a floor of the objective's metric."""

    column: ColumnName
    floor: float


class Objective(Section):
    """What counts as good enough; the direction follows from the metric."""

    metric: Metric
    threshold: float
    minimum_gain: float = Field(default=0.0, ge=0)
    slices: list[Slice] = []


class Baseline(Section):
    """What people do today without ML, as a rule in the closed grammar.

    With `serve` a rule that meets the objective is deployed behind the endpoint like a model.
    """

    rule: ExpressionText | None = None
    serve: bool = False

    @model_validator(mode="after")
    def _something_to_serve(self) -> Self:
        if self.serve and self.rule is None:
            raise ValueError("serve needs rule: write the rule that is to answer requests")
        return self


class Exploration(Section):
    """How far to look for models; `rows` and `seconds` bound the search, not the training."""

    candidates: Literal["auto"] | list[str] = "auto"
    folds: int = Field(default=5, ge=2, le=20)
    seconds: int = Field(default=120, ge=1)
    rows: int = Field(default=50_000, ge=50)


class Evaluation(Section):
    """How a model is judged: the share held out and the confidence of the intervals."""

    holdout: float = Field(default=0.2, gt=0, lt=0.9)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


class Canary(Section):
    """The share of live traffic that a new version gets first, and for how long."""

    share: float = Field(default=0.1, gt=0, lt=1)
    minutes: float = Field(default=10, ge=0, le=1440)


class Deployment(Section):
    """How the endpoint is protected and how a new version reaches it."""

    auth: Literal["iam", "jwt"] = "iam"
    jwt_issuer: str | None = None
    jwt_audience: list[str] = []
    approval: bool = False
    canary: Canary | None = Canary()

    @model_validator(mode="after")
    def _jwt_is_complete(self) -> Self:
        if self.auth == "jwt" and not (self.jwt_issuer and self.jwt_audience):
            raise ValueError("auth: jwt needs jwt_issuer and jwt_audience")
        return self


class Monitoring(Section):
    """How often live use is compared with training, and what is too far away."""

    every: Duration = _lasting("1h")
    drift: float = Field(default=0.2, gt=0)
    label_delay: Duration = _lasting("1d")
    quality_floor: float | None = None

    @field_validator("every")
    @classmethod
    def _schedulable(cls, value: timedelta) -> timedelta:
        if value < timedelta(minutes=1) or value.total_seconds() % 60:
            raise ValueError("every is a whole number of minutes, 1m or more")
        return value


class Retraining(Section):
    """What starts a new turn, and what holds it back."""

    on: list[Literal["drift", "quality", "new_rows", "age"]] = [
        "drift",
        "quality",
        "new_rows",
        "age",
    ]
    new_rows: int = Field(default=20_000, ge=1)
    maximum_age: Duration = _lasting("90d")
    cooldown: Duration = _lasting("6h")
    monthly_runs: int = Field(default=30, ge=1)
    stop_after_failed_challengers: int = Field(default=3, ge=1)


class Problem(Section):
    """A whole problem contract."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    statement: str = Field(min_length=10, max_length=2000)
    task: Task
    target: Annotated[
        Target, BeforeValidator(_target_by_name, json_schema_input_type=ColumnName | Target)
    ]
    positive_class: str | int | float | bool | None = None
    entity_key: list[ColumnName] = []
    event_time: ExpressionText | None = None
    sources: list[Source] = Field(min_length=1, max_length=20)
    quality: Quality = Quality()
    analysis: Analysis = Analysis()
    features: Features = Features()
    objective: Objective
    baseline: Baseline = Baseline()
    exploration: Exploration = Exploration()
    evaluation: Evaluation = Evaluation()
    deployment: Deployment = Deployment()
    monitoring: Monitoring = Monitoring()
    retraining: Retraining = Retraining()
    scaling: Scaling = Scaling()

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
            document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
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
            raise ContractError("\n".join(describe(error, document))) from error

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


def describe(error: ValidationError, document: Any) -> list[str]:
    """One sentence for each mistake: the field, its value, and what to write instead."""
    told: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        field, message = _describe(dict(item), document)
        told.setdefault(field, []).append(message)
    return [f"{field}: {' or '.join(messages)}" for field, messages in told.items()]


def _describe(item: dict[str, Any], document: Any) -> tuple[str, str]:
    field = _format_path(_path(item, document)) or "contract"
    if item["type"] == "missing":
        return field, "is missing; add it"
    if item["type"] == "extra_forbidden":
        return field, f"is not a field of the contract; {_nearest(item['loc'])}"
    if item["type"] == "union_tag_not_found":
        return f"{field}.kind", f"is missing; add one of {', '.join(SOURCE_KINDS)}"
    if item["type"] == "union_tag_invalid":
        kinds = ", ".join(SOURCE_KINDS)
        return f"{field}.kind", f"'{item['ctx']['tag']}' is no kind of source; use one of {kinds}"
    message, value = str(item["msg"]).removeprefix("Value error, "), item.get("input")
    told = isinstance(value, dict | list) or repr(value) in message
    shown = "" if told else f" (given: {value!r})"
    return field, f"{message[:1].lower()}{message[1:]}{shown}"


def _path(item: dict[str, Any], document: Any) -> list[Any]:
    """The place of a mistake in the document, without pydantic's names for a union's branches."""
    path: list[Any] = []
    node = document
    for part in item["loc"]:
        if _is_in(node, part):
            node = node[part]
            path.append(part)
    return [*path, item["loc"][-1]] if item["type"] == "missing" else path


def _is_in(node: Any, part: Any) -> bool:
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node)
    return isinstance(node, Mapping) and part in node


def _format_path(path: list[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _nearest(location: tuple[Any, ...]) -> str:
    """Suggest the nearest known name beside the one that is not known."""
    names = sorted(_fields_at(location[:-1]))
    close = get_close_matches(str(location[-1]), names, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"the fields there are {', '.join(names)}"


def _fields_at(location: tuple[Any, ...]) -> set[str]:
    """The names known at a place of the contract, read from the models themselves."""
    schema = Problem.model_json_schema()
    node: dict[str, Any] = schema
    for part in location:
        node = _step(node, part, schema["$defs"])
    return set(_resolve(node, schema["$defs"]).get("properties", {}))


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    options = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
    if options:
        node = next((option for option in options if "$ref" in option), options[0])
    reference = node.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = definitions[reference] if reference else node
    return found


def _step(node: dict[str, Any], part: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    node = _resolve(node, definitions)
    if isinstance(part, int):
        item: dict[str, Any] = node.get("items", {})
        return item
    mapping = node.get("discriminator", {}).get("mapping", {})
    if part in mapping:
        return {"$ref": mapping[part]}
    step: dict[str, Any] = node.get("properties", {}).get(
        part, node.get("additionalProperties", {})
    )
    return step if isinstance(step, dict) else {}
