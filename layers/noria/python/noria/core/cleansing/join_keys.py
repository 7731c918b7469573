"""The values of a join's key on its two sides, as texts that are equal where the keys are."""

import re

import pandas as pd
from pandas.api.types import infer_dtype

from noria.core.ingestion.raw_text import LARGEST_WHOLE, values_as_text

PLAIN = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?")
LONGEST = 40  # characters: a longer text is no number that a float holds


def kind_of(values: pd.Series) -> str:
    """Name what a key's values are: bool, number, time or text."""
    if pd.api.types.is_bool_dtype(values) or infer_dtype(values, skipna=True) == "boolean":
        return "bool"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    return "time" if pd.api.types.is_datetime64_any_dtype(values) else "text"


def key_texts(values: pd.Series, *kinds: str) -> pd.Series:
    """Write a key's values as texts, as they compare with a side of other `kinds`."""
    text = values_as_text(values)
    codes, distinct = pd.factorize(text)
    plain = [str(item).strip() for item in distinct]
    if "number" in kinds:
        plain = [_as_number(item) for item in plain]
    if "bool" in kinds:
        plain = [item.lower() for item in plain]
    written = pd.Series(plain, dtype="str").reindex(codes)
    return pd.Series(written.array, index=values.index, name=values.name)


def _as_number(text: str) -> str:
    """A plain number as a column of numbers has it; a code such as 0123 is none."""
    if len(text) > LONGEST or not PLAIN.fullmatch(text):
        return text
    number = float(text)
    if abs(number) >= LARGEST_WHOLE:
        return text.removeprefix("+")
    return str(int(number)) if number.is_integer() else repr(number)
