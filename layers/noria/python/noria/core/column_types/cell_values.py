"""Cells of any column as tidy texts or numbers, and which of them are missing."""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from noria.common.categories import tidy
from noria.common.missing_marks import NO_MARKS, USUAL_MARKS, Mark, MissingMarks
from noria.core.column_types.timestamp_formats import ZONED
from noria.core.column_types.timestamp_parsing import read_times
from noria.core.ingestion.raw_text import LARGEST_WHOLE, values_as_text

LARGEST = 1e150  # a number whose square is a finite double, so that a spread can be computed


def is_textual(values: pd.Series) -> bool:
    """Tell whether a column holds texts, or a mixture that is read as texts."""
    return isinstance(values.dtype, pd.StringDtype) or values.dtype == object


def text_counts(values: pd.Series) -> dict[str, int]:
    """Count how often each value occurs, as text; the most frequent one first."""
    return {str(text): int(count) for text, count in values.value_counts().items()}


def missing_cells(values: pd.Series, marks: MissingMarks = USUAL_MARKS) -> pd.Series:
    """Mark nulls and the texts that stand for them."""
    return cleaned_text(values, marks).isna() if is_textual(values) else values.isna()


def cleaned_text(values: pd.Series, marks: MissingMarks = USUAL_MARKS) -> pd.Series:
    """Write values as tidy text, with the texts that mean missing as None."""
    text = values_as_text(values)
    codes, distinct = pd.factorize(text)
    plain = pd.Series([tidy(str(item)) for item in distinct], dtype="str")
    missing = np.fromiter(map(marks.mean, plain), dtype=bool, count=len(plain))
    plain = plain.mask(missing, None)
    if values.dtype == text.dtype and plain.equals(pd.Series(distinct, dtype="str")):
        return text  # tidy already: most columns are, and a copy of each would be large
    return pd.Series(plain.reindex(codes).array, index=values.index, name=values.name)


def numbers_of(values: pd.Series) -> pd.Series:
    """Convert to numbers; what is no finite number, or beyond 1e150, becomes missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(np.nan, index=values.index)
    if pd.api.types.is_integer_dtype(values) and not values.hasnans:
        return values
    if is_textual(values):  # each distinct text is read once
        codes, distinct = pd.factorize(values)
        read = pd.to_numeric(pd.Series(distinct), errors="coerce")
        if read.dtype == "int64" and (codes >= 0).all() and read.abs().max() > LARGEST_WHOLE:
            return pd.Series(read.to_numpy()[codes], index=values.index)  # no float holds them
        parsed = pd.Series(read, dtype="float64")
        numbers = pd.Series(parsed.reindex(codes).to_numpy(), index=values.index)
    elif values.dtype == "float64":
        numbers = values  # a copy of each would be as large as the table
    else:
        numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    beyond = numbers.abs() > LARGEST
    return numbers.mask(beyond) if beyond.any() else numbers


def without_missing(values: pd.Series, marks: MissingMarks) -> pd.Series:
    """Blank what means missing in a column, and tidy its texts."""
    values = without_marks(values, marks.given)
    return cleaned_text(values, marks) if is_textual(values) else values


def without_marks(values: pd.Series, marks: Iterable[Mark]) -> pd.Series:
    """Blank the values that the contract says stand for a missing one.

    A mark of a timestamp column with a zone is compared as an instant, one without as the local
    time of each value. Booleans have no marks, as 0 would be false.
    """
    marks = list(marks)
    if not marks or pd.api.types.is_bool_dtype(values):
        return values
    if is_textual(values):
        texts = {tidy(str(mark)) for mark in marks}
        numbers = {float(mark) for mark in marks if not isinstance(mark, str)}
        text = cleaned_text(values, NO_MARKS)
        return values.mask(text.isin(texts) | numbers_of(text).isin(numbers), None)
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.mask(_marked_times(values, marks))
    if pd.api.types.is_numeric_dtype(values):
        return values.mask(values.isin({float(mark) for mark in marks if _is_number(mark)}))
    return values


def _marked_times(values: pd.Series, marks: list[Mark]) -> pd.Series:
    shown, moments = read_times(values.dt.tz_localize(None)), read_times(values)
    hit = pd.Series(False, index=values.index)
    for mark in marks:
        zoned = isinstance(mark, str) and re.search(ZONED, mark)
        hit |= (moments if zoned else shown) == read_times(pd.Series([mark])).iloc[0]
    return hit


def _is_number(mark: Mark) -> bool:
    try:
        float(mark)
    except ValueError:
        return False
    return True
