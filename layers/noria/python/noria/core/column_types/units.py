"""Units of measurement: values as they were written, in the unit that the contract names."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

_NUMBER = r"[+-]?(?:\d{1,3}(?:\%s\d{3})+(?:\%s\d+)?|\d+(?:\%s\d*)?|\%s\d+)(?:[eE][+-]?\d+)?"
#: A number and its unit, by the decimal mark; the other mark separates thousands.
MEASURED = {
    mark: re.compile(
        rf"\s*({_NUMBER % (other, mark, mark, mark)})\s*(.*?)\s*", re.ASCII | re.DOTALL
    )
    for mark, other in ((".", ","), (",", "."))
}
LEADING = re.compile(r"\s*[+-]?[\d.,]*\d", re.ASCII)
#: What a unit may be written with. Powers are single digits, so that no unit takes long to read.
WRITTEN = re.compile(r"(?:[^\W\d_]|[°µμΩ%'\"/*·._ -]|\^?-?[23]|[²³⁻¹])+")
LONGEST = 30
LONGEST_TEXT = 100  # characters of a number and its unit: longer ones would take long to match
#: pint's f and c are farad and speed of light; beside temperatures people mean degrees.
DEGREES = {"f": "degF", "c": "degC", "°f": "degF", "°c": "degC", "deg f": "degF", "deg c": "degC"}
PROBES = (0.0, 1.0, 1000.0)


@dataclass(frozen=True)
class Measured:
    """Numbers in one unit; `unreadable` marks what had none, `converted` counts other units."""

    numbers: pd.Series
    unreadable: pd.Series
    converted: dict[str, int]


def unit_problem(unit: str, source_unit: str | None = None) -> str | None:
    """Say why a unit of the contract cannot be used, or None."""
    for name in filter(None, (unit, source_unit)):
        if _parsed(name) is None:
            return f"{name!r} is no unit that pint knows: write one such as km, degC, kg or mi/h"
    if source_unit is not None and _factor(source_unit, unit) is None:
        return f"{source_unit!r} cannot be converted to {unit!r}: they measure different things"
    return None


def number_part(text: str) -> str | None:
    """Return the number that a text begins with, as it is written, or None."""
    match = LEADING.match(text) if len(text) <= LONGEST_TEXT else None
    return match[0].strip() if match is not None else None


def in_unit(
    values: pd.Series, unit: str, source_unit: str | None = None, decimal: str = "."
) -> Measured:
    """Convert numbers, and texts such as `5.2 mi` or `70 °F`, to `unit`.

    Numbers without a unit are in `source_unit` (default `unit`), written with the given decimal
    mark; the other one separates thousands. Units and their conversions are
    pint's; a unit that measures something else is unreadable.
    """
    bare = _factor(source_unit or unit, unit) or (1.0, 0.0)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.astype("float64") * bare[0] + bare[1]
        nothing = pd.Series(False, index=values.index)
        return Measured(numbers, nothing, _counted(source_unit, unit, int(values.notna().sum())))
    codes, distinct = pd.factorize(values)
    read = [_read(str(text), unit, bare, decimal) for text in distinct]
    numbers = pd.Series([number for number, _ in read], dtype="float64").reindex(codes)
    found = pd.Series([name for _, name in read], dtype="object").reindex(codes).dropna()
    converted = pd.Series(numbers.to_numpy(), index=values.index)
    counts = {str(name): int(count) for name, count in found.value_counts().items() if name != unit}
    return Measured(converted, values.notna() & converted.isna(), counts)


def _counted(source_unit: str | None, unit: str, rows: int) -> dict[str, int]:
    return {source_unit: rows} if source_unit not in (None, unit) else {}


def _read(
    text: str, unit: str, bare: tuple[float, float], decimal: str
) -> tuple[float, str | None]:
    """Read one text: the number in `unit` (NaN where there is none) and the unit it had."""
    match = MEASURED[decimal].fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if match is None:
        return np.nan, None
    plain = match[1].replace("," if decimal == "." else ".", "").replace(",", ".")
    number, written = float(plain), match[2]
    factor = _factor(written, unit) if written else bare
    if factor is None:
        return np.nan, None
    return number * factor[0] + factor[1], written or None


@cache
def _registry() -> Any:
    import pint  # only contracts that name a unit pay for it

    return pint.UnitRegistry(cache_folder=None, autoconvert_offset_to_baseunit=True)


@cache
def _parsed(text: str) -> Any:
    """Return pint's unit of a text, or None; case counts first, then it does not."""
    if len(text) > LONGEST or not WRITTEN.fullmatch(text):
        return None
    import pint

    for spelling in (text, text.lower()):
        try:
            return _registry().parse_units(spelling)
        except (pint.errors.PintError, AttributeError, ValueError, TypeError, KeyError,
                ArithmeticError, SyntaxError, AssertionError):  # fmt: skip
            continue
    return None


@cache
def _factor(source: str, unit: str) -> tuple[float, float] | None:
    """Return (a, b) of x · a + b from one unit to the other, or None where there is none."""
    wanted = _parsed(unit)
    if wanted is None:
        return None
    if wanted.dimensionality == _registry().kelvin.dimensionality:
        source = DEGREES.get(source.strip().lower(), source)
    given = _parsed(source)
    if given is None or given.dimensionality != wanted.dimensionality:
        return None
    zero, one, many = (
        float(_registry().Quantity(probe, given).to(wanted).magnitude) for probe in PROBES
    )
    slope = one - zero
    linear = np.isclose(many, zero + slope * PROBES[2], rtol=1e-9)
    return (slope, zero) if linear and np.isfinite((slope, zero)).all() else None
