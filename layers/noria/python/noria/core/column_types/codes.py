"""Texts of digits that are names and no amounts: 0123, and more digits than a number keeps."""

import pandas as pd

from noria.core.column_types.cell_values import numbers_of
from noria.core.ingestion.raw_text import LARGEST_WHOLE, LONG_DIGITS

LEADING_ZERO = r"^0\d"


def code_among(texts: pd.Index) -> str | None:
    """Find a text that says by its digits that a column's texts are codes.

    Whole numbers that a float cannot count by one are, unless others have a fraction.
    """
    zeros = texts[texts.str.match(LEADING_ZERO)]
    if len(zeros):
        return str(zeros[0])
    long = [text for text in texts[texts.str.match(LONG_DIGITS)] if abs(int(text)) > LARGEST_WHOLE]
    return str(long[0]) if long and not texts.str.contains(".", regex=False).any() else None


def code_notes(name: object, code: str, texts: pd.Index) -> tuple[str, ...]:
    """Say why a column in which all texts are numbers is none of numbers."""
    if not code.startswith("0") or numbers_of(texts.to_series()).isna().any():
        return ()
    return (
        f"{name}: its digits are read as text, as {code!r} begins with a zero: where they are "
        f"amounts, declare quality.columns.{name}.type as int or float",
    )
