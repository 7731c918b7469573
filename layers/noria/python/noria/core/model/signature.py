"""What a model version takes and answers: the contract between training and the endpoint."""

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

from noria.core.data.dataset import Column, Kind
from noria.core.data.notation import Notation
from noria.core.model.calibration import Calibration, ReliabilityBin
from noria.core.model.decision import Decision
from noria.core.model.partial_dependence import PartialDependence
from noria.core.model.prediction_interval import PredictionInterval
from noria.core.model.robustness import FieldRobustness
from noria.core.model.written_types import DataType, Label, LabelType, is_number, parse_label
from noria.core.statistics.metrics import LABEL_THRESHOLD
from noria.core.windows.lookup_spec import LookupSpec

Value = bool | int | float | str | None
TYPES: dict[Kind, DataType] = {
    "number": "number", "category": "string", "text": "string", "timestamp": "string"
}  # fmt: skip


def input_name(column: str) -> str:
    """Name the graph input of a column, apart from every inner tensor's name."""
    return f"field:{column}"


class Field(BaseModel):
    """One raw column as training saw it; timestamps are epoch seconds (UTC).

    A missing value is taken as `fill`; a text as what `spellings` has for it (its key without
    regard to case where `fold`); a number is in `unit`; a time without a zone is one of `zone`.
    `data_type` is what the data had, as JSON names it, `notation` how they wrote it. Answers only
    rise, or only fall, with a number that is `monotone`.
    A number is a double where `double`, else it is rounded to 32 bits.
    `values` are the most frequent texts, `further` the others: all, where `distinct` are both.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Kind
    minimum: float | None = None
    low: float | None = None
    high: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    distinct: int | None = None
    missing: float = 0.0
    fill: float | str | None = None
    spellings: dict[str, str] = {}
    fold: bool = False
    unit: str | None = None
    zone: str | None = None
    data_type: DataType | None = None
    notation: Notation = Notation()
    double: bool = False
    monotone: Literal["increasing", "decreasing"] | None = None

    @property
    def type(self) -> DataType:
        """The type of its values in the data, as JSON names it."""
        return self.data_type or TYPES[self.kind]

    @property
    def takes_truths(self) -> bool:
        """Whether JSON's true and false are values: of flags, written 1 and 0 at times."""
        flag = self.type == "integer" and self.minimum in (0, 1) and self.maximum in (0, 1)
        return self.notation.boolean or flag

    @cached_property
    def known_texts(self) -> frozenset[str]:
        """The texts of a category that training knows."""
        texts = (*self.values, *self.further, *self.spellings, *self.spellings.values())
        return frozenset(texts)

    @cached_property
    def seen_texts(self) -> frozenset[str] | None:
        """The texts that training saw, the empty one of a missing value too; None if not all."""
        if self.distinct != len(self.values) + len(self.further):
            return None
        return frozenset(["", *self.values, *self.further])

    @cached_property
    def has_numbers(self) -> bool:
        """Whether a text of a category is a number."""
        return any(is_number(text) for text in self.known_texts)

    def truth_text(self, value: bool) -> str | None:
        """The text of a category that stands for true or false, if there is one."""
        return next((text for text in self.values if text.lower() == str(value).lower()), None)

    def plain(self, value: float | str) -> Value:
        """A value of the dataset in the type that it had in the data."""
        if self.type == "boolean":
            return value.lower() == "true" if isinstance(value, str) else bool(value)
        if self.type == "integer":
            return int(value)
        return float(str(value)) if self.type == "number" else value


class BlendMember(BaseModel):
    """A model in a blend: what it is, and its weight in the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    candidate: str
    recipe: str
    setting: str = ""
    weight: float

    def __str__(self) -> str:
        setting = f", {self.setting}" if self.setting else ""
        return f"{self.weight:.0%} {self.candidate} ({self.recipe}{setting})"


class Signature(BaseModel):
    """Everything about a model version that its users must know; stored beside `model.onnx`.

    `unused` features are those that the model does not read, `left_out` the columns of the data
    that are no features: requests may carry both, but for the target.
    `history` says how the time-window aggregations among the columns are looked up, `decision` from
    which probability on a binary model answers the positive class: without it from 0.5.
    `calibration` says how its probabilities were corrected, which its artifact does; without it
    `calibration_note` says why not, and `reliability` how true two classes' probabilities were on
    rows that the folds held out.
    A regression's `interval` says how far values lie from its answers.
    A `blend` answers the weighted mean of several models; `recipe` is then that of the best.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    problem: str
    statement: str = ""
    task: Literal["binary", "multiclass", "regression"]
    target: str
    classes: tuple[str, ...] = ()
    decision: Decision | None = None
    calibration: Calibration | None = None
    calibration_note: str = ""
    reliability: tuple[ReliabilityBin, ...] = ()
    interval: PredictionInterval | None = None
    label_type: LabelType = "str"
    columns: tuple[Field, ...]
    unused: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    history: LookupSpec | None = None
    example: dict[str, Value] = {}
    metric: str
    recipe: str
    candidate: str
    blend: tuple[BlendMember, ...] = ()
    iteration: int = 0
    seed: int = 0
    rows: int = 0
    importances: dict[str, float] = {}
    importance_errors: dict[str, float] = {}
    robustness: tuple[FieldRobustness, ...] = ()
    dependences: tuple[PartialDependence, ...] = ()
    versions: dict[str, str] = {}

    @property
    def threshold(self) -> float:
        """The probability from which on a binary model answers the positive class."""
        return self.decision.threshold if self.decision else LABEL_THRESHOLD

    @cached_property
    def names(self) -> list[str]:
        """List the request fields in order."""
        return [field.name for field in self.columns]

    @cached_property
    def known(self) -> frozenset[str]:
        """All fields that a request may carry."""
        looked_up_by = self.history.fields if self.history else []
        return frozenset([*self.names, *self.ignored, *looked_up_by])

    @cached_property
    def ignored(self) -> tuple[str, ...]:
        """The fields that a request may carry, of which nothing is read.

        The target is none: a caller who has it already has no question, or took another field's
        name for a feature's.
        """
        read = {*self.names, *(self.history.fields if self.history else []), self.target}
        return tuple(name for name in (*self.unused, *self.left_out) if name not in read)

    @property
    def asked(self) -> tuple[Field, ...]:
        """The fields that a caller gives: all but those that are looked up."""
        looked_up = self.history.names if self.history else []
        return tuple(field for field in self.columns if field.name not in looked_up)

    @property
    def dataset_columns(self) -> tuple[Column, ...]:
        """Return the columns as a dataset has them."""
        return tuple(Column(field.name, field.kind, double=field.double) for field in self.columns)

    @cached_property
    def class_labels(self) -> tuple[Label, ...]:
        """The classes in the type they had in the data, by their codes."""
        return tuple(parse_label(text, self.label_type) for text in self.classes)

    def label(self, code: int) -> Label:
        """Return a class in the type it had in the data."""
        return self.class_labels[code]
