"""The type of a column: as the contract declares it, or inferred from its values."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from noria.core.event_time import looks_like_time, to_utc
from noria.core.parsing import MISSING_TEXTS, as_text

ColumnKind = Literal["number", "category", "timestamp", "bool", "text", "identifier", "target"]
TRUE_TEXTS = frozenset({"true", "t", "yes", "y", "on"})
FALSE_TEXTS = frozenset({"false", "f", "no", "n", "off"})
NUMERIC_SHARE = 0.98  # text of which at least this share are numbers is a column of numbers
LARGEST = float(np.finfo(np.float32).max)  # features are float32


@dataclass(frozen=True)
class Typed:
    """A converted column; `unreadable` marks the values that are not of its type."""

    kind: ColumnKind
    values: pd.Series
    unreadable: pd.Series


def as_declared(values: pd.Series, declared: str) -> Typed:
    """Convert to a type of the contract: int, float, category, timestamp, bool or text."""
    present = ~missing(values)
    if declared in ("int", "float"):
        numbers = _numbers(values)
        if declared == "int":
            numbers = numbers.where(numbers.isna() | (numbers % 1 == 0))
        return Typed("number", numbers, present & numbers.isna())
    if declared == "timestamp":
        times = to_utc(values.where(present))
        return Typed("timestamp", times, present & times.isna())
    if declared == "bool":
        truths = as_truth(values)
        return Typed("bool", truths, present & truths.isna())
    kind: ColumnKind = "text" if declared == "text" else "category"
    return Typed(kind, cleaned_text(values), pd.Series(False, index=values.index))


def inferred(values: pd.Series) -> Typed:
    """Infer number, bool, timestamp or category; a few stray texts among numbers are unreadable."""
    nothing = pd.Series(False, index=values.index)
    if pd.api.types.is_bool_dtype(values):
        return Typed("bool", values.astype("boolean").astype("float64"), nothing)
    if pd.api.types.is_numeric_dtype(values):
        numbers = _numbers(values)
        return Typed("number", numbers, values.notna() & numbers.isna())
    if pd.api.types.is_datetime64_any_dtype(values):
        return Typed("timestamp", to_utc(values), nothing)
    text = cleaned_text(values)
    present = text.notna()
    if _all_truths(text):
        return Typed("bool", as_truth(text), nothing)
    if looks_like_time(text):
        times = to_utc(text)
        return Typed("timestamp", times, present & times.isna())
    numbers = _numbers(text)
    mostly = present.any() and numbers.notna().sum() >= NUMERIC_SHARE * present.sum()
    if mostly and not text.str.match(r"^0\d").any():  # leading zeros: codes such as 02134
        return Typed("number", numbers, present & numbers.isna())
    return Typed("category", text, nothing)


def missing(values: pd.Series) -> pd.Series:
    """Mark nulls and the texts that stand for them."""
    if _is_textual(values):
        return cleaned_text(values).isna()
    return values.isna()


def cleaned_text(values: pd.Series) -> pd.Series:
    """Write values as stripped text, with the texts that mean missing as None."""
    text = as_text(values)
    codes, distinct = pd.factorize(text)
    stripped = pd.Series(distinct, dtype="str").str.strip()
    stripped = stripped.mask(stripped.isin(MISSING_TEXTS), None)
    return pd.Series(stripped.reindex(codes).array, index=values.index, name=values.name)


def as_truth(values: pd.Series) -> pd.Series:
    """Read booleans as 1.0 and 0.0; anything else becomes NaN."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("boolean").astype("float64")
    if pd.api.types.is_numeric_dtype(values):
        return values.where(values.isin([0, 1])).astype("float64")
    truths = {**dict.fromkeys(TRUE_TEXTS | {"1"}, 1.0), **dict.fromkeys(FALSE_TEXTS | {"0"}, 0.0)}
    return cleaned_text(values).str.lower().map(truths).astype("float64")


def _numbers(values: pd.Series) -> pd.Series:
    """Convert to numbers; what is not a finite number within float32 becomes missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(np.nan, index=values.index)
    if pd.api.types.is_integer_dtype(values) and not values.hasnans:
        return values
    if _is_textual(values):  # each distinct text is read once
        codes, distinct = pd.factorize(values)
        parsed = pd.Series(pd.to_numeric(pd.Series(distinct), errors="coerce"), dtype="float64")
        numbers = pd.Series(parsed.reindex(codes).to_numpy(), index=values.index)
    else:
        numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    return numbers.where(numbers.abs() <= LARGEST)


def _all_truths(text: pd.Series) -> bool:
    distinct = {value.lower() for value in text.dropna().unique()}
    pairs = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"))
    return any(distinct == set(pair) for pair in pairs) or distinct in ({"true"}, {"false"})


def _is_textual(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.StringDtype) or values.dtype == object
