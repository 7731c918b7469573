"""The type of a column: as the contract declares it, or inferred from its values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from noria.contracts import ColumnRule
from noria.core.event_time import reading_of
from noria.core.parsing import MISSING_TEXTS, as_text
from noria.core.spelling import Spellings, spellings_of, tidy
from noria.core.times import MAJORITY, guess, read_times
from noria.core.units import in_unit

ColumnKind = Literal["number", "category", "timestamp", "bool", "text", "identifier", "target"]
TRUE_TEXTS = frozenset({"true", "t", "yes", "y", "on"})
FALSE_TEXTS = frozenset({"false", "f", "no", "n", "off"})
NUMERIC_SHARE = 0.98  # the contract's default for quality.numeric_share
LARGEST = float(np.finfo(np.float32).max)  # features are float32
NO_RULE = ColumnRule()


@dataclass(frozen=True)
class Typed:
    """A converted column; `unreadable` marks the values that are not of its type.

    `spellings` is how texts were brought to one spelling each, `merged` which of them changed,
    `converted` counts the values that came in another unit, `notes` are for people.
    """

    kind: ColumnKind
    values: pd.Series
    unreadable: pd.Series
    spellings: Spellings = field(default_factory=Spellings)
    merged: dict[str, str] = field(default_factory=dict)
    converted: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def declared_type(rule: ColumnRule) -> str | None:
    """Return the type that a rule declares, by its name or by what only that type has."""
    if rule.type is not None:
        return rule.type
    if rule.unit is not None:
        return "float"
    if rule.format or rule.timezone:
        return "timestamp"
    return "category" if rule.aliases or rule.pattern else None


def typed_column(
    values: pd.Series, rule: ColumnRule = NO_RULE, numeric_share: float = NUMERIC_SHARE
) -> Typed:
    """Convert a column as its rule says, else as its values suggest."""
    values = without_marks(values, rule.missing_values)
    declared = declared_type(rule)
    if declared is None:
        return _inferred(values, rule, numeric_share)
    present = ~missing(values)
    if declared in ("int", "float"):
        return _declared_number(values, present, rule, whole=declared == "int")
    if declared == "timestamp":
        return _declared_time(values, present, rule)
    if declared == "bool":
        truths = as_truth(_spelled(values, rule).values if rule.aliases else values)
        return Typed("bool", truths, present & truths.isna())
    spelled = _spelled(values, rule)
    return spelled if declared == "category" else Typed("text", *_of(spelled))


def _of(column: Typed) -> tuple[pd.Series, pd.Series, Spellings, dict[str, str]]:
    return column.values, column.unreadable, column.spellings, column.merged


def _declared_number(
    values: pd.Series, present: pd.Series, rule: ColumnRule, *, whole: bool
) -> Typed:
    converted: dict[str, int] = {}
    if rule.unit is not None:
        measured = in_unit(values.where(present), rule.unit, rule.source_unit)
        values, converted = measured.numbers, measured.converted
    numbers = _numbers(values)
    if whole:
        numbers = numbers.where(numbers.isna() | (numbers % 1 == 0))
    return Typed("number", numbers, present & numbers.isna(), converted=converted)


def _declared_time(values: pd.Series, present: pd.Series, rule: ColumnRule) -> Typed:
    times = read_times(values.where(present), reading_of(rule))
    unclear = not rule.format and _is_textual(values) and not times.notna().any()
    texts = cleaned_text(values).dropna().unique().tolist() if unclear else []
    notes = _unclear(values) if guess(texts, share=MAJORITY).ambiguous else ()
    return Typed("timestamp", times, present & times.isna(), notes=notes)


def _inferred(values: pd.Series, rule: ColumnRule, numeric_share: float) -> Typed:
    """Infer number, bool, timestamp or category; a few stray texts among numbers are unreadable."""
    nothing = pd.Series(False, index=values.index)
    if pd.api.types.is_bool_dtype(values):
        return Typed("bool", values.astype("boolean").astype("float64"), nothing)
    if pd.api.types.is_numeric_dtype(values):
        numbers = _numbers(values)
        return Typed("number", numbers, values.notna() & numbers.isna())
    if pd.api.types.is_datetime64_any_dtype(values):
        return Typed("timestamp", read_times(values), nothing)
    text = cleaned_text(values)
    present = text.notna()
    if _all_truths(text):
        return Typed("bool", as_truth(text), nothing)
    counts = text.value_counts()
    guessed = guess(counts.index.tolist(), counts.tolist(), numeric_share)
    if guessed.reading is not None:
        times = read_times(text, guessed.reading)
        return Typed("timestamp", times, present & times.isna())
    numbers = _numbers(text)
    mostly = present.any() and numbers.notna().sum() >= numeric_share * present.sum()
    if mostly and not text.str.match(r"^0\d").any():  # leading zeros: codes such as 02134
        return Typed("number", numbers, present & numbers.isna())
    spelled = _spelled(text, rule)
    return Typed("category", *_of(spelled), notes=_unclear(values) if guessed.ambiguous else ())


def _unclear(values: pd.Series) -> tuple[str, ...]:
    name, example = values.name, values.dropna().iloc[0]
    return (
        f"{name}: day and month could be either way round ({example!r}), so its dates stay text: "
        f"declare quality.columns.{name}.format, such as %d/%m/%Y",
    )


def _spelled(values: pd.Series, rule: ColumnRule) -> Typed:
    """Bring texts to one spelling each; what was written otherwise is in `merged`."""
    text = cleaned_text(values)
    counts = {str(name): int(count) for name, count in text.value_counts().items()}
    spellings = spellings_of(
        counts,
        aliases=rule.aliases,
        preferred=[str(value) for value in rule.allowed or () if isinstance(value, str)],
        merge_case=rule.case == "merge",
    )
    merged = {name: spellings(name) for name in counts if spellings(name) != name}
    kept = text.replace(merged) if merged else text
    nothing = pd.Series(False, index=values.index)
    return Typed("category", kept, nothing, spellings, merged)


def without_marks(values: pd.Series, marks: Iterable[str | int | float]) -> pd.Series:
    """Blank the values that the contract says stand for a missing one."""
    marks = list(marks)
    if not marks:
        return values
    if _is_textual(values):
        texts = {tidy(str(mark)) for mark in marks}
        numbers = {float(mark) for mark in marks if not isinstance(mark, str)}
        text = cleaned_text(values)
        hit = text.isin(texts) | _numbers(text).isin(numbers)
        return values.mask(hit, None)
    numbers = {float(mark) for mark in marks if _is_number(mark)}
    return values.mask(values.isin(numbers)) if pd.api.types.is_numeric_dtype(values) else values


def _is_number(mark: str | int | float) -> bool:
    try:
        float(mark)
    except ValueError:
        return False
    return True


def missing(values: pd.Series) -> pd.Series:
    """Mark nulls and the texts that stand for them."""
    if _is_textual(values):
        return cleaned_text(values).isna()
    return values.isna()


def cleaned_text(values: pd.Series) -> pd.Series:
    """Write values as tidy text, with the texts that mean missing as None."""
    text = as_text(values)
    codes, distinct = pd.factorize(text)
    plain = pd.Series([tidy(str(item)) for item in distinct], dtype="str")
    plain = plain.mask(plain.isin(MISSING_TEXTS), None)
    if values.dtype == text.dtype and plain.equals(pd.Series(distinct, dtype="str")):
        return text  # tidy already: most columns are, and a copy of each would be large
    return pd.Series(plain.reindex(codes).array, index=values.index, name=values.name)


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
    beyond = numbers.abs() > LARGEST
    return numbers.mask(beyond) if beyond.any() else numbers


def _all_truths(text: pd.Series) -> bool:
    distinct = {value.lower() for value in text.dropna().unique()}
    pairs = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"))
    return any(distinct == set(pair) for pair in pairs) or distinct in ({"true"}, {"false"})


def _is_textual(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.StringDtype) or values.dtype == object
