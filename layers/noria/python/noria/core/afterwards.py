"""Columns that are filled only once the outcome is known: a model would have no use for them."""

from collections.abc import Iterable

import pandas as pd

FEWEST_ROWS = 20  # fewer rows without a target tell nothing about when a column is filled


def known_afterwards(
    values: pd.DataFrame, target: pd.Series, columns: Iterable[str], late: float
) -> list[str]:
    """Name the columns that rows with a target have more often than those without, by `late`.

    Rows without a target are those whose outcome is still to come (or never came): a column that
    is empty there and filled elsewhere is written together with the outcome.
    """
    unlabelled = target.isna()
    if unlabelled.sum() < FEWEST_ROWS or (~unlabelled).sum() < FEWEST_ROWS:
        return []
    present = values[list(columns)].notna()
    gap = present[~unlabelled].mean() - present[unlabelled].mean()
    return [str(name) for name, difference in gap.items() if difference >= late]
