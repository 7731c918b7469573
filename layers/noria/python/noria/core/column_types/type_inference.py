"""The type of a column: as the contract declares it, or inferred from its values."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd
from pandas.api.types import infer_dtype

from noria.common.categories import Spellings, spellings_of, tidy
from noria.common.missing_marks import USUAL_MARKS, MissingMarks, marks_of
from noria.contracts import ColumnRule, Quality
from noria.core.column_types.cell_values import cleaned_text as cleaned_text
from noria.core.column_types.cell_values import is_textual, numbers_of, text_counts
from noria.core.column_types.cell_values import without_marks as without_marks
from noria.core.column_types.codes import code_among, code_notes
from noria.core.column_types.column_marks import named_by_rule
from noria.core.column_types.counted_times import counted_times, times_of
from noria.core.column_types.event_time import reading_of
from noria.core.column_types.numeric_columns import declared_numbers, numbers_in_texts
from noria.core.column_types.timestamp_parsing import Guess, guess, read_times
from noria.core.ingestion.raw_text import values_as_text

ColumnKind = Literal["number", "category", "timestamp", "bool", "text", "identifier", "target"]
TRUE_TEXTS = frozenset({"true", "t", "yes", "y", "on"})
FALSE_TEXTS = frozenset({"false", "f", "no", "n", "off"})
NO_RULE = ColumnRule()
DEFAULTS = Quality()


@dataclass(frozen=True)
class Typed:
    """A converted column; `unreadable` marks the values that are not of its type.

    `spellings` is how texts were brought to one spelling each, `merged` which of them changed,
    `converted` counts the values that came in another unit, `decimal` is the decimal mark of
    numbers and `formats` are those of times that were written as texts, `notes` are for people.
    `marks` is what means missing, `marked` counts the texts that did.
    """

    kind: ColumnKind
    values: pd.Series
    unreadable: pd.Series
    spellings: Spellings = field(default_factory=Spellings)
    merged: dict[str, str] = field(default_factory=dict)
    converted: dict[str, int] = field(default_factory=dict)
    decimal: str | None = None
    formats: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    marks: MissingMarks = USUAL_MARKS
    marked: dict[str, int] = field(default_factory=dict)


def declared_type(rule: ColumnRule) -> str | None:
    """Return the type that a rule declares, by its name or by what only that type has."""
    if rule.type is not None:
        return rule.type
    bounds = (rule.unit, rule.decimal, rule.minimum, rule.maximum)
    if any(bound is not None for bound in bounds):
        return "float"
    if rule.format or rule.timezone:
        return "timestamp"
    return "category" if rule.aliases or rule.pattern else None


def typed_column(
    values: pd.Series,
    rule: ColumnRule = NO_RULE,
    quality: Quality = DEFAULTS,
    marks: MissingMarks | None = None,
) -> Typed:
    """Convert a column as its rule says, else as its values suggest.

    `marks` mean missing (default: what the rule alone says).
    """
    if marks is None:
        marks = marks_of(rule.missing_values, set(named_by_rule(rule)))
    present = _tidied(without_marks(values, marks.given), marks)
    if declared_type(rule) is None and is_textual(present) and present.isin(marks.kept).any():
        rule = rule.model_copy(update={"type": "category"})  # a mark is a value, and no number
    column = _typed(present, rule, quality)
    return replace(column, marks=marks, marked=_marked(values, present))


def _marked(values: pd.Series, present: pd.Series) -> dict[str, int]:
    """Count the texts that meant missing, the most frequent first."""
    if not is_textual(values):
        return {}
    counts = Counter[str]()
    for text, count in text_counts(values[values.notna() & present.isna()]).items():
        counts[tidy(text)] += count
    return {text: count for text, count in counts.most_common() if text}


def _typed(values: pd.Series, rule: ColumnRule, quality: Quality) -> Typed:
    declared = declared_type(rule)
    if declared is None:
        return _inferred(values, rule, quality)
    present = values.notna()
    if declared in ("int", "float"):
        return _declared_number(values, present, rule, quality)
    if declared == "timestamp":
        return _declared_time(values, present, rule, quality)
    if declared == "bool":
        spelled = _spelled(values_as_text(values), rule, quality).values if rule.aliases else values
        booleans = _booleans(spelled)
        return Typed("bool", booleans, present & booleans.isna())
    texts = _spelled(values_as_text(values), rule, quality)
    return texts if declared == "category" else Typed("text", *_of(texts))


def _tidied(values: pd.Series, marks: MissingMarks) -> pd.Series:
    """Bring texts, and mixtures that are read as texts, to tidy ones; booleans stay booleans."""
    if not is_textual(values) or infer_dtype(values, skipna=True) == "boolean":
        return values
    return cleaned_text(values, marks)


def _of(column: Typed) -> tuple[pd.Series, pd.Series, Spellings, dict[str, str]]:
    return column.values, column.unreadable, column.spellings, column.merged


def _declared_number(
    values: pd.Series, present: pd.Series, rule: ColumnRule, quality: Quality
) -> Typed:
    found = declared_numbers(values.where(present), rule, quality)
    numbers = found.numbers
    if declared_type(rule) == "int":
        numbers = numbers.where(numbers.isna() | (numbers % 1 == 0))
    unreadable = present & numbers.isna()
    return Typed(
        "number", numbers, unreadable, converted=found.converted, decimal=found.decimal,
        notes=found.notes,
    )  # fmt: skip


def _declared_time(
    values: pd.Series, present: pd.Series, rule: ColumnRule, quality: Quality
) -> Typed:
    reading, notes = reading_of(rule, quality), tuple[str, ...]()
    numbers = None if rule.format else counted_times(values)
    if numbers is not None:
        times, told = times_of(values, numbers, reading)
        return Typed("timestamp", times, present & times.isna(), notes=told)
    if not rule.format and isinstance(values.dtype, pd.StringDtype):
        counts = values.value_counts()
        found = guess(counts.index.tolist(), counts.tolist(), quality.declared_share)
        formats = found.reading.formats if found.reading is not None else ("ISO8601",)
        reading, notes = replace(reading, formats=formats), _about_order(values.name, found)
    times = read_times(values.where(present), reading)
    unreadable = present & times.isna()
    return Typed("timestamp", times, unreadable, formats=reading.formats, notes=notes)


def _inferred(values: pd.Series, rule: ColumnRule, quality: Quality) -> Typed:
    """Infer number, bool, timestamp or category from what kind of values a column has."""
    nothing = pd.Series(False, index=values.index)
    if pd.api.types.is_bool_dtype(values):
        return Typed("bool", values.astype("boolean").astype("float64"), nothing)
    if pd.api.types.is_numeric_dtype(values):
        numbers = numbers_of(values)
        return Typed("number", numbers, values.notna() & numbers.isna())
    if pd.api.types.is_datetime64_any_dtype(values):
        return Typed("timestamp", read_times(values), nothing)
    return _inferred_from_texts(values_as_text(values), rule, quality)


def _inferred_from_texts(text: pd.Series, rule: ColumnRule, quality: Quality) -> Typed:
    """Infer a type from tidy texts; a few stray ones among numbers or times are unreadable."""
    if _all_booleans(text):
        return Typed("bool", _booleans(text), pd.Series(False, index=text.index))
    counts, present = text.value_counts(), text.notna()
    guessed = guess(counts.index.tolist(), counts.tolist(), quality.numeric_share)
    notes = _about_order(text.name, guessed)
    if guessed.reading is not None:
        times, formats = read_times(text, guessed.reading), guessed.reading.formats
        return Typed("timestamp", times, present & times.isna(), formats=formats, notes=notes)
    code = code_among(counts.index)
    if code is None:
        found = numbers_in_texts(text, quality.numeric_share)
        unreadable = present & found.numbers.isna()
        if present.any() and unreadable.sum() <= (1 - quality.numeric_share) * present.sum():
            return Typed(
                "number", found.numbers, unreadable, decimal=found.decimal, notes=found.notes
            )
        notes += found.notes
    else:
        notes += code_notes(text.name, code, counts.index)
    return Typed("category", *_of(_spelled(text, rule, quality)), notes=notes)


def _about_order(name: object, found: Guess) -> tuple[str, ...]:
    """Say by what the order of day and month was recognised, or ask for it."""
    if found.question is not None:
        return (
            f"{name}: {found.question}, so its dates were not read: "
            f"declare quality.columns.{name}.format, such as %d/%m/%Y",
        )
    return (f"{name}: dates read as {found.order}",) if found.order is not None else ()


def _spelled(text: pd.Series, rule: ColumnRule, quality: Quality) -> Typed:
    """Bring tidy texts to one spelling each; what was written otherwise is in `merged`."""
    counts = text_counts(text)
    spellings = spellings_of(
        counts,
        aliases=rule.aliases,
        preferred=[str(value) for value in rule.allowed or () if isinstance(value, str)],
        merge_case=rule.case == "merge" and len(counts) <= quality.merged_spellings,
    )
    merged = {name: spellings(name) for name in counts if spellings(name) != name}
    kept = text.replace(merged) if merged else text
    nothing = pd.Series(False, index=text.index)
    return Typed("category", kept, nothing, spellings, merged)


def _booleans(values: pd.Series) -> pd.Series:
    """Read booleans as 1.0 and 0.0; anything else becomes NaN."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("boolean").astype("float64")
    if pd.api.types.is_numeric_dtype(values):
        return values.where(values.isin([0, 1])).astype("float64")
    booleans = {**dict.fromkeys(TRUE_TEXTS | {"1"}, 1.0), **dict.fromkeys(FALSE_TEXTS | {"0"}, 0.0)}
    return values_as_text(values).str.lower().map(booleans).astype("float64")


def _all_booleans(text: pd.Series) -> bool:
    distinct = {value.lower() for value in text.dropna().unique()}
    pairs = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"))
    return any(distinct == set(pair) for pair in pairs) or distinct in ({"true"}, {"false"})
