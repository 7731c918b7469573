"""What a model version takes and answers: the contract between training and the endpoint."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from noria.core.data.dataset import Column, Kind
from noria.core.windows.lookup_spec import LookupSpec

LabelType = Literal["bool", "int", "str"]
Label = bool | int | str
Value = float | int | str | None


def input_name(column: str) -> str:
    """Name the graph input of a column, apart from every inner tensor's name."""
    return f"field:{column}"


class Field(BaseModel):
    """One raw column as training saw it; timestamps are epoch seconds (UTC).

    A missing value is taken as `fill`; a text as what `spellings` has for it (its key without
    regard to case where `fold`); a number is in `unit`; a time without a zone is one of `zone`.
    A number is a double where `double`, else it is rounded to 32 bits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Kind
    minimum: float | None = None
    low: float | None = None
    high: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    missing: float = 0.0
    fill: float | str | None = None
    spellings: dict[str, str] = {}
    fold: bool = False
    unit: str | None = None
    zone: str | None = None
    double: bool = False


class Signature(BaseModel):
    """Everything about a model version that its users must know; stored beside `model.onnx`.

    `unused` columns are those of the data that the model does not read: requests may carry them.
    `history` says how the time-window aggregations among the columns are looked up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    problem: str
    statement: str = ""
    task: Literal["binary", "multiclass", "regression"]
    target: str
    classes: tuple[str, ...] = ()
    label_type: LabelType = "str"
    columns: tuple[Field, ...]
    unused: tuple[str, ...] = ()
    history: LookupSpec | None = None
    example: dict[str, Value] = {}
    metric: str
    recipe: str
    candidate: str
    iteration: int = 0
    seed: int = 0
    rows: int = 0
    importances: dict[str, float] = {}
    versions: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """List the request fields in order."""
        return [field.name for field in self.columns]

    @property
    def known(self) -> frozenset[str]:
        """All fields that a request may carry."""
        looked_up_by = self.history.fields if self.history else []
        return frozenset([*self.names, *self.unused, *looked_up_by])

    @property
    def asked(self) -> tuple[Field, ...]:
        """The fields that a caller gives: all but those that are looked up."""
        looked_up = self.history.names if self.history else []
        return tuple(field for field in self.columns if field.name not in looked_up)

    @property
    def dataset_columns(self) -> tuple[Column, ...]:
        """Return the columns as a dataset has them."""
        return tuple(Column(field.name, field.kind, double=field.double) for field in self.columns)

    def label(self, code: int) -> Label:
        """Return a class in the type it had in the data."""
        return parse_label(self.classes[code], self.label_type)


def label_type_of(classes: tuple[str, ...]) -> LabelType:
    """Tell which type the class texts had before they were written as text."""
    if not classes:
        return "str"
    if all(text.lower() in ("true", "false") for text in classes):
        return "bool"
    return "int" if all(_is_integer(text) for text in classes) else "str"


def parse_label(text: str, label_type: LabelType) -> Label:
    """Turn a class text back into its value."""
    if label_type == "bool":
        return text.lower() == "true"
    return int(text) if label_type == "int" else text


def _is_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and str(int(text)) == text
