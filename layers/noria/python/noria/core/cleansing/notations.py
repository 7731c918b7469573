"""How the source wrote each column, for requests that write their values alike."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from noria.common.categories import tidy, without_case
from noria.common.missing_marks import Mark
from noria.contracts import ColumnRule, Problem
from noria.core.cleansing.column_kinds import rule_of
from noria.core.column_types.cell_values import is_textual
from noria.core.column_types.timestamp_parsing import EPOCHS
from noria.core.column_types.type_inference import Typed, declared_type
from noria.core.column_types.units import in_unit
from noria.core.data.notation import Notation

MARKS = 100  # values that mean a missing one, of which a column seldom has more than a few
TELLING = 10  # seconds from 1970 from which an instant tells what its number counts


def notations(
    frame: pd.DataFrame, typed: Mapping[str, Typed], problem: Problem
) -> dict[str, Notation]:
    """Say of each column how its values were written, by how they were read."""
    return {
        name: _notation(frame[name], column, rule_of(name, problem))
        for name, column in typed.items()
    }


def _notation(raw: pd.Series, column: Typed, rule: ColumnRule) -> Notation:
    found: dict[str, object] = {
        "missing": _missing(raw, column, rule),
        "usual": column.marks.usual,
        "kept": sorted(column.marks.kept),
    }
    if column.kind == "bool":
        found |= {"boolean": True, "truths": _truths(raw, column)}
    if column.kind == "number":
        found |= {"decimal": column.decimal, "units": _units(column, rule)}
    if column.kind == "timestamp":
        found |= {"formats": column.formats or _epoch(raw, column)}
    return Notation.model_validate(found)


def _missing(raw: pd.Series, column: Typed, rule: ColumnRule) -> tuple[Mark, ...]:
    """List the values that were taken for missing ones beside the usual marks.

    What is not of a declared type is none of them: its rows were set aside.
    """
    taken = raw.notna() & column.values.isna()
    if declared_type(rule) is not None:
        taken &= ~column.unreadable
    distinct = raw[taken].unique().tolist() if taken.any() else []
    found = [mark for mark in distinct[:MARKS] if isinstance(mark, str) or _is_finite(mark)]
    tidied = [tidy(mark) if isinstance(mark, str) else mark for mark in found]
    told = [mark for mark in tidied if not isinstance(mark, str) or not column.marks.mean(mark)]
    return tuple(dict.fromkeys([*column.marks.given, *told]))


def _is_finite(mark: object) -> bool:
    is_number = isinstance(mark, int | float) and not isinstance(mark, bool)
    return is_number and bool(np.isfinite(mark))  # type: ignore[call-overload]


def _truths(raw: pd.Series, column: Typed) -> dict[str, bool]:
    if not is_textual(raw):
        return {}
    known = column.values.notna()
    pairs = pd.DataFrame({"text": raw[known], "truth": column.values[known]}).drop_duplicates()
    return {
        without_case(tidy(text)): bool(truth)
        for text, truth in zip(pairs["text"].tolist(), pairs["truth"].tolist(), strict=True)
        if isinstance(text, str)
    }


def _units(column: Typed, rule: ColumnRule) -> dict[str, tuple[float, float]]:
    """Return factor and offset of each unit that the values had; a bare number is in `unit`."""
    if rule.unit is None:
        return {}
    written = dict.fromkeys([rule.unit, *column.converted])
    found = {}
    for unit in written:
        zero, one = in_unit(pd.Series([f"0 {unit}", f"1 {unit}"]), rule.unit).numbers
        if pd.notna(zero):
            found[unit] = (float(one - zero), float(zero))
    return found


def _epoch(raw: pd.Series, column: Typed) -> tuple[str, ...]:
    """Tell by one value which unit a column of numbers counts time in."""
    if not pd.api.types.is_numeric_dtype(raw) or pd.api.types.is_bool_dtype(raw):
        return ()
    read = column.values[column.values.notna()]
    counted = raw[read.index]
    for number, moment in zip(counted.head(MARKS), read.head(MARKS), strict=True):
        seconds = moment.timestamp()
        if abs(seconds) >= TELLING:
            return tuple(
                unit
                for unit, scale in EPOCHS.items()
                if unit != "epoch_s" and abs(float(number) / scale - seconds) <= 1
            )[:1]
    return ()
