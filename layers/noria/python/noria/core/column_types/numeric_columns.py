"""Columns of numbers: plain ones, those with separators and signs, and those with units."""

from dataclasses import dataclass, field

import pandas as pd

from noria.contracts import ColumnRule, Quality
from noria.core.column_types.cell_values import LARGEST, is_textual, numbers_of
from noria.core.column_types.number_parsing import Numerals, read_numerals
from noria.core.column_types.units import in_unit, number_part
from noria.core.ingestion.raw_text import values_as_text


@dataclass(frozen=True)
class Quantities:
    """Numbers (NaN where a value is none), notes for people, and counts of other units.

    `decimal` is the decimal mark of texts that are not plainly numbers.
    """

    numbers: pd.Series
    notes: tuple[str, ...] = ()
    converted: dict[str, int] = field(default_factory=dict)
    decimal: str | None = None


def declared_numbers(values: pd.Series, rule: ColumnRule, quality: Quality) -> Quantities:
    """Read a column of numbers or tidy texts, in its unit and by its decimal mark."""
    if rule.unit is not None:
        return _measured(values, rule.unit, rule, quality.declared_share)
    if isinstance(values.dtype, pd.StringDtype):
        share = 0.0 if rule.decimal else quality.declared_share
        return numbers_in_texts(values, share, rule.decimal)
    numbers = numbers_of(values)
    parsed = rule.decimal == "," and bool((numbers % 1 > 0).any())
    return Quantities(numbers, _parsed_already(values.name) if parsed else ())


def _parsed_already(name: object) -> tuple[str, ...]:
    return (
        f"{name}: came as numbers with a decimal point, so quality.columns.{name}.decimal changes "
        "nothing: if the points separate thousands, export the column without them",
    )


def numbers_in_texts(text: pd.Series, share: float, decimal: str | None = None) -> Quantities:
    """Read tidy texts as numbers: plainly, and as people write them where that is unambiguous."""
    plain = numbers_of(text)
    if decimal is None and plain.notna().sum() == text.notna().sum():
        return Quantities(plain)
    counts = text.value_counts()
    found = _numerals(counts, share, decimal)
    if found is None or found.numbers is None:
        return Quantities(plain, () if found is None else _asked(text.name, found))
    numbers = text.map(pd.Series(found.numbers, index=counts.index)).astype("float64")
    told = f"{text.name}: texts read as numbers: {', '.join(found.examples)}"
    notes = (told,) if found.examples else ()
    return Quantities(numbers.mask(numbers.abs() > LARGEST), notes, decimal=found.decimal)


def _numerals(counts: pd.Series, share: float, decimal: str | None = None) -> Numerals | None:
    return read_numerals(counts.index.tolist(), counts.tolist(), share, decimal)


def _asked(name: object, found: Numerals) -> tuple[str, ...]:
    """Say why texts that look like numbers were not read so, and what to do."""
    remedy = (
        f"declare quality.columns.{name}.decimal as '.' or ','"
        if found.undecided
        else "write all of them alike in the source"
    )
    return (f"{name}: {found.question}, so these were not read as numbers: {remedy}",)


def _measured(values: pd.Series, unit: str, rule: ColumnRule, share: float) -> Quantities:
    """Convert to a unit, by the decimal mark that the rule declares or the numbers tell."""
    decimal, found = rule.decimal, None
    if decimal is None and is_textual(values):
        parts = values_as_text(values).map(number_part, na_action="ignore")
        # A point alone is decimal, as it is in numbers without a unit.
        if (parts.notna() & numbers_of(parts).isna()).any():
            found = _numerals(parts.value_counts(), share)
    mark = decimal or (found.decimal if found is not None else ".")
    measured = in_unit(values, unit, rule.source_unit, mark)
    numbers = numbers_of(measured.numbers)
    if found is None or not found.undecided:
        return Quantities(numbers, (), measured.converted, mark)
    other = in_unit(values, unit, rule.source_unit, ",")  # only what both marks mean alike
    notes = _asked(values.name, found)
    return Quantities(numbers.where(numbers == other.numbers), notes, measured.converted, mark)
