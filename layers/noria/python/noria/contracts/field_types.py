"""What fields of several sections are made of: durations, expressions, shares, names, texts."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from noria.common.expressions import parse_field
from noria.contracts.cross_checks import Disagreement, DisagreementError, checks_of
from noria.errors import ExpressionError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=36500)
NAME_PATTERN = r"^[a-z][a-z0-9-]{1,40}$"
SOURCE_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
ZONE_PATTERN = r"^[A-Za-z][A-Za-z0-9_+/-]{1,40}$"


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
    """The text, in double quotes where it can only be the name of a column."""
    try:
        return parse_field(text).text
    except ExpressionError as error:
        # As a ValueError it is told with its field, among the contract's other mistakes.
        raise ValueError(str(error)) from error


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_bounded),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?[smhdw]$", "examples": ["6h"]}),
]


def lasting(text: str) -> Any:
    """A duration as default, which the JSON Schema shows as the contract writes it."""
    return Field(default=parse_duration(text), json_schema_extra={"default": text})


ExpressionText = Annotated[str, AfterValidator(_expression)]
Share = Annotated[float, Field(ge=0, le=1)]
LONGEST_HEADER = 1000  # some are whole questions
ColumnName = Annotated[str, Field(min_length=1, max_length=LONGEST_HEADER)]
SourceName = Annotated[str, Field(pattern=SOURCE_PATTERN)]


def _unwrapped(schema: dict[str, Any]) -> None:
    """Put each description of a JSON Schema on one line."""
    for node in (schema, *schema.get("properties", {}).values()):
        if "description" in node:
            node["description"] = " ".join(node["description"].split())


class Section(BaseModel):
    """A part of the contract: unknown fields are errors, values do not change.

    A field's docstring is its description in the JSON Schema.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_extra=_unwrapped,
    )

    def disagreements(self, doubtful: Collection[str] = ()) -> list[Disagreement]:
        """Say which fields contradict each other, leaving out checks of fields in doubt."""
        return [
            Disagreement(*told)
            for check in checks_of(type(self))
            if not check.concerns(doubtful)
            for told in check.run(self)
        ]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        found = self.disagreements()
        if found:
            raise DisagreementError(found)
        return self


def _text(value: Any) -> Any:
    """YAML reads true and 7 as what they are; where texts are listed, their spelling is meant."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _texts(value: Any) -> Any:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def named_texts(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {_text(name): texts for name, texts in value.items()}


Texts = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], BeforeValidator(_texts)
]
ZoneName = Annotated[str, Field(pattern=ZONE_PATTERN)]
